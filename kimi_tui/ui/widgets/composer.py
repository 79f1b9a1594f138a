"""The composer: a draft of several lines that is sent with Enter.

Pasting never sends. Characters that the library's text area would take for line ends (U+2028 and its kin) have
placeholders while they are being edited, so that what is sent is what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.keymap import DEFAULT_KEYS, Keys
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.state.first_frame import PLACEHOLDER
from kimi_tui.ui.state.slash import Choices, Completion, completions, is_half_typed
from kimi_tui.ui.widgets.editing import Acts, EditArea
from kimi_tui.ui.widgets.wrapping import LONG_LINE


class Composer(EditArea):
    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 33vh;
        border: round $border-blurred;
        background: $background;
        padding: 0 1;
        border-subtitle-color: $text-muted;
        border-subtitle-align: left;
        border-title-color: $text-muted;
        &:focus { border: round $primary; border-subtitle-color: $text-muted; border-title-color: $foreground; }
    }
    """

    scope: ClassVar[Scope] = Scope.COMPOSER

    @dataclass
    class Submitted(Message):
        """The draft is to be sent."""

        text: str

    @dataclass
    class RecallRequested(Message):
        """An older (1) or a newer (-1) prompt is wanted: Up or Down in the empty composer, or on a recalled prompt."""

        step: int

    class QuitRequested(Message):
        """Ctrl+D was pressed in the empty composer."""

    @dataclass
    class CompletionsChanged(Message):
        """The draft may become other commands now, or another one of them is picked."""

        completions: tuple[Completion, ...]
        """What it may become; none = it is no half-typed command."""
        picked: int
        """The place of the one that Tab takes."""

    class DraftChanged(Message):
        """The draft is another one now."""

    def __init__(self, keys: Keys = DEFAULT_KEYS, *, id: str | None = None) -> None:
        self.edit_keys = keys
        self.choices: Choices = {}
        self.recalled = ""
        """A prompt that was brought back and not changed since, where the draft is still that; "" = none was."""
        self._completions: tuple[Completion, ...] = ()
        self._picked = 0
        self._has_picked = False
        self._closed_at = ""
        super().__init__(
            id=id, soft_wrap=True, tab_behavior="focus", placeholder=PLACEHOLDER, highlight_cursor_line=False
        )

    @property
    def edit_actions(self) -> Acts:
        return {
            "send": self.submit,
            "new-line": self.begin_line,
            "quit-when-empty": self.delete_or_quit,
            **super().edit_actions,
        }

    @property
    def own_keys(self) -> Acts:
        """The one that brings a prompt back from elsewhere moves in the text first."""
        recalling = dict.fromkeys(self.edit_keys["last-prompt"], self.up_or_recall)
        return {**super().own_keys, "tab": self.complete, "down": self.down_or_pick, **recalling}

    @property
    def draft(self) -> str:
        """What has been typed, exactly."""
        return self.exact_text

    @draft.setter
    def draft(self, text: str) -> None:
        self.recalled = ""
        self.text = self.held(text)
        self.move_cursor(self.document.end)

    def submit(self) -> None:
        """Hand the draft over, unless there is nothing in it; letters typed after it belong to the next one.

        A command that was picked with Up and Down is taken first, and where no command was typed the one that is
        marked; one that needs an argument waits for it.
        """
        self._find_completions()
        if self._completions and (self._has_picked or is_half_typed(self.draft)):
            picked = self._completions[self._picked]
            self.complete()
            if not picked.is_whole:
                return
        if (text := self.draft).strip():
            self.text = ""
            self.post_message(self.Submitted(text))

    def begin_line(self) -> None:
        self.type_text("\n")
        take_keys(self)

    def delete_or_quit(self) -> None:
        if not self.is_empty:
            self.action_delete_right()
        else:
            self.post_message(self.QuitRequested())

    def up_or_recall(self) -> None:
        """Move up, among commands to the one before; in the empty composer: bring the last prompt back."""
        if self._completions:
            self._pick(-1)
        elif not self.is_empty and not self._is_recalled:
            self.action_cursor_up()
        else:
            self.post_message(self.RecallRequested(1))

    @property
    def _is_recalled(self) -> bool:
        return bool(self.recalled) and self.draft == self.recalled

    def down_or_pick(self) -> None:
        """Move down, among commands to the next one, from a recalled prompt to a newer one."""
        if self._completions:
            self._pick(1)
        elif self._is_recalled:
            self.post_message(self.RecallRequested(-1))
        else:
            self.action_cursor_down()

    def complete(self) -> None:
        """Complete a slash command to the one that is picked, else move the focus on."""
        self._find_completions()
        if self._completions:
            self.put(self._completions[self._picked].text)
            self._find_completions()
        elif not self.document[0].startswith("/"):
            self.screen.focus_next()

    def _find_completions(self) -> None:
        """Find what the draft may become; what was picked stays while it still is one of those."""
        line = self._command_line()
        if line != self._closed_at:
            self._closed_at = ""
        found = completions(line, self.choices) if line and not self._closed_at else ()
        if found != self._completions:
            picked = self._completions[self._picked] if self._completions else None
            self._completions, self._picked = found, found.index(picked) if picked in found else 0
            self._has_picked = self._has_picked and picked in found
            self.post_message(self.CompletionsChanged(found, self._picked))

    @property
    def has_completions(self) -> bool:
        return bool(self._completions)

    def _command_line(self) -> str:
        """The draft, where it may be half a command: one line, not too long, that begins with a slash."""
        line = self.document[0] if self.document.line_count == 1 else ""
        return line if line.startswith("/") and len(line) <= LONG_LINE else ""

    def close_completions(self) -> bool:
        """Hide what the draft may become, until it changes; whether anything was shown."""
        was_open, self._completions = bool(self._completions), ()
        self._closed_at = self._command_line()
        if was_open:
            self.post_message(self.CompletionsChanged((), 0))
        return was_open

    def on_blur(self) -> None:
        self.close_completions()

    def on_focus(self) -> None:
        self._closed_at = ""
        self._find_completions()

    def _pick(self, step: int) -> None:
        self._picked, self._has_picked = (self._picked + step) % len(self._completions), True
        self.post_message(self.CompletionsChanged(self._completions, self._picked))

    def show_hints(self, text: str) -> None:
        hints = Content(text)
        if self.border_subtitle != hints:
            self.border_subtitle = hints

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._find_completions()
        self.post_message(self.DraftChanged())
