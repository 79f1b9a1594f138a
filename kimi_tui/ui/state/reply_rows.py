"""The replies to one question as rows of a table: what each was asked with, how it goes or went, what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kimi_tui.core.prompt.reply_figures import figures_of
from kimi_tui.core.session.differing_fields import setting_words
from kimi_tui.core.session.endings import STATES_IN_SHORT, reason_in_short
from kimi_tui.core.session.session import Message, MessageState, Role
from kimi_tui.core.session.tree import is_later
from kimi_tui.core.settings.reply_batch import Member
from kimi_tui.core.text.cells import cells_of, cut
from kimi_tui.core.text.visible import one_line
from kimi_tui.ui.state.branch import Branch
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.state.live_turn import LiveTurn
from kimi_tui.ui.state.running_replies import RunningReplies
from kimi_tui.ui.text import words

NOTHING_KNOWN = "–"
TEXT_CELLS = 24
"""Most cells of a setting, or of a state, before figures are left out for it."""
BRIEF_CELLS = 52
"""What the brief table takes at most: it fits into the conversation at 60 columns."""
GAP = 2
"""Blanks between two columns."""


@dataclass(frozen=True, slots=True)
class ReplyRow:
    key: str
    """The reply's id; of one that has not begun, none that a message has."""
    state: str
    place: int = 0
    """From 1."""
    setting: str = ""
    """What its request says that those of the others do not; "" = nothing."""
    is_running: bool = False
    waits_at: int | None = None
    """Its place in its batch, where it begins when another one has ended; None = it does not wait."""
    is_there: bool = True
    """Whether it has text, or may still have."""
    is_shown: bool = False
    """Whether the conversation shows it."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    thinking_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    rate: float | None = None
    """Tokens per second."""
    cost_usd: float | None = None
    is_estimated: bool = False
    """Whether its tokens, rate and cost are estimates."""
    reason: str = ""
    """Why the endpoint ended it, in its own word."""
    source: LiveTurn | Message | None = None
    """What is made of its text; None = it has none."""


def reply_rows(branch: Branch, replies: RunningReplies, question_id: str, now_s: float) -> list[ReplyRow]:
    """Every reply to a question in the order of their beginning, then those that wait; `now_s` on the clock's scale."""
    messages = {it.id: it for it in branch.session.messages if it.parent == question_id and it.role is Role.ASSISTANT}
    lives = {it.live.key: it.live for it in replies.running if it.turn.reply.question_id == question_id}
    members = replies.batch.members if replies.batch.question_id == question_id else ()
    family = [key for key in branch.families.get(question_id, {**messages, **lives}) if key in messages or key in lives]
    shown_live = replies.shown_live
    on_branch = {message.id for message in branch.messages} if shown_live is None else {shown_live.key}
    rows = []
    for key in family:
        made = _live_row(lives[key], now_s) if key in lives else _message_row(messages[key])
        rows.append(replace(made, setting=branch.settings.get(key, ""), is_shown=key in on_branch))
    for number, member in enumerate(members):
        if member.reply_id is None or member.reply_id not in family:
            row = _member_row(member, number)
            later = (place for place, other in enumerate(rows) if is_later(other.key, row.key))
            rows.insert(next(later, len(rows)), row)
    return [replace(row, place=place) for place, row in enumerate(rows, 1)]


def _message_row(reply: Message) -> ReplyRow:
    usage, timing, is_estimated = figures_of(reply)
    state = STATES_IN_SHORT.get(reply.state or MessageState.COMPLETE, "complete" if reply.content else "no answer")
    return ReplyRow(
        reply.id,
        state,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        thinking_s=timing.thinking_s,
        first_token_s=timing.first_token_s,
        total_s=timing.total_s,
        rate=words.rate_of(usage.output_tokens, timing),
        cost_usd=usage.cost_usd,
        is_estimated=is_estimated,
        reason=reason_in_short(reply),
        source=reply,
    )


def _live_row(live: LiveTurn, now_s: float) -> ReplyRow:
    figures = live.figures(now_s, Figures(""))
    first = live.first_token_s
    thinks = first is not None and (live.is_thinking or live.thinking_end_s is not None)
    end_s = now_s if live.thinking_end_s is None else live.thinking_end_s
    return ReplyRow(
        live.key,
        figures.state,
        is_running=True,
        output_tokens=figures.output_tokens,
        thinking_s=end_s - first if thinks and first is not None else None,
        first_token_s=figures.first_token_s,
        total_s=now_s - live.started_s,
        rate=figures.rate,
        source=live,
    )


def _member_row(member: Member, number: int) -> ReplyRow:
    """One that has not begun, or has brought nothing."""
    state = "waits" if member.is_waiting else STATES_IN_SHORT.get(member.state or MessageState.COMPLETE, "empty")
    if member.problem:
        state = f"{state}: {member.problem}"
    key, waits_at = member.reply_id or f"number {number}", number if member.is_waiting else None
    return ReplyRow(key, state, setting=member.setting, waits_at=waits_at, is_there=False)


# -- the table


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    text: Callable[[ReplyRow], str]
    is_number: bool = True


def _number(value: int | None, mark: str = "") -> str:
    return NOTHING_KNOWN if value is None else f"{mark}{value}"


