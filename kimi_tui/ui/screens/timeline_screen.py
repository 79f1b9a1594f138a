"""The timeline of a reply, drawn anew while it runs: what each request was doing on one scale, the rate, the figures.

Every sign has one of its own among the stand-ins of terminals that have ASCII alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from kimi_tui.core.session.endings import STATES_IN_SHORT
from kimi_tui.core.session.session import MessageState
from kimi_tui.core.session.timeline import Doing, Lane, Stall, Timeline
from kimi_tui.core.text.dotted import dotted
from kimi_tui.ui.screens.above import Above
from kimi_tui.ui.text.words import count, seconds

LOOK_S = 0.25
"""Time between two drawings while it runs."""
BESIDE_CELLS = 5
"""What edge, padding and scroll bar take."""
PLOT_ROWS, FEW_PLOT_ROWS, FEW_ROWS = 6, 3, 30
Span = tuple[str, str]
"""A text and its style, in the library's words; "" = as the others."""
Line = Sequence[Span]
LABEL_CELLS = 11
MOST_STALLS = 6
"""More of them are counted, not listed."""
SIGNS = {
    Doing.TRYING: (".", "$text-muted", "tried again"),
    Doing.WAITING: ("─", "$text-muted", "waiting"),
    Doing.THINKING: ("░", "$secondary", "thinking"),
    Doing.ANSWERING: ("█", "$accent", "answering"),
}
STALLED = ("▲", "$text-warning", "stalled")
LEVELS = " ▁▂▃▄▅▆▇█"
NO_RATE = (
    "How fast it came is not kept in the session file, nor are waits between attempts: these are its marks alone. "
    "/record next FILE keeps a reply's stream, which `kimi-tui replay FILE` shows again."
)
NO_EARLIER_RATE = "How fast the first requests came is not known: they were sent before this start."
WHOLE = frozenset({MessageState.COMPLETE, MessageState.QUEUED})
ONE_PIECE = "It came in one piece, not token by token: there is no rate."
NOTHING_SENT = "No request has been sent for this reply yet."


