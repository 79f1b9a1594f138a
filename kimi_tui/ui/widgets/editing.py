"""What every place where text is typed does alike: steps by whole characters, and deletions that can be put in again.

The library's widgets step by code points, which takes emoji and accented letters apart, and forget what they delete.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input
from textual.widgets.input import Selection
from textual.widgets.text_area import Edit, EditResult, Location

from kimi_tui.core.settings.keymap import DEFAULT_KEYS, Keys
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.keys.key_lookup import character_of
from kimi_tui.ui.terminal.terminal_input import Paste
from kimi_tui.ui.widgets import graphemes
from kimi_tui.ui.widgets.long_text import LongTextArea
from kimi_tui.ui.widgets.placeholders import Placeholders

Acts = Mapping[str, Callable[[], None]]


@dataclass(slots=True)
class Kills:
    """What was deleted by words and lines, to be put in again wherever text is typed."""

    text: str = ""
    """What was deleted last; deletions that follow each other are one text."""

    def take(self, text: str, *, is_before: bool, follows: bool) -> None:
        """Keep a text that was deleted.

        `is_before`: it stood before the cursor. `follows`: the one before was deleted at the same place, with nothing
        done since.
        """
        before, after = (text, self.text) if is_before else (self.text, text)
        self.text = before + after if follows else text


class Editing:
    """The keys that the library's editors do not have."""

    @dataclass
    class Opened(Message):
        """An editor is there; whoever has others hands it their `kills`."""

        editor: Editing

    edit_keys: Keys = DEFAULT_KEYS
    kills: Kills
    _is_changing = False
    """Whether the text is being changed: the cursor then goes where that ends, though a character may go on there."""

    @property
    @abstractmethod
    def edit_actions(self) -> Acts:
        """What does its actions, by their ids."""

    @property
    @abstractmethod
    def own_keys(self) -> Acts:
        """What other keys do that it takes, such as those that many terminals send for Alt+Left and Alt+Right."""

    @cached_property
    def _acts(self) -> Acts:
        """What the keys do that it takes in the order typed, together with the letters.

        The library would do a priority binding before letters that are still on their way.
        """
        actions = {key: act for id_, act in self.edit_actions.items() for key in self.edit_keys[id_]}
        return {**self.own_keys, **actions}

    async def on_key(self, event: events.Key) -> None:
        """The library would type the letter of a key with Alt."""
        if (act := self._acts.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            act()
        elif event.character is not None and not event.is_printable and character_of(event):
            # The library types only what is printable, which many blanks and the joiners of emoji are not.
            event.stop()
            event.prevent_default()
            self.type_text(event.character)
        elif event.key.startswith("alt+"):
            event.prevent_default()  # whoever has an action for it may take it

    @abstractmethod
    def type_text(self, text: str) -> None:
        """Type a text in the place of what is selected."""


class EditArea(Editing, LongTextArea):
    _killed_at: Location | None = None
    """Where the cursor is since something was killed and nothing else done; None = something else was."""

    _known: tuple[str, str] | None = None
    """The text, and the exact one that it stands for."""

    @property
    def edit_actions(self) -> Acts:
        return {
            "delete-word": self.action_delete_word_right,
            "yank": self.action_yank,
            "undo-edit": self.action_undo,
            "redo-edit": self.action_redo,
        }

    @property
    def own_keys(self) -> Acts:
        return {"alt+b": self.action_cursor_word_left, "alt+f": self.action_cursor_word_right}

    @cached_property
    def placeholders(self) -> Placeholders:
        return Placeholders()

    def on_mount(self) -> None:
        self.kills = Kills()
        self.post_message(self.Opened(self))

    def held(self, text: str) -> str:
        """What stands for a text in this widget."""
        return self.placeholders.put_into(text)

    def exact(self, text: str) -> str:
        return self.placeholders.take_out_of(text)

    @property
    def exact_text(self) -> str:
        text = self.text
        if self._known is None or self._known[0] is not text:
            self._known = text, self.exact(text)
        return self._known[1]

    @dataclass
    class Pasted(Message):
        """A text was pasted."""

        told: str
        """What became of it; "" = it stands there as it came."""

    async def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text, told = self.pasted(event.text, event.exact if isinstance(event, Paste) else event.text)
        self.type_text(text)
        self.post_message(self.Pasted(told))

    def pasted(self, text: str, exact: str) -> tuple[str, str]:
        """What is inserted of a paste, and what is told of it; terminals send its line ends as CR."""
        left_out = len(exact) - len(text)
        told = f"{counted(left_out, 'control character')} left out of the paste." if left_out else ""
        return text.replace("\r\n", "\n").replace("\r", "\n"), told

    @property
    def selected_text(self) -> str:
        return self.exact(super().selected_text)

    def type_text(self, text: str) -> None:
        self._replace_via_keyboard(self.held(text), *self.selection)

    # -- whole characters

    def clamp_visitable(self, location: Location) -> Location:
        """Keep the cursor out of characters: whatever moves it asks here."""
        row, column = super().clamp_visitable(location)
        return row, column if self._is_changing else graphemes.snapped(self.document[row], column)

    def get_cursor_left_location(self) -> Location:
        """One character to the left; from a line's beginning, the end of the line above."""
        row, column = self.cursor_location
        return (
            (row, graphemes.start_before(self.document[row], column)) if column else super().get_cursor_left_location()
        )

    def get_cursor_right_location(self) -> Location:
        """One character to the right; from a line's end, the beginning of the line below."""
        row, column = self.cursor_location
        line = self.document[row]
        return (row, graphemes.end_after(line, column)) if column < len(line) else super().get_cursor_right_location()

    def get_cursor_word_left_location(self) -> Location:
        """Where the word before the cursor begins; from a line's beginning, the end of the line above."""
        row, column = self.cursor_location
        word = graphemes.word_start_before
        return (row, word(self.document[row], column)) if column else super().get_cursor_left_location()

    def get_cursor_word_right_location(self) -> Location:
        """Where the word behind the cursor ends; from a line's end, the beginning of the line below."""
        row, column = self.cursor_location
        line = self.document[row]
        word = graphemes.word_end_after
        return (row, word(line, column)) if column < len(line) else super().get_cursor_right_location()

    # -- what can be undone

    def edit(self, edit: Edit) -> EditResult:
        if edit.to_location[0] >= self.document.line_count:  # to cut the last line, the library names the next
            edit.to_location = self.document.end
        self._killed_at, self._is_changing = None, True
        try:
            return super().edit(edit)
        finally:
            self._is_changing = False

    def undo(self) -> None:
        """Take the last step back; what is done then is a step of its own, not a part of the one before."""
        self._killed_at = None
        super().undo()
        self.history.checkpoint()

    def redo(self) -> None:
        self._killed_at = None
        super().redo()

    def put(self, text: str) -> None:
        """Put another text in the place of all of it, as a step that undo takes back."""
        self.change(self.held(text), self.document.start, self.document.end)

    def change(self, text: str, start: Location, end: Location) -> None:
        """Put a text in the place of another, as a step of its own; the cursor goes behind it."""
        self.history.checkpoint()
        self.replace(text, start, end, maintain_selection_offset=False)
        self.history.checkpoint()

    # -- what is deleted and put in again

    def _kill(self, target: Location) -> None:
        """Delete what is selected, else what stands between the cursor and a place."""
        cursor = self.cursor_location
        target = self.clamp_visitable(target)  # a line may be wrapped inside a character
        start, end = sorted((cursor, target) if self.selection.is_empty else self.selection)
        killed = self.exact(self.get_text_range(start, end))
        if not killed or self.read_only:
            return
        follows = self._killed_at == cursor
        self.change("", start, end)
        self.kills.take(killed, is_before=end == cursor, follows=follows)
        self._killed_at = self.cursor_location

    def action_delete_to_start_of_line(self) -> None:
        """Kill what stands before the cursor in its line; at the beginning of one, the line end before."""
        start = self.get_cursor_line_start_location()
        self._kill(start if start != self.cursor_location else self.get_cursor_left_location())

    async def action_delete_to_end_of_line_or_delete_line(self) -> None:
        """Kill what stands behind the cursor in its line; at the end of one, the line end."""
        end = self.get_cursor_line_end_location()
        self._kill(end if end != self.cursor_location else self.get_cursor_right_location())

    def action_delete_word_left(self) -> None:
        self._kill(self.get_cursor_word_left_location())

    def action_delete_word_right(self) -> None:
        self._kill(self.get_cursor_word_right_location())

    def action_yank(self) -> None:
        if (text := self.held(self.kills.text)) and not self.read_only:
            self.change(text, *self.selection)


class EditLine(Editing, Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+backspace,alt+backspace", "delete_left_word"),  # the library deletes to the right
        ("alt+delete", "delete_right_word"),
    ]
    _killed_at: int | None = None

    @property
    def edit_actions(self) -> Acts:
        return {"delete-word": self.action_delete_right_word, "yank": self.action_yank}

    @property
    def own_keys(self) -> Acts:
        return {"alt+b": self.action_cursor_left_word, "alt+f": self.action_cursor_right_word}

    def on_mount(self) -> None:
        self.kills = Kills()
        self.post_message(self.Opened(self))

    def type_text(self, text: str) -> None:
        self.replace(text, *self.selection)

    # -- whole characters

    def validate_selection(self, selection: Selection) -> Selection:
        """Keep the cursor out of characters: whatever moves it comes by here."""
        start, end = super().validate_selection(selection)
        if self._is_changing:
            return Selection(start, end)
        return Selection(graphemes.snapped(self.value, start), graphemes.snapped(self.value, end))

    def _move(self, target: int, *, select: bool) -> None:
        self.selection = Selection(self.selection.start if select else target, target)

    def action_cursor_left(self, select: bool = False) -> None:
        is_step = select or self.selection.is_empty
        target = graphemes.start_before(self.value, self.cursor_position) if is_step else min(self.selection)
        self._move(target, select=select)

    def action_cursor_right(self, select: bool = False) -> None:
        is_step = select or self.selection.is_empty
        target = graphemes.end_after(self.value, self.cursor_position) if is_step else max(self.selection)
        self._move(target, select=select)

    def action_cursor_left_word(self, select: bool = False) -> None:
        self._move(graphemes.word_start_before(self.value, self.cursor_position), select=select)

    def action_cursor_right_word(self, select: bool = False) -> None:
        self._move(graphemes.word_end_after(self.value, self.cursor_position), select=select)

    def action_delete_left(self) -> None:
        self._delete(graphemes.start_before(self.value, self.cursor_position))

    def action_delete_right(self) -> None:
        self._delete(graphemes.end_after(self.value, self.cursor_position))

    def _delete(self, target: int) -> None:
        self.delete(*((self.cursor_position, target) if self.selection.is_empty else self.selection))

    # -- what is deleted and put in again

    def replace(self, text: str, start: int, end: int) -> None:
        self._killed_at, self._is_changing = None, True
        try:
            super().replace(text, start, end)
        finally:
            self._is_changing = False

    def _kill(self, target: int) -> None:
        cursor = self.cursor_position
        start, end = sorted((cursor, target) if self.selection.is_empty else self.selection)
        follows = self._killed_at == cursor
        if start < end:
            self.kills.take(self.value[start:end], is_before=end == cursor, follows=follows)
            self.delete(start, end)
            self._killed_at = self.cursor_position

    def action_delete_left_word(self) -> None:
        self._kill(graphemes.word_start_before(self.value, self.cursor_position))

    def action_delete_right_word(self) -> None:
        self._kill(graphemes.word_end_after(self.value, self.cursor_position))

    def action_delete_left_all(self) -> None:
        self._kill(0)

    def action_delete_right_all(self) -> None:
        self._kill(len(self.value))

    def action_yank(self) -> None:
        """Put what was killed in again, in the place of what is selected; its lines become one."""
        if text := " ".join(self.kills.text.splitlines()):
            self.type_text(text)