def _seconds(value: float | None) -> str:
    return NOTHING_KNOWN if value is None else f"{value:.1f}"


def _mark(row: ReplyRow) -> str:
    return "~" if row.is_estimated else ""


def _cost(row: ReplyRow) -> str:
    return NOTHING_KNOWN if row.cost_usd is None else f"{_mark(row)}{words.dollars(row.cost_usd)}"


_COLUMNS = (
    _Column("", lambda row: str(row.place)),
    _Column("setting", lambda row: row.setting, is_number=False),
    _Column("state", lambda row: row.state, is_number=False),
    _Column("tokens in", lambda row: _number(row.input_tokens)),
    _Column("out", lambda row: _number(row.output_tokens, _mark(row))),
    _Column("thinking s", lambda row: _seconds(row.thinking_s)),
    _Column("first s", lambda row: _seconds(row.first_token_s)),
    _Column("total s", lambda row: _seconds(row.total_s)),
    _Column("tok/s", lambda row: NOTHING_KNOWN if not row.rate else f"{_mark(row)}{row.rate:.0f}"),
    _Column("cost", _cost),
    _Column("end", lambda row: row.reason, is_number=False),
)
_BRIEF = (
    _Column("", lambda row: str(row.place)),
    _Column("value", lambda row: row.setting, is_number=False),
    _Column("state", lambda row: row.state, is_number=False),
    _Column("tokens out", lambda row: _number(row.output_tokens, _mark(row))),
    _Column("total s", lambda row: _seconds(row.total_s)),
    _Column("cost", _cost),
)
_LEFT_OUT_FIRST = ("end", "tokens in", "first s", "thinking s", "total s", "tok/s", "cost", "out")
"""Where there is no room, columns are left out in this order."""


def table_lines(rows: Sequence[ReplyRow], cells: int) -> list[str]:
    """The headings, then a line for each row, each of at most so many cells; columns without room are left out."""
    left_out = set[str]()
    for heading in ("", *_LEFT_OUT_FIRST):
        left_out.add(heading)
        columns = _columns(rows, left_out)
        lines = list(_laid_out(rows, columns, TEXT_CELLS))
        spare = cells - max(map(cells_of, lines))
        if spare >= 0:
            # A text that was cut before a wide character grows by one cell more than it is given.
            wider = (list(_laid_out(rows, columns, TEXT_CELLS + more)) for more in (spare // 2, spare // 3))
            return next((it for it in wider if max(map(cells_of, it)) <= cells), lines)
    return [cut(line, cells) for line in _laid_out(rows, columns, max(cells // 3, 1))]


def _columns(rows: Sequence[ReplyRow], left_out: set[str]) -> list[_Column]:
    """Those that say anything."""
    kept = [it for it in _COLUMNS if not it.heading or it.heading not in left_out]
    return [it for it in kept if it.is_number or any(it.text(row) for row in rows)]


def _laid_out(rows: Sequence[ReplyRow], columns: Sequence[_Column], most_cells: int) -> Iterator[str]:
    """Texts take at most so many cells."""
    made = [[it.heading, *(_text(it, row, most_cells) for row in rows)] for it in columns]
    widths = [max(map(cells_of, texts)) for texts in made]
    for texts in zip(*made, strict=True):
        padded = (
            " " * (width - cells_of(text)) + text if column.is_number else text + " " * (width - cells_of(text))
            for column, text, width in zip(columns, texts, widths, strict=True)
        )
        yield (" " * GAP).join(padded).rstrip()


def _text(column: _Column, row: ReplyRow, most_cells: int) -> str:
    text = column.text(row)
    return text if column.is_number else cut(one_line(text, 4 * most_cells), most_cells)


def batch_table(branch: Branch, replies: RunningReplies, now_s: float) -> str:
    """What the replies of the batch took: the columns missed most, in lines of at most `BRIEF_CELLS`."""
    batch = replies.batch
    values = {
        member.reply_id or f"number {number}": _value_of(member, batch.what)
        for number, member in enumerate(batch.members)
    }
    rows = reply_rows(branch, replies, batch.question_id, now_s)
    rows = [replace(row, setting=values[row.key]) for row in rows if row.key in values]
    return "\n".join(brief_lines(rows))


def _value_of(member: Member, field: str) -> str:
    return "not sent" if member.setting == setting_words({field: None}) else member.setting.removeprefix(f"{field} ")


def brief_lines(rows: Sequence[ReplyRow]) -> list[str]:
    """Texts are cut where they have no room."""
    for most_cells in range(TEXT_CELLS, 0, -1):
        lines = list(_laid_out(rows, _BRIEF, most_cells))
        if max(map(cells_of, lines)) <= BRIEF_CELLS:
            break
    return [cut(line, BRIEF_CELLS) for line in lines]


def plain_table(rows: Sequence[ReplyRow]) -> str:
    return "\n".join(_laid_out(rows, _columns(rows, set()), 10_000)) + "\n"


def markdown_table(rows: Sequence[ReplyRow]) -> str:
    columns = _columns(rows, set())
    head = ["#" if not it.heading else it.heading for it in columns]
    rules = ["---:" if it.is_number else "---" for it in columns]
    body = [[one_line(it.text(row), 10_000).replace("|", "\\|") for it in columns] for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rules, *body))
