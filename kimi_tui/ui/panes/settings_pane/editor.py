"""The editor at a row of the settings pane: a line, several lines, or choices, as its `Edit` says.

It checks what is typed at every change and says beside it what is wrong. It hands over checked values only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from kimi_tui.core.errors import FieldError, KimiError
from kimi_tui.ui.keys.key_lookup import TAKE_KEY
from kimi_tui.ui.panes.settings_pane.edits import ENDINGS, Edit, EditKind, Texts
from kimi_tui.ui.panes.settings_pane.row_values import ALERT, CURSOR
from kimi_tui.ui.text.safe_text import content
from kimi_tui.ui.widgets.editing import EditArea, EditLine
from kimi_tui.ui.widgets.newest_work import run_newest

LookAtForm = Callable[[object], str]
"""Says what may be wrong with a checked response format, "" = nothing; it takes a while, so it runs in a thread."""
LOOK_S = 0.4
"""Pause in typing after which a response format is looked at, in seconds (debounce)."""
LEAST_LINES = 3
"""So many lines of a text are shown however little room there is."""


class ExactTextArea(EditArea):
    def __init__(self, text: str) -> None:
        super().__init__(self.held(text), soft_wrap=True, tab_behavior="focus", compact=True)


class Editor(Vertical):
    DEFAULT_CSS = """
    Editor {
        height: auto;
        width: 1fr;
        & .editor-label { height: auto; }
        & Input { height: 1; border: none; background: $surface; }
        & TextArea { height: 3; border: none; padding: 0 1; background: $surface; }
        & OptionList { border: none; padding: 0; max-height: 12; background: $surface; }
        & Button { height: 1; min-width: 6; width: auto; border: none; margin: 0 1 0 0; padding: 0 1; }
        & Horizontal { height: auto; }
        & .editor-problem { height: auto; color: $error; display: none; }
        & .editor-problem.-open { display: block; }
        & .editor-problem.-doubt { color: $warning; }
        &.-line {
            & .editor-label { width: 22; height: 1; text-style: bold; }
            & Input { width: 1fr; padding: 0; }
            & .editor-problem { padding: 0 0 0 2; }
        }
        &.-block {
            padding: 0 0 0 1;
            & .editor-label { color: $text-muted; }
            & Input { margin: 0 0 0 1; }
            & Horizontal { height: 1; }
        }
        &.-choice {
            padding: 0 0 0 3;
            & .editor-label { color: $text-muted; }
        }
    }
    """

    @dataclass
    class Accepted(Message):
        """A checked value is to be taken; None = not sent."""

        editor: Editor
        value: object | None

    class Cancelled(Message):
        """The editor is to be closed without taking what stands in it."""

    class Resized(Message):
        """The editor has another size than before, so that a part of it may be out of sight."""

    def __init__(
        self, edit: Edit, *, new_line_keys: Set[str], takes_focus: bool, look_at_form: LookAtForm | None = None
    ) -> None:
        """Begin with what was typed before, else with what holds.

        `new_line_keys` begin a line where a text has several, besides Enter; with `takes_focus` keys are its own once
        it is there.
        """
        super().__init__(classes=f"-{edit.kind}")
        self.edit = edit
        self._new_line_keys = new_line_keys - {TAKE_KEY}
        self._takes_focus = takes_focus
        self._look_at_form = look_at_form if edit.about else None
        self._looking: Timer | None = None
        self._room = LEAST_LINES
        texts = edit.typed or edit.texts
        self._name_line: EditLine | None = _line(texts[0], "name") if len(texts) > 1 else None
        self._field = self._made_field(texts)
        self._problem = Static(markup=False, classes="editor-problem")

    def _made_field(self, texts: Texts) -> EditLine | ExactTextArea | OptionList:
        match self.edit.kind:
            case EditKind.LINE:
                return _line(texts[-1])
            case EditKind.BLOCK:
                return ExactTextArea(texts[-1])
            case EditKind.CHOICE:
                return OptionList(*[Option(content(words)) for _, words in self.edit.choices], compact=True)

    def compose(self) -> ComposeResult:
        label = content(self.edit.label)
        if self.edit.kind is EditKind.LINE:
            label = content(f"{CURSOR} ").stylize("$primary") + label
            yield Horizontal(Static(label, classes="editor-label"), self._field)
        else:
            yield from self._below(Static(label, classes="editor-label"))
        yield self._problem
        if self.edit.kind is EditKind.BLOCK:
            take, leave = (
                Button("Ctrl+O take", id="take", compact=True),
                Button("Escape leave", id="leave", compact=True),
            )
            yield Horizontal(take, leave)

    def _below(self, label: Static) -> Iterator[Widget]:
        if self.edit.label:
            yield label
        if self._name_line is not None:
            yield self._name_line
        yield self._field

    def on_mount(self) -> None:
        """A value that holds is selected, so that typing replaces it."""
        match self._field:
            case EditLine() if not self.is_changed:
                self._field.select_all()
            case ExactTextArea():
                self._field.move_cursor(self._field.document.end)
            case OptionList():
                values = [value for value, _ in self.edit.choices]
                self._field.highlighted = values.index(self.edit.chosen) if self.edit.chosen in values else 0
        self._say_what_is_wrong()
        if self._takes_focus and self.is_attached:
            self.begin()

    def begin(self) -> None:
        self.screen.set_focus(self._field)

    def hand_on(self, event: events.Key) -> None:
        self._field.post_message(events.Key(event.key, event.character))

    # -- what stands in it

    @property
    def typed(self) -> Texts:
        """What stands in it, exactly; () = it has choices only."""
        name = (self._name_line.value,) if self._name_line is not None else ()
        match self._field:
            case EditLine():
                return (*name, self._field.value)
            case ExactTextArea():
                return (*name, self._field.exact_text)
            case _:
                return ()

    @property
    def is_changed(self) -> bool:
        return self.typed != self.edit.texts

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _changed(self, event: Input.Changed | TextArea.Changed) -> None:
        event.stop()
        self._say_what_is_wrong()

    def _say_what_is_wrong(self) -> None:
        """With what stood there already nothing is wrong until it is to be taken."""
        if not self.typed:
            return
        problem = self._checked()[1] if self.is_changed else ""
        self._show_problem(problem, "" if problem else self.edit.doubt(self.typed[-1]))
        if self._looking is not None:
            self._looking.stop()
        if self._look_at_form is not None and not problem:
            self._looking = self.set_timer(LOOK_S, partial(self._begin_look, self._look_at_form))

    def _begin_look(self, look_at_form: LookAtForm) -> None:
        run_newest(self, partial(self._look, look_at_form), "form")

    async def _look(self, look_at_form: LookAtForm) -> None:
        """Say what is found, where the same still stands there."""
        typed, (value, problem) = self.typed, self._checked()
        words = "" if problem else await asyncio.to_thread(look_at_form, value)
        if words and typed == self.typed:
            self._show_problem("", words)

    def _show_problem(self, problem: str, doubt: str = "") -> None:
        words = problem or doubt
        self._problem.set_class(not problem, "-doubt")
        self._problem.set_class(bool(words), "-open")
        self._problem.update(content(words) if words else Content())

    def _checked(self) -> tuple[object | None, str]:
        try:
            return self.edit.check(*self.typed), ""
        except FieldError as error:
            return None, f"{ALERT} Found {error.found}, allowed {error.allowed}."
        except KimiError as error:
            return None, f"{ALERT} {error.summary}"

    # -- how it ends

    def _accept(self) -> None:
        if isinstance(self._field, OptionList):
            value, problem = self.edit.choices[self._field.highlighted or 0][0], ""
        else:
            value, problem = self._checked()
        if not problem:
            self.post_message(self.Accepted(self, value))
            return
        self._show_problem(problem)
        self.app.bell()

    def on_key(self, event: events.Key) -> None:
        """The field has done with all other keys what they do."""
        key = event.key
        begins_line = self.edit.kind is EditKind.BLOCK and key in self._new_line_keys
        if key in {TAKE_KEY, ENDINGS[self.edit.kind][0]}:
            self._accept()
        elif key == "escape":
            self.post_message(self.Cancelled())
        elif begins_line and isinstance(self._field, ExactTextArea) and self._field.has_focus:
            self._field.type_text("\n")
        elif self._name_line is not None and self._name_line.has_focus and (begins_line or key == "enter"):
            self.begin()
        else:
            return
        event.stop()
        event.prevent_default()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._accept()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "take":
            self._accept()
        else:
            self.post_message(self.Cancelled())

    # -- size

    def fit(self, rows: int) -> None:
        """Be as tall as there is room, where it has lines: so many rows, or what is needed at least."""
        self._room = rows
        if isinstance(self._field, ExactTextArea) and self.is_mounted:
            others = sum(
                child.outer_size.height for child in self.children if child is not self._field and child.display
            )
            self._field.styles.height = max(rows - others, LEAST_LINES)

    def on_resize(self) -> None:
        """Leave the text what the other parts do not need: they may have more or fewer lines than before."""
        self.fit(self._room)
        self.post_message(self.Resized())


def _line(text: str, placeholder: str = "") -> EditLine:
    return EditLine(text, placeholder=placeholder, select_on_focus=False, compact=True)
