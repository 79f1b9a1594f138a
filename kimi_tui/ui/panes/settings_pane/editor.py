"""What the editors of the settings pane share.

An editor checks what is typed at every change and says beside it what is wrong. It hands over checked values only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static, TextArea

from kimi_tui.core.errors import FieldError, KimiError
from kimi_tui.ui.keys.key_lookup import TAKE_KEY
from kimi_tui.ui.panes.settings_pane.guarded import GuardedInput, GuardedTextArea
from kimi_tui.ui.panes.settings_pane.row import ALERT
from kimi_tui.ui.panes.settings_pane.unsaved_edits import Texts
from kimi_tui.ui.text.safe_text import content


class Editor(Vertical):
    """What all editors share."""

    DEFAULT_CSS = """
    Editor { height: auto; width: 1fr; }
    """

    ACCEPT_KEY: ClassVar[str] = "enter"
    """Takes the value."""
    ACCEPT_WORD: ClassVar[str] = "set"
    """What taking the value is called in the footer."""
    IS_IN_PLACE: ClassVar[bool] = False
    """Whether it stands in the place of its row, not below it."""

    @dataclass
    class Accepted(Message):
        """A checked value is to be taken; None = not sent."""

        row_id: str
        value: object | None
        about: str
        """As the editor's."""

    class Cancelled(Message):
        """Nothing is to be changed."""

    class Ready(Message):
        """The editor can take keys."""

    class Resized(Message):
        """The editor has another size than before, so that a part of it may be out of sight."""

    def __init__(self, row_id: str, about: str = "") -> None:
        """Edit a row.

        Args:
            row_id: The row's id.
            about: What of the row is edited, where that can be one of several: the type of the response format whose
                details they are, the preset that is renamed; "" = the row can be edited in one way only.
        """
        super().__init__()
        self.row_id = row_id
        self.about = about
        self.is_done = False
        """Whether it has handed over its value; keys that still come are for what follows."""
        self.last_key: events.Key | None = None
        """The last key that came from within."""

    def on_mount(self) -> None:
        """Say that keys can come."""
        self.post_message(self.Ready())

    def on_resize(self) -> None:
        """Say so."""
        self.post_message(self.Resized())

    def on_key(self, event: events.Key) -> None:
        """Remember the key, for whoever asks where it came from."""
        self.last_key = event

    @property
    def typed(self) -> Texts:
        """What stands in it, so that it can be opened again with that; () = nothing is typed here."""
        return ()

    @property
    def is_changed(self) -> bool:
        """Whether something else stands in it than holds."""
        return False

    def begin(self) -> None:
        """Take the focus."""

    def press(self, event: events.Key) -> None:
        """Take a key that was pressed before the focus was here."""

    def accept(self) -> None:
        """Hand the value over, unless something is wrong with it."""

    def hand_over(self, value: object | None) -> None:
        """Say that a value is to be taken; nothing is taken after that."""
        self.is_done = True
        self.post_message(self.Accepted(self.row_id, value, self.about))

    def cancel(self) -> None:
        """Say that nothing is to be changed; nothing is taken after that."""
        self.is_done = True
        self.post_message(self.Cancelled())

    def accepts(self, key: str) -> bool:
        """Whether a key takes the value: its own one, or the one that does so in every editor."""
        return key in {self.ACCEPT_KEY, TAKE_KEY}

    def guard(self, event: events.Key) -> bool:
        """See a key before the widget inside does; True = it is not for that."""
        if self.is_done:
            event.prevent_default()
            return True
        if not self.accepts(event.key):
            return False
        event.stop()
        event.prevent_default()
        self.accept()
        return True


class Problem(Static):
    """What is wrong with what stands in an editor, or may be; it takes no room while there is nothing."""

    DEFAULT_CSS = """
    Problem {
        height: auto;
        color: $error;
        display: none;
        &.-open { display: block; }
        &.-doubt { color: $warning; }
    }
    """

    def __init__(self) -> None:
        """Say nothing yet."""
        super().__init__(markup=False, classes="editor-problem")

    def show(self, words: str, *, is_doubt: bool = False) -> None:
        """Say what is wrong, or in doubt; "" = nothing is."""
        self.set_class(is_doubt, "-doubt")
        self.set_class(bool(words), "-open")
        self.update(content(words) if words else Content())


class TextEditor(Editor):
    """An editor in which text is typed, which is checked."""

    def __init__(
        self,
        row_id: str,
        label: str,
        texts: Texts,
        check: Callable[[Texts], object | None],
        *,
        typed: Texts = (),
        about: str = "",
        doubt: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Edit a text.

        Args:
            row_id: Its row.
            label: What stands before or above it.
            texts: What holds now: the text, or a name and the text.
            check: Makes a value of these, or raises KimiError.
            typed: What has been typed already in their place; () = nothing.
            about: As `Editor` says.
            doubt: Says what may be wrong with the text, without keeping it from being taken; "" = nothing.
        """
        super().__init__(row_id, about)
        self.label = label
        self.begins_with = typed or texts
        """What stands in it at first."""
        self._texts, self._check, self._doubt = texts, check, doubt

    def on_mount(self) -> None:
        """Say what is wrong with what was typed before."""
        self._say_what_is_wrong()

    @property
    @abstractmethod
    def field(self) -> GuardedInput | GuardedTextArea:
        """Where the text is typed."""

    @property
    def is_changed(self) -> bool:
        """Whether other texts stand in it than hold."""
        return self.typed != self._texts

    def begin(self) -> None:
        """Type into the text."""
        self.screen.set_focus(self.field)

    def press(self, event: events.Key) -> None:
        """Type a character, take one back, or take the value."""
        if self.accepts(event.key):
            self.accept()
        elif event.key == "backspace":
            self.field.action_delete_left()
        elif event.is_printable and event.character:
            self.field.type_text(event.character)

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _changed(self, event: Input.Changed | TextArea.Changed) -> None:
        event.stop()
        self._say_what_is_wrong()

    def _say_what_is_wrong(self) -> None:
        """Show what is wrong with what was typed; with what stood there already nothing is until it is to be taken."""
        problem = self._checked()[1] if self.is_changed else ""
        doubt = "" if problem else self._doubt(self.typed[-1])
        self.query_one(Problem).show(problem or doubt, is_doubt=bool(doubt))

    def _checked(self) -> tuple[object | None, str]:
        """The value, or what is wrong."""
        try:
            return self._check(self.typed), ""
        except KimiError as error:
            return None, problem_of(error)

    def accept(self) -> None:
        """Hand the value over, unless something is wrong with it."""
        value, problem = self._checked()
        if not problem:
            self.hand_over(value)
            return
        self.query_one(Problem).show(problem)
        self.app.bell()


def problem_of(error: KimiError) -> str:
    """What is wrong, in one line."""
    if isinstance(error, FieldError):
        return f"{ALERT} Found {error.found}, allowed {error.allowed}."
    return f"{ALERT} {error.summary}"
