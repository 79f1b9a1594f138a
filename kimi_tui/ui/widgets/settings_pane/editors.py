"""The editors of the settings pane: one line, a text of several lines, one of some choices.

An editor checks what is typed at every change and says beside it what is wrong. It hands over checked values only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from kimi_tui.core.actions import BY_ID
from kimi_tui.core.errors import FieldError, KimiError
from kimi_tui.ui.text import content
from kimi_tui.ui.widgets.composer import LINE_ENDS, STAND_IN_BASE
from kimi_tui.ui.widgets.settings_pane.row import ALERT

ACCEPT_KEY = "ctrl+o"
"""Takes what stands in an editor of several lines, where Enter begins a line."""
NEW_LINE_KEYS = frozenset(BY_ID["new-line"].keys)
"""The registry's keys that begin a line, besides Enter, in an editor of several lines."""
LEAST_LINES = 3
"""Lines of a text that are shown however little room there is."""
_KEPT = LINE_ENDS + "\r"
TO_STAND_INS = {ord(char): chr(STAND_IN_BASE + place) for place, char in enumerate(_KEPT)}
"""Characters that the library's text area would take for line ends are kept by stand-ins, as in the composer."""
FROM_STAND_INS = {STAND_IN_BASE + place: char for place, char in enumerate(_KEPT)}


class _Line(Input):
    """A line whose editor sees each key first."""

    def __init__(self, value: str, guard: Callable[[events.Key], bool], *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False, compact=True)
        self._guard = guard

    async def _on_key(self, event: events.Key) -> None:
        self._guard(event)


class _Text(TextArea):
    """A text whose editor sees each key first."""

    def __init__(self, text: str, guard: Callable[[events.Key], bool]) -> None:
        super().__init__(text.translate(TO_STAND_INS), soft_wrap=True, tab_behavior="focus", compact=True)
        self._guard = guard

    async def _on_key(self, event: events.Key) -> None:
        if not self._guard(event):
            await super()._on_key(event)

    def type_text(self, text: str) -> None:
        """Type a text in the place of what is selected."""
        self._replace_via_keyboard(text, *self.selection)

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste as it is; terminals send its line ends as CR."""
        event.stop()
        event.prevent_default()
        self.type_text(event.text.replace("\r\n", "\n").replace("\r", "\n").translate(TO_STAND_INS))


class _Choices(OptionList):
    """Choices whose editor sees each key first."""

    def __init__(self, options: Sequence[Option], guard: Callable[[events.Key], bool]) -> None:
        super().__init__(*options, compact=True)
        self._guard = guard

    async def _on_key(self, event: events.Key) -> None:
        self._guard(event)


class Editor(Vertical):
    """What all editors share."""

    DEFAULT_CSS = """
    Editor { height: auto; width: 1fr; }
    """

    ACCEPT_KEYS: ClassVar[frozenset[str]] = frozenset({"enter"})
    """Keys that take the value."""

    @dataclass
    class Accepted(Message):
        """A checked value is to be taken; None = not sent."""

        row_id: str
        value: object | None

    @dataclass
    class Cancelled(Message):
        """Nothing is to be changed."""

        row_id: str

    class Ready(Message):
        """The editor can take keys."""

    class Resized(Message):
        """The editor has another size than before, so that a part of it may be out of sight."""

    def __init__(self, row_id: str) -> None:
        """Edit the row of that id."""
        super().__init__()
        self.row_id = row_id
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
    def typed(self) -> tuple[str, ...]:
        """What stands in it, so that it can be opened again with that; () = nothing is typed here."""
        return ()

    @property
    def is_changed(self) -> bool:
        """Whether something else stands in it than holds."""
        return False

    @property
    def accept_word(self) -> str:
        """What taking the value is called in the footer."""
        return "set"

    def begin(self) -> None:
        """Take the focus."""

    def press(self, event: events.Key) -> None:
        """Take a key that was pressed before the focus was here."""

    def accept(self) -> None:
        """Hand the value over, unless something is wrong with it."""

    def finish(self, message: Message) -> None:
        """Say how it ended; nothing is taken after that."""
        self.is_done = True
        self.post_message(message)

    def guard(self, event: events.Key) -> bool:
        """See a key before the widget inside does; True = it is not for that."""
        if self.is_done:
            event.prevent_default()
            return True
        if event.key not in self.ACCEPT_KEYS:
            return False
        event.stop()
        event.prevent_default()
        self.accept()
        return True


class LineEditor(Editor):
    """One line, typed in the value's place; Enter takes it."""

    DEFAULT_CSS = """
    LineEditor {
        & .editor-label { width: 22; height: 1; padding: 0 0 0 2; }
        & Horizontal { height: auto; }
        & Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        & .editor-problem { height: auto; padding: 0 0 0 2; color: $error; display: none; }
        & .editor-problem.-open { display: block; }
        &.-narrow Horizontal { layout: vertical; }
        &.-narrow Input { margin: 0 0 0 2; }
    }
    """

    def __init__(
        self,
        row_id: str,
        label: str,
        text: str,
        check: Callable[[str], object | None],
        *,
        typed: tuple[str, ...] = (),
    ) -> None:
        """Edit a text.

        Args:
            row_id: Its row.
            label: What stands before it.
            text: What stands there now, which the line can hold.
            check: Makes a value of a text, or raises KimiError.
            typed: What has been typed already in its place; () = nothing.
        """
        super().__init__(row_id)
        self._label, self._text, self._check = label, text, check
        self._begins_with = typed[0] if typed else text

    def compose(self) -> ComposeResult:
        """The label, the line, and below it what is wrong."""
        with Horizontal():
            yield Static(content(self._label), classes="editor-label")
            yield _Line(self._begins_with, self.guard)
        yield Static(markup=False, classes="editor-problem")

    def on_mount(self) -> None:
        """Say what is wrong with what was typed before."""
        if self._begins_with != self._text:
            show_problem(self.query_one(".editor-problem", Static), self._checked()[1])

    @property
    def typed(self) -> tuple[str, ...]:
        """The line."""
        return (self.query_one(Input).value,)

    @property
    def is_changed(self) -> bool:
        """Whether the line is another than it was."""
        return self.typed != (self._text,)

    def begin(self) -> None:
        """Type into the line."""
        self.screen.set_focus(self.query_one(Input))

    def press(self, event: events.Key) -> None:
        """Type a character, take one back, or take the value."""
        line = self.query_one(Input)
        if event.key == "enter":
            self.accept()
        elif event.key == "backspace":
            line.action_delete_left()
        elif event.is_printable and event.character:
            line.insert_text_at_cursor(event.character)

    def _checked(self) -> tuple[object | None, str]:
        """The value, or what is wrong."""
        try:
            return self._check(self.query_one(Input).value), ""
        except KimiError as error:
            return None, problem_of(error)

    @on(Input.Changed)
    def _say_what_is_wrong(self, event: Input.Changed) -> None:
        event.stop()
        show_problem(self.query_one(".editor-problem", Static), self._checked()[1])

    def accept(self) -> None:
        """Hand the value over, unless something is wrong with it."""
        value, problem = self._checked()
        if problem:
            self.app.bell()
        else:
            self.finish(self.Accepted(self.row_id, value))