class TimelineScreen(Above[None]):
    DEFAULT_CSS = """
    TimelineScreen {
        & VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & VerticalScroll > Static { width: 100%; height: auto; color: $foreground; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q", "cancel")]

    def __init__(self, look: Callable[[], Timeline], is_running: Callable[[], bool]) -> None:
        """`look` gives the timeline as it is at the moment."""
        super().__init__()
        self._look, self._is_running = look, is_running
        self._text = Static(markup=False)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as box:
            box.border_title = "Timeline"
            box.border_subtitle = "Up, Down scroll · Escape closes"
            with VerticalScroll():
                yield self._text

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._timer = self.set_interval(LOOK_S, self._draw)
        self._draw()

    def _draw(self) -> None:
        if self._timer is not None and not self._is_running():
            self._timer.stop()
        line = self._look()
        rows = FEW_PLOT_ROWS if self.app.size.height < FEW_ROWS else PLOT_ROWS
        width = max(self.app.size.width - BESIDE_CELLS, 1)
        lines = [Content.assemble(*spans) for spans in timeline_lines(line, width, rows)]
        self._text.update(Content("\n").join(lines))

    on_resize = _draw


def timeline_lines(line: Timeline, width: int, plot_rows: int) -> Iterator[Line]:
    """`width` in cells; what is longer than that breaks where it is shown."""
    cells = max(width - LABEL_CELLS, 8)
    if not line.lanes:
        yield [(NOTHING_SENT, "")]
        return
    yield [(" " * LABEL_CELLS, ""), (_axis(line.total_s, cells), "$text-muted")]
    for number, lane in enumerate(line.lanes, 1):
        yield [(f"{number} {lane.kind}"[: LABEL_CELLS - 1].ljust(LABEL_CELLS), ""), *_bar(lane, line.total_s, cells)]
    if line.has_rate:
        yield []
        yield from _plot(line, cells, plot_rows)
    yield _stall_marks(line, cells)
    yield list(_legend(line))
    yield []
    for number, lane in enumerate(line.lanes, 1):
        yield [(f"{number} {lane.kind}: ", "bold"), (dotted(*_figures(lane)), "")]
    if stalls := line.stalls:
        yield [("Stalled: ", "bold"), (_stall_words(stalls), "")]
    if note := _note(line):
        yield [(note, "$text-muted")]


def _note(line: Timeline) -> str:
    """Why there is no rate, or none of the first requests; "" = there is one, or may come."""
    if not line.has_all_rates:
        return NO_EARLIER_RATE if line.has_rate else NO_RATE
    is_over = not any(lane.is_running for lane in line.lanes)
    return ONE_PIECE if is_over and not line.has_rate and line.lanes[-1].state in WHOLE else ""


def _axis(total_s: float, cells: int) -> str:
    """Its ends and, where there is room, its middle."""
    left, middle, right = "0 s", seconds(total_s / 2), seconds(total_s)
    axis = [" "] * cells
    places = [(0, left), (cells - len(right), right)]
    if cells >= 3 * (len(middle) + 4):
        places.append((cells // 2, f"╵{middle}"))
    for start, words in places:
        axis[max(start, 0) : start + len(words)] = words
    return "".join(axis)[:cells]


def _bar(lane: Lane, total_s: float, cells: int) -> Iterator[Span]:
    width_s = total_s / cells
    for doing, group in groupby(lane.doing((cell + 0.5) * width_s) for cell in range(cells)):
        sign, style, _ = (" ", "", "") if doing is None else SIGNS[doing]
        yield sign * len(list(group)), style


def _plot(line: Timeline, cells: int, rows: int) -> Iterator[Line]:
    rates = line.rates(cells)
    most = max(rates)
    steps = len(LEVELS) - 1
    heights = [round(rate / most * rows * steps) if most else 0 for rate in rates]
    heights = [max(height, 1) if rate else 0 for height, rate in zip(heights, rates, strict=True)]
    for row in range(rows - 1, -1, -1):
        label = f"{most:.0f} tok/s" if row == rows - 1 else "0" if not row else ""
        plot = "".join(LEVELS[min(max(height - row * steps, 0), steps)] for height in heights)
        yield [(f"{label:>{LABEL_CELLS - 1}} ", "$text-muted"), (plot, "$primary")]


def _stall_marks(line: Timeline, cells: int) -> Line:
    """Each at its place with its length, where there is room for that."""
    marks = [" "] * cells
    end = 0
    for stall in line.stalls:
        start = min(int(stall.start_s / line.total_s * cells), cells - 1) if line.total_s else 0
        words = f"{STALLED[0]}{stall.length_s:.1f} s"
        if start >= end and start + len(words) <= cells:
            marks[start : start + len(words)] = words
            end = start + len(words) + 1
        elif marks[start] == " ":
            marks[start] = STALLED[0]
            end = start + 1
    return [(" " * LABEL_CELLS, ""), ("".join(marks), STALLED[1])]


def _legend(line: Timeline) -> Iterator[Span]:
    """Of what there is."""
    has_stalls = bool(line.stalls)
    shown = [sign for doing, sign in SIGNS.items() if any(_ever(lane, doing) for lane in line.lanes)]
    for sign, style, words in [*shown, *([STALLED] if has_stalls else [])]:
        yield (sign, style)
        yield (f" {words}   ", "$text-muted")


def _ever(lane: Lane, doing: Doing) -> bool:
    moments = [lane.begin_s, lane.sent_s, lane.first_token_s, lane.thinking_end_s]
    return any(lane.doing(moment) is doing for moment in moments if moment is not None)


def _figures(lane: Lane) -> Iterator[str]:
    if not lane.is_timed:
        yield "when is not known"
        return
    for number, attempt in enumerate(lane.attempts, 1):
        yield f"attempt {number} failed after {seconds(attempt.failed_s - attempt.sent_s)}"
    yield f"sent {_at(lane.sent_s)}"
    yield "no token" if lane.first_token_s is None else f"first token {_at(lane.first_token_s)}"
    if lane.is_running:
        yield "thinking" if lane.is_thinking else "running"
    if lane.thinking_end_s is not None:
        yield f"end of thinking {_at(lane.thinking_end_s)}"
    if not lane.is_running:
        state = STATES_IN_SHORT.get(lane.state or MessageState.COMPLETE, "end")
        yield f"{state} {_at(lane.end_s)}"
    if lane.tokens:
        yield f"{'~' if lane.is_estimated else ''}{count(lane.tokens)} tok"
    if (rate := lane.tokens_per_s) is not None:
        yield f"{'~' if lane.is_estimated else ''}{rate:.0f} tok/s"


def _at(moment_s: float) -> str:
    return f"{moment_s:.2f} s" if moment_s < 10 else seconds(moment_s)


def _stall_words(stalls: Sequence[Stall]) -> str:
    listed = ", ".join(
        f"{seconds(it.length_s)} at {_at(it.start_s)} ({SIGNS[it.doing][2]})" for it in stalls[:MOST_STALLS]
    )
    if len(stalls) == 1:
        return listed
    more = f", and {len(stalls) - MOST_STALLS} more" if len(stalls) > MOST_STALLS else ""
    total_s = sum(it.length_s for it in stalls)
    return f"{len(stalls)} times, {seconds(total_s)} together: {listed}{more}"
