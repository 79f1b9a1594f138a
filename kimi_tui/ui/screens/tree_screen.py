"""The tree view: every branch of a session, folded where nothing branches; to go to, name, prune, and go on from.

What is done to the session is others' business: the view asks for it, and shows what there is then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree_outline import MessageTree, Outline, OutlineRow
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import SEPARATOR, packed
from kimi_tui.ui.keys.key_lookup import character_of
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.screens.tree_rows import TreeRows
from kimi_tui.ui.state.branch import Growing
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.tree_words import headline
from kimi_tui.ui.text.safe_text import content
from kimi_tui.ui.widgets.filtered_rows import FilteredRows

LOOK_S = 0.25
"""Time between two looks whether the session is another one now: a reply has ended, or others changed its file."""
SEARCHED_AT_ONCE = 500
"""Messages that are searched before the next key is looked at."""
READING, NO_MATCH = "Reading the branches …", "Nothing fits."
NOTHING = "No message is left; u brings back what was deleted."
FRAME_CELLS = 4
"""What the edges and the blanks beside them take of a line."""
FILTER = "filter: words of a message or of a name"
HINTS = "Enter show · ← → fold · g go on · n name · d delete · u undo · b new session · / filter · Escape leaves"
FILTER_HINTS = "Enter show · Up Down move · Escape clears"
NAME_HINTS = "Enter names the branch, an empty name takes it back · Escape leaves it"


class TreeActs(Protocol):
    """What is asked of the session. Each raises KimiError where it cannot be done; then nothing has changed."""

    def state(self) -> tuple[Session, tuple[Growing, ...]]:
        """The session, and which replies are being written."""

    def with_growing(self) -> Session:
        """The session with these among its messages."""

    def jump(self, message_id: str) -> None:
        """Show the branch that a message is on, and the message; the view is left then."""

    def go_on(self, message_id: str) -> None:
        """Let what is typed go on from a message; the view is left then."""

    def branch(self, message_id: str) -> None:
        """Go on in a session of its own that ends with a message; the view is left then."""

    def name_before(self, message_id: str) -> tuple[str, str]:
        """The id of the message where its branch begins, and what that is called."""

    def name(self, message_id: str, name: str) -> str:
        """Name the branch of a message; what is told of it is given."""

    def prune(self, message_id: str) -> str:
        """Delete a message and everything below it; what is told of it is given."""

    def undo(self) -> tuple[str, str]:
        """Take the last deletion or name back; what is told of it, and the id of the message."""


class TreeScreen(Above[None]):
    DEFAULT_CSS = """
    TreeScreen {
        background: $background;
        & > FilteredRows { width: 100%; height: 100%; border: round $primary; }
        & Note { max-height: 4; }
        & #tree-hints { height: auto; padding: 0 1; color: $text-muted; }
    }
    """

    def __init__(
        self, acts: TreeActs, chosen: str | None, now: datetime, to_local: Callable[[datetime], datetime]
    ) -> None:
        """`chosen` = the message to begin at, None = the head; `to_local` gives a time in the zone of the user."""
        super().__init__()
        self._acts, self._chosen = acts, chosen
        self._folds: dict[str, bool] = {}
        self._outline: Outline | None = None
        self._hits: list[OutlineRow] | None = None  # None = nothing is looked for
        self._state: tuple[Session, tuple[Growing, ...]] | None = None
        self._rows = TreeRows(now, to_local, id="tree-rows")
        self._rows.note = READING
        self._hints = Static(id="tree-hints", markup=False)
        self._panel = FilteredRows(self._rows, FILTER, self._hints, name_words="a name for this branch")
        self._panel.border_title = "Branches"
        self._filter, self._editor, self._say = self._panel.filter, self._panel.editor, self._panel.say

    def compose(self) -> ComposeResult:
        yield self._panel

    def on_mount(self) -> None:
        self.set_focus(self._rows)
        self._show_hints()
        self._load(self._chosen)
        self.set_interval(LOOK_S, self._look)

    # -- content

    def _look(self) -> None:
        if self._state is None:
            return
        (session, growing), known = self._acts.state(), self._state
        if session is not known[0] or growing != known[1]:
            self._load(self.cursor_id)

    def _load(self, message_id: str | None) -> None:
        """Show what there is now, with the cursor on a message; None = on the head."""
        self.run_newest(self._read, message_id)

    async def _read(self, message_id: str | None) -> None:
        self._state = self._acts.state()
        tree = await asyncio.to_thread(MessageTree, self._acts.with_growing())
        outline = await asyncio.to_thread(Outline, tree, self._folds)
        place = tree.head if message_id is None else tree.place_of.get(message_id)
        self._panel.border_title = f"Branches · {headline(tree)}"
        self._rows.note = NOTHING
        if self._hits is not None:
            await self._search(outline, self._filter.value, message_id)
        else:
            number = self._rows.cursor if place is None or place < 0 else outline.reveal(place)
            self._show_outline(outline, number)

    def _show_outline(self, outline: Outline, number: int) -> None:
        self._outline, self._hits = outline, None
        self._show_rows(outline, outline.rows, number)

    def _show_rows(self, outline: Outline, rows: list[OutlineRow], number: int) -> None:
        growing = frozenset(it.id for it in self._state[1]) if self._state is not None else frozenset[str]()
        self._rows.set_rows(outline.tree, rows, number, growing)

    async def _search(self, outline: Outline, query: str, message_id: str | None) -> None:
        """Show the messages that fit, each a row, in the order of the tree; the cursor stays on one that does."""
        tree, found = outline.tree, list[int]()
        left = iter(tree.order)
        while some := list(islice(left, SEARCHED_AT_ONCE)):
            found += await asyncio.to_thread(tree.matching, query, some)
        self._outline, self._hits = outline, [OutlineRow(place, 0, has_head=place == tree.head) for place in found]
        place = None if message_id is None else tree.place_of.get(message_id)
        number = found.index(place) if place in found else 0
        self._rows.note = NO_MATCH
        self._show_rows(outline, self._hits, number)
        self._say(f"{counted(len(found), 'message')} found")

    @property
    def cursor_id(self) -> str | None:
        """The (first) message of the row with the cursor; None = there is none."""
        row = self._rows.cursor_row
        return None if row is None or self._outline is None else self._outline.tree.messages[row.place].id

    @property
    def _last_id(self) -> str | None:
        row, outline = self._rows.cursor_row, self._outline
        return None if row is None or outline is None else outline.tree.messages[outline.last_of(row)].id

    def _show_hints(self) -> None:
        focused = self.focused
        hints = NAME_HINTS if focused is self._editor else FILTER_HINTS if focused is self._filter else HINTS
        lines = packed(hints.split(SEPARATOR), self.size.width - FRAME_CELLS)
        self._hints.update(content("\n".join(lines)))

    on_resize = on_descendant_focus = _show_hints

    # -- keys

    def on_key(self, event: events.Key) -> None:
        act = self._act_of(event)
        if act is not None and self.is_active:
            event.stop()
            event.prevent_default()
            self._do(act)

    def _act_of(self, event: events.Key) -> Callable[[], object] | None:
        if event.key == "escape":
            return self._go_back
        if self.focused is self._editor:
            return self._take_name if event.key == "enter" else None
        if self.focused is self._filter:
            return self._jump if event.key == "enter" else self._rows.key_move(event.key, is_typing=True)
        branch = partial(self._leave_by, self._acts.branch, self._last_id)
        letters: dict[str, Callable[[], object]] = {
            "g": partial(self._leave_by, self._acts.go_on, self._last_id), "n": self._edit_name, "d": self._prune,
            "u": self._undo, "b": branch, "B": branch, "/": partial(self.set_focus, self._filter), "q": self._go_back,
        }  # fmt: skip
        keys = {"enter": self._jump, "left": self._fold, "right": self._unfold, "space": self._toggle}
        found = letters.get(character_of(event)) or keys.get(event.key)
        return found or self._rows.key_move(event.key, is_typing=False)

    def _do(self, act: Callable[[], object]) -> None:
        self._say("")
        try:
            act()
        except KimiError as error:
            self._say(error_text(error))
        if self.is_active:
            self._show_hints()

    def _go_back(self) -> None:
        """One step: the name that is typed, the filter, the view."""
        if self.focused is self._editor:
            self.set_focus(self._rows)
        elif self._filter.value or self.focused is self._filter:
            self._filter.value = ""
            self.set_focus(self._rows)
        else:
            self.cancel()

    # -- folding

    def _fold(self) -> None:
        """Where there is nothing to fold, go to the row above that would fold this one."""
        if self._hits is not None or self._outline is None or self._rows.cursor_row is None:
            return
        number = self._rows.cursor
        if self._outline.fold(number):
            self._rows.rows_changed()
        elif (above := self._outline.above(number)) is not None:
            self._rows.go_to(above)

    def _unfold(self) -> None:
        """Where it is open already, go to the first row in it."""
        if self._hits is not None or self._outline is None or self._rows.cursor_row is None:
            return
        number, row = self._rows.cursor, self._rows.cursor_row
        if self._outline.unfold(number):
            self._rows.rows_changed()
        elif row.is_folded is False:
            self._rows.go_to(number + 1)

    def _toggle(self) -> None:
        row = self._rows.cursor_row
        if row is not None and row.is_folded is not None:
            (self._unfold if row.is_folded else self._fold)()

    # -- what is done to the session

    def _jump(self) -> None:
        self._leave_by(self._acts.jump, self.cursor_id)

    def _leave_by(self, act: Callable[[str], None], message_id: str | None) -> None:
        if message_id is not None:
            act(message_id)
            self.dismiss()

    def _prune(self) -> None:
        if (message_id := self.cursor_id) is not None:
            self._say(self._acts.prune(message_id))
            self._load(message_id)

    def _undo(self) -> None:
        words, message_id = self._acts.undo()
        self._say(words)
        self._load(message_id)

    # -- the name

    def _edit_name(self) -> None:
        """It is typed where the branch begins."""
        message_id, outline = self.cursor_id, self._outline
        if message_id is None or outline is None:
            return
        start, name = self._acts.name_before(message_id)
        place = outline.tree.place_of.get(start)
        if self._hits is None and place is not None:
            number = outline.reveal(place)
            self._show_rows(outline, outline.rows, number)
        self._editor.open(message_id, name)

    def _take_name(self) -> None:
        message_id, name, at = self._editor.about, self._editor.value, self.cursor_id
        self.set_focus(self._rows)
        self._say(self._acts.name(message_id, name))
        self._load(at)

    # -- the filter

    @on(Input.Changed)
    def _on_filter_changed(self, event: Input.Changed) -> None:
        if event.value.strip() and self._outline is not None:
            self.run_newest(self._search, self._outline, event.value, self.cursor_id)
        elif self._hits is not None:
            self._end_search()

    def _end_search(self) -> None:
        """The message that had the cursor keeps it."""
        self._say("")
        row, outline = self._rows.cursor_row, self._outline
        if outline is not None:
            place = outline.tree.head if row is None else row.place
            self._rows.note = NOTHING
            self._show_outline(outline, outline.reveal(place, opens_run=row is not None) if place >= 0 else 0)

    # -- what happens to the parts

    @on(TreeRows.MarkClicked)
    def _on_mark_clicked(self) -> None:
        if self.is_active:
            self._do(self._toggle)

    @on(TreeRows.Chosen)
    def _on_chosen(self) -> None:
        if self.is_active:
            self._do(self._jump)
