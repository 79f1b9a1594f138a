"""The composer: a draft of several lines that is sent with Enter.

Pasting never sends. Characters that the library's text area would take for line ends (U+2028 and its kin) are kept
by stand-ins from a private-use plane while they are being edited, so that what is sent is what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from kimi_tui.ui.slash import completions

LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
"""What `str.splitlines` splits at besides CR and LF; Source: Python's documentation of str.splitlines."""
STAND_IN_BASE = 0x10F700
"""First stand-in, near the end of the last private-use plane, where no font and no user puts anything."""
TO_STAND_INS = {ord(char): chr(STAND_IN_BASE + place) for place, char in enumerate(LINE_ENDS)}
FROM_STAND_INS = {STAND_IN_BASE + place: char for place, char in enumerate(LINE_ENDS)}


class Composer(TextArea):
    """The draft of the next message."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 33vh;
        border: round $panel;
        background: $background;
        padding: 0 1;
        &:focus { border: round $primary; }
    }
    """

    KEY_METHODS: ClassVar[dict[str, str]] = {
        "enter": "submit",
        "ctrl+j": "begin_line",
        "shift+enter": "begin_line",
        "alt+enter": "begin_line",
        "ctrl+d": "delete_or_quit",
        "up": "up_or_recall",
        "tab": "complete",
    }
    """Keys of its own. They are taken in the order typed, together with the letters: the library would do a priority
    binding before letters that are still on their way."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "screen.choose('page-up')", show=False, priority=True),
        Binding("pagedown", "screen.choose('page-down')", show=False, priority=True),
    ]

    @dataclass
    class Submitted(Message):
        """The draft is to be sent."""

        text: str

    class RecallRequested(Message):
        """Up was pressed in the empty composer."""

    class QuitRequested(Message):
        """Ctrl+D was pressed in the empty composer."""

    @dataclass
    class DraftChanged(Message):
        """The draft is another one now."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:
        """Start empty."""
        super().__init__(
            id=id, soft_wrap=True, tab_behavior="focus", placeholder="Message Kimi …", highlight_cursor_line=False
        )

    @property
    def draft(self) -> str:
        """What has been typed, exactly."""
        return self.text.translate(FROM_STAND_INS)

    @draft.setter
    def draft(self, text: str) -> None:
        self.text = text.translate(TO_STAND_INS)
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste as it is; terminals send its line ends as CR."""
        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n").translate(TO_STAND_INS)
        self._replace_via_keyboard(text, *self.selection)

    async def _on_key(self, event: events.Key) -> None:
        """Take our own keys, and leave the rest to the text area."""
        if (method := self.KEY_METHODS.get(event.key)) is None:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        getattr(self, method)()

    def submit(self) -> None:
        """Hand the draft over, unless there is nothing in it; letters typed after it belong to the next one."""
        if (text := self.draft).strip():
            self.text = ""
            self.post_message(self.Submitted(text))

    def begin_line(self) -> None:
        """Begin a new line at the cursor."""
        self._replace_via_keyboard("\n", *self.selection)

    def delete_or_quit(self) -> None:
        """Delete the character at the cursor; in the empty composer: leave."""
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.QuitRequested())

    def up_or_recall(self) -> None:
        """Move up; in the empty composer: bring the last prompt back."""
        if self.text:
            self.action_cursor_up()
        else:
            self.post_message(self.RecallRequested())

    def complete(self) -> None:
        """Complete a slash command to the first that fits, else move the focus on."""
        if fitting := completions(self.draft):
            self.draft = f"/{fitting[0].id}" + (" " if fitting[0].argument else "")
        else:
            self.screen.focus_next()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        """Say what the draft is now."""
        event.stop()
        self.post_message(self.DraftChanged(self.draft))