class BlockEditor(Editor):
    """A text of several lines, with a name above it where it has one; Ctrl+O, or the button, takes it."""

    DEFAULT_CSS = """
    BlockEditor {
        padding: 0 0 0 1;
        & .editor-label { height: auto; color: $text-muted; }
        & Input { height: 1; border: none; margin: 0 0 0 1; background: $surface; }
        & TextArea { height: 3; border: none; padding: 0 1; background: $surface; }
        & .editor-problem { height: auto; color: $error; display: none; }
        & .editor-problem.-open { display: block; }
        & .editor-problem.-doubt { color: $warning; }
        & .editor-buttons { height: 1; }
        & Button { height: 1; min-width: 6; width: auto; border: none; margin: 0 1 0 0; padding: 0 1; }
    }
    """

    ACCEPT_KEYS = frozenset({ACCEPT_KEY})

    def __init__(
        self,
        row_id: str,
        label: str,
        texts: tuple[str, ...],
        check: Callable[[tuple[str, ...]], object | None],
        *,
        typed: tuple[str, ...] = (),
        doubt: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Edit a text.

        Args:
            row_id: Its row.
            label: What stands above it.
            texts: What stands there now: the text, or a name and the text.
            check: Makes a value of these, or raises KimiError.
            typed: What has been typed already in their place.
            doubt: Says what may be wrong with the text, without keeping it from being taken.
        """
        super().__init__(row_id)
        self._label, self._texts, self._check, self._doubt = label, texts, check, doubt
        self._typed = typed or texts
        self._room = LEAST_LINES
        self.new_line_keys = NEW_LINE_KEYS
        """Keys that begin a line, besides Enter."""

    def compose(self) -> ComposeResult:
        """The label, the name, the text, what is wrong, and two buttons."""
        yield Static(content(self._label), classes="editor-label")
        if len(self._typed) > 1:
            yield _Line(self._typed[0], self.guard, placeholder="name")
        yield _Text(self._typed[-1], self.guard)
        yield Static(markup=False, classes="editor-problem")
        with Horizontal(classes="editor-buttons"):
            yield Button("Done ^O", id="done", compact=True)
            yield Button("Leave Esc", id="leave", compact=True)

    def on_mount(self) -> None:
        """Begin at the end of the text."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        self._say_what_is_wrong()

    @property
    def typed(self) -> tuple[str, ...]:
        """The name, where there is one, and the text, exactly."""
        text = self.query_one(TextArea).text.translate(FROM_STAND_INS)
        return (*(field.value for field in self.query(Input)), text)

    @property
    def is_changed(self) -> bool:
        """Whether the name or the text is another than it was."""
        return self.typed != self._texts

    @property
    def accept_word(self) -> str:
        """What taking the text is called in the footer."""
        return "take"

    def fill(self, rows: int) -> None:
        """Be as tall as there is room: so many rows, or what is needed at least."""
        self._room = rows
        if self.is_mounted:
            self._fit()

    def on_resize(self) -> None:
        """Leave the text what the other parts do not need; they may have more or fewer lines than before."""
        self._fit()

    def _fit(self) -> None:
        area = self.query_one(TextArea)
        others = sum(child.outer_size.height for child in self.children if child is not area and child.display)
        area.styles.height = max(self._room - others, LEAST_LINES)

    def guard(self, event: events.Key) -> bool:
        """See a key before the widget inside does; in the text some begin a line."""
        if self.is_done or event.key not in self.new_line_keys - self.ACCEPT_KEYS:
            return super().guard(event)
        event.stop()
        event.prevent_default()
        if self.query_one(TextArea).has_focus:
            self.query_one(_Text).type_text("\n")
        else:
            self.begin()
        return True

    def begin(self) -> None:
        """Type into the text."""
        self.screen.set_focus(self.query_one(TextArea))

    def press(self, event: events.Key) -> None:
        """Type a character, begin a line, or take the text."""
        area = self.query_one(_Text)
        if event.key == ACCEPT_KEY:
            self.accept()
        elif event.key == "backspace":
            area.action_delete_left()
        elif event.key in {"enter", *self.new_line_keys}:
            area.type_text("\n")
        elif event.is_printable and event.character:
            area.type_text(event.character)

    def _checked(self) -> tuple[object | None, str]:
        try:
            return self._check(self.typed), ""
        except KimiError as error:
            return None, problem_of(error)

    @on(TextArea.Changed)
    @on(Input.Changed)
    def _changed(self, event: TextArea.Changed | Input.Changed) -> None:
        event.stop()
        self._say_what_is_wrong()

    def _say_what_is_wrong(self) -> None:
        problem = self._checked()[1] if self.is_changed else ""
        doubt = "" if problem else self._doubt(self.typed[-1])
        static = self.query_one(".editor-problem", Static)
        static.set_class(bool(doubt), "-doubt")
        show_problem(static, problem or doubt)

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        """Go from the name to the text."""
        event.stop()
        self.begin()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "done":
            self.accept()
        else:
            self.finish(self.Cancelled(self.row_id))

    def accept(self) -> None:
        """Hand the value over, unless something is wrong with it."""
        value, problem = self._checked()
        if problem:
            show_problem(self.query_one(".editor-problem", Static), problem)
            self.app.bell()
        else:
            self.finish(self.Accepted(self.row_id, value))


class ChoiceEditor(Editor):
    """One of some choices."""

    DEFAULT_CSS = """
    ChoiceEditor {
        padding: 0 0 0 3;
        & .editor-label { height: auto; color: $text-muted; }
        & OptionList { border: none; padding: 0; max-height: 12; background: $surface; }
    }
    """

    def __init__(self, row_id: str, label: str, choices: Sequence[tuple[object, str]], current: object) -> None:
        """Let one be chosen.

        Args:
            row_id: Its row.
            label: The question; "" = none.
            choices: Values, and how each is shown.
            current: The value that is chosen now.
        """
        super().__init__(row_id)
        self._label, self._choices = label, choices
        self._current = next((place for place, (value, _) in enumerate(choices) if value == current), 0)

    def compose(self) -> ComposeResult:
        """The question and the choices."""
        if self._label:
            yield Static(content(self._label), classes="editor-label")
        yield _Choices([Option(content(words)) for _, words in self._choices], self.guard)

    def on_mount(self) -> None:
        """Begin at what is chosen now."""
        self.query_one(OptionList).highlighted = self._current

    @property
    def accept_word(self) -> str:
        """What taking a choice is called in the footer."""
        return "choose"

    def begin(self) -> None:
        """Choose with the keys."""
        self.screen.set_focus(self.query_one(OptionList))

    def press(self, event: events.Key) -> None:
        """Move, or choose."""
        choices = self.query_one(OptionList)
        if event.key == "enter":
            self.accept()
        elif event.key in {"up", "down"}:
            (choices.action_cursor_up if event.key == "up" else choices.action_cursor_down)()

    def accept(self) -> None:
        """Hand the chosen value over."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self.finish(self.Accepted(self.row_id, self._choices[place][0]))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.accept()


def problem_of(error: KimiError) -> str:
    """What is wrong, in one line."""
    if isinstance(error, FieldError):
        return f"{ALERT} Found {error.found}, allowed {error.allowed}."
    return f"{ALERT} {error.summary}"


def show_problem(static: Static, problem: str) -> None:
    """Show what is wrong, or nothing."""
    static.update(content(problem) if problem else Content())
    static.set_class(bool(problem), "-open")
