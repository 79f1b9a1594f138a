"""Two messages of a session side by side, or in a narrow terminal one above the other, with a word diff."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Role
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import dotted
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.screens.above import Above, clickable
from kimi_tui.ui.screens.compare_choice import CompareChoice
from kimi_tui.ui.screens.compare_rows import CompareRows, Comparison, compared, rows_of
from kimi_tui.ui.screens.compare_side_view import MAX_SETTING_LINES, SideBody, SideView, head_lines
from kimi_tui.ui.state.compare_sides import CompareSide, CompareSource, settings_words
from kimi_tui.ui.state.running_replies import RunningReplies
from kimi_tui.ui.text.fit import first_fitting
from kimi_tui.ui.widgets.told_lines import Note

SIDE_BY_SIDE_COLUMNS = 100
"""From here on the two stand side by side."""
LOOK_S = 0.5
"""Time between two looks whether a reply that is compared has ended, in seconds."""
LEFT, RIGHT = "left", "right"
SCROLLING = {
    "up,k": "'line', -1", "down,j": "'line', 1", "pageup": "'page', -1", "pagedown,space": "'page', 1",
    "home,ctrl+home": "'all', -1", "end,ctrl+end": "'all', 1",
}  # fmt: skip
HINTS = (
    ("Esc back", "Esc", "cancel"), ("Enter go on with it", "Enter take", "pick"), ("Tab side", "Tab", "other_side"),
    ("n/N difference", "n/N", "difference(1)"), ("←→ alternative", "←→ alt", "step('', 1)"),
    ("o another", "o other", "choose"), ("r thinking", "r think", "other_part"),
)  # fmt: skip
"""What keys do, in long and in short, each with the action of a click on it."""
COARSE = "Too much alike to compare all of it word by word: large parts are marked as a whole."
GROWING = "A reply is still growing: this is what was there; it is compared again when it has ended."


@dataclass(frozen=True, slots=True)
class Wanted:
    left: CompareSide
    right: CompareSide
    part: ReplyPart
    cells: int
    """Of a row of text."""

    @property
    def texts(self) -> tuple[str, str]:
        return self.left.text(self.part), self.right.text(self.part)


class CompareScreen(Above[str]):
    """Its result is the key of the message to go on with."""

    DEFAULT_CSS = """
    CompareScreen {
        background: $background;
        & > #compare-title { height: 1; padding: 0 1; text-style: bold; color: $foreground; background: $background; }
        & > Note { max-height: 2; padding: 0 1; color: $warning; }
        & > #compare-sides { layout: vertical; height: 1fr; }
        & > #compare-hints { height: 1; padding: 0 1; color: $text-muted; link-color: $text-muted; link-style: none; }
        &.-wide > #compare-sides { layout: horizontal; }
        &.-wide #compare-right { border-left: solid $panel; }
    }
    """
    AUTO_FOCUS: ClassVar[str | None] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "cancel"),
        ("enter", "pick"),
        Binding("tab,shift+tab", "other_side", "Other side", priority=True),
        ("left", "step('', -1)"),
        ("right", "step('', 1)"),
        ("o,slash", "choose"),
        ("r", "other_part"),
        ("n", "difference(1)"),
        ("N,shift+n", "difference(-1)"),
        *((keys, f"scroll_rows({way})") for keys, way in SCROLLING.items()),
    ]

    def __init__(self, replies: RunningReplies, source: CompareSource, left: str, right: str) -> None:
        """Compare two messages of `source`, which is of `replies` as they were just now; the right one has the keys."""
        super().__init__()
        self._replies, self._source = replies, source
        self._sides = {LEFT: _there(source, left), RIGHT: _there(source, right)}
        self._part = ReplyPart.ANSWER if any(it.message.content for it in self._sides.values()) else ReplyPart.REASONING
        self._views = {LEFT: SideView(LEFT, "-"), RIGHT: SideView(RIGHT, "+")}
        self._focused = RIGHT
        self._wanted: Wanted | None = None
        self._shown: Wanted | None = None
        self._comparison: Comparison | None = None
        self._rows: CompareRows | None = None
        self._current: int | None = None  # which of the differences was gone to
        self._early_steps = 0  # differences to go on by once they are known
        self._is_comparing = False

    def compose(self) -> ComposeResult:
        yield Static(id="compare-title", markup=False)
        yield Note(id="compare-note")
        with Container(id="compare-sides"):
            yield from self._views.values()
        yield Static(id="compare-hints", markup=False)

    def on_mount(self) -> None:
        take_keys(self._views[self._focused].body)
        self.set_interval(LOOK_S, self._look)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= SIDE_BY_SIDE_COLUMNS, "-wide")
        self._show_title()

    @on(SideBody.Resized)
    def _resized(self) -> None:
        self._compare()

    @property
    def _bodies(self) -> Sequence[SideBody]:
        return [view.body for view in self._views.values()]

    # -- what is compared

    def _look(self) -> None:
        """A reply that has ended, or come anew, is compared as it is now."""
        if self._source.is_of(self._replies):
            return
        self._source = source = CompareSource.of(self._replies)
        before = dict(self._sides)
        for name, side in before.items():
            self._sides[name] = source.side(side.key) or replace(side, is_growing=False, is_gone=True)
        if before != self._sides:
            self._compare()

    def _compare(self) -> None:
        """Show what is told of both at once; their texts are compared in a thread, of several wishes the last."""
        if not all(body.size for body in self._bodies):
            return  # they have no place on screen yet, or none any more
        if self._rows is not None:
            self._fit_heights(self._rows)
        cells = min(body.row_cells for body in self._bodies)
        self._wanted = Wanted(self._sides[LEFT], self._sides[RIGHT], self._part, cells)
        self._show_heads()
        if self._wanted != self._shown and not self._is_comparing:
            self._is_comparing = True
            # Not a worker of this screen: keys wait for those of a screen above the conversation.
            self.app.run_worker(self._carry_out(), group="comparing", exit_on_error=False)

    async def _carry_out(self) -> None:
        try:
            while (wanted := self._wanted) is not None and wanted != self._shown and self.is_attached:
                await self._carry_out_one(wanted)
        except Exception:
            for body in self._bodies:
                body.show(None, "It could not be compared.")
            raise  # it is told in the conversation
        finally:
            self._is_comparing = False
            if self.is_attached:
                self._show_title()

    async def _carry_out_one(self, wanted: Wanted) -> None:
        shown, comparison, rows = self._shown, self._comparison, self._rows
        is_same = shown is not None and comparison is not None and shown.texts == wanted.texts
        if comparison is None or not is_same:
            for body in self._bodies:
                body.show(None, "comparing …")
            self._rows, self._current = None, None
            self._show_title()
            comparison = await asyncio.to_thread(compared, *wanted.texts)
        found = await asyncio.to_thread(rows_of, comparison, wanted.cells)
        if not self.is_attached:
            return
        self._shown, self._comparison, self._rows = wanted, comparison, found
        if self._wanted == wanted:
            row = round(self._views[LEFT].body.scroll_y)
            self._show_rows(found, rows.moved(min(row, rows.count - 1), found) if is_same and rows is not None else 0)

    # -- what is shown

    def _show_rows(self, rows: CompareRows, top: int) -> None:
        for body, side in zip(self._bodies, (rows.left, rows.right), strict=True):
            body.show(side)
            body.current = rows.differences[self._current][0] if self._current is not None else None
        self._fit_heights(rows)
        for body in self._bodies:
            body.scroll_to(y=top, animate=False)
        self._show_title()
        steps, self._early_steps = self._early_steps, 0
        for _ in range(abs(steps)):
            self.action_difference(1 if steps > 0 else -1)

    def _fit_heights(self, rows: CompareRows) -> None:
        """Both have the same last row at their top, though one may show more rows."""
        lowest = min(body.size.height for body in self._bodies)
        for body in self._bodies:
            body.set_height(rows.count + body.size.height - lowest)

    def _show_heads(self) -> None:
        left, right = self._sides[LEFT], self._sides[RIGHT]
        _, *own = settings_words(left, right, self._source.session.system)
        most = MAX_SETTING_LINES if self.has_class("-wide") else 1
        heads = [
            head_lines(self._sides[name], settings, self._views[name].size.width - 3, most)
            for name, settings in zip((LEFT, RIGHT), own, strict=True)
        ]
        height = max(map(len, heads))
        for name, head in zip((LEFT, RIGHT), heads, strict=True):
            lines = [*head, *[""] * (height - len(head))]
            self._views[name].head.show(self._sides[name], lines, is_focused=name == self._focused)
        self._show_title()

    def _show_title(self) -> None:
        left, right = self._sides[LEFT], self._sides[RIGHT]
        is_asked = left.message.role is Role.USER and right.message.role is Role.USER
        answers = "questions" if is_asked else "answers"
        what = answers if self._part is ReplyPart.ANSWER else "thinking"
        alike, *_ = settings_words(left, right, self._source.session.system)
        forms = [
            dotted(f"Compare {what}", words, settings) for settings in (alike, "") for words in self._difference_words()
        ]
        title = first_fitting(forms, self.size.width - 2)
        self.query_one("#compare-title", Static).update(Content(title))
        is_coarse = self._rows is not None and self._comparison is not None and self._comparison.diff.is_coarse
        notes = [COARSE] if is_coarse else []
        notes += [GROWING] if left.is_growing or right.is_growing else []
        self.query_one(Note).say(" ".join(notes))
        self._show_hints()

    def _difference_words(self) -> Sequence[str]:
        """The long form first."""
        if self._rows is None or self._comparison is None:
            return ["comparing …" if self._is_comparing else ""]
        diff, count = self._comparison.diff, len(self._rows.differences)
        if not count:
            return ["no difference" if self._comparison.left else "nothing on either side"]
        which = counted(count, "difference")
        if self._current is not None:
            which = f"difference {self._current + 1:,} of {count:,}"
        above, below = (LEFT, RIGHT) if self.has_class("-wide") else ("above", "below")
        alike = f"{counted(diff.equal_words, 'word')} equal"
        only = (
            f"{diff.left_words - diff.equal_words:,} only {above}, {diff.right_words - diff.equal_words:,} only {below}"
        )
        return [f"{which} · {alike}, {only}", f"{which} · {alike}", which]

    def _show_hints(self) -> None:
        rest = [("r answer", "r answer", "other_part")] if self._part is ReplyPart.REASONING else HINTS[-1:]
        hints = [*HINTS[:-1], *rest]
        is_short = len(dotted(*(long for long, *_ in hints))) > self.size.width - 2
        self.query_one("#compare-hints", Static).update(clickable((hint[is_short], hint[2]) for hint in hints))

    # -- keys

    @on(SideBody.Scrolled)
    def _scrolled(self, event: SideBody.Scrolled) -> None:
        """The other side goes along."""
        for body in self._bodies:
            if body is not event.body:
                body.scroll_to(y=event.row, animate=False)

    def on_descendant_focus(self) -> None:
        focused = next((name for name, view in self._views.items() if view.body is self.focused), self._focused)
        if focused != self._focused:
            self._focused = focused
            self._show_heads()

    def action_scroll_rows(self, step: str, sign: int) -> None:
        body = self._views[self._focused].body
        rows = {"line": 1, "page": max(body.size.height - 2, 1), "all": body.virtual_size.height}[step]
        body.scroll_relative(y=sign * rows, animate=False)

    def action_other_side(self) -> None:
        self._views[RIGHT if self._focused == LEFT else LEFT].body.focus()

    def action_other_part(self) -> None:
        self._part = ReplyPart.REASONING if self._part is ReplyPart.ANSWER else ReplyPart.ANSWER
        self._compare()

    def action_step(self, name: str, step: int) -> None:
        """Show the alternative so many steps behind the one of a side; "" = of the one with the keys.

        The one that the other side shows is passed over.
        """
        name = name or self._focused
        side = self._sides[name]
        if side.is_gone:
            return
        other = self._sides[RIGHT if name == LEFT else LEFT].key
        family = [key for key in self._source.family(side.key) if key == side.key or key != other]
        place = family.index(side.key) + step
        if 0 <= place < len(family):
            self._take(name, family[place])

    def action_choose(self) -> None:
        name = self._focused
        other, source = self._sides[RIGHT if name == LEFT else LEFT], self._source
        if other.is_gone:
            return

        def chosen(key: str | None) -> None:
            if key is not None:
                self._take(name, key)

        screen = CompareChoice("Compare with …", lambda: source.candidates(other.key), self._sides[name].key)
        self.app.push_screen(screen, chosen)

    def _take(self, name: str, key: str) -> None:
        side = self._source.side(key)
        if side is not None:
            self._sides[name] = side
            self._compare()

    def action_difference(self, step: int) -> None:
        """Go to the next difference, or the one before: the first time from what is in view."""
        rows = self._rows
        if rows is None:
            self._early_steps += step
        if rows is None or not rows.differences:
            return
        places = [row for _, row in rows.differences]
        top = round(self._views[LEFT].body.scroll_y)
        if self._current is not None:
            self._current = min(max(self._current + step, 0), len(places) - 1)
        else:
            behind = next((n for n, row in enumerate(places) if row >= top), len(places) - 1)
            self._current = behind if step > 0 else max(behind - 1, 0)
        number, row = rows.differences[self._current]
        for body in self._bodies:
            body.current = number
            body.refresh()
        height = min(body.size.height for body in self._bodies)
        if not top <= row < top + height:
            self._views[self._focused].body.scroll_to(y=max(row - height // 3, 0), animate=False)
        self._show_title()

    def action_pick(self) -> None:
        side = self._sides[self._focused]
        if not side.is_gone:
            self.dismiss(side.key)


def _there(source: CompareSource, key: str) -> CompareSide:
    side = source.side(key)
    assert side is not None, "the message was there when it was chosen"
    return side
