"""What a row of the tree view says of a message or a run: in words, not in cells."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime

from kimi_tui.core.session.endings import STATES_IN_SHORT
from kimi_tui.core.session.session import Role
from kimi_tui.core.session.tree_outline import MessageTree, OutlineRow
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import one_line
from kimi_tui.ui.state.entries import ASSISTANT_NAME, USER_NAME

TEXT_CHARS = 240
"""Most characters of a message that a row has room for."""
GROWING, EMPTY = "being written …", "no text"


@dataclass(frozen=True, slots=True)
class RowWords:
    label: str
    """Its place among its alternatives, such as "2/3", or how many turns a run has."""
    who: str
    name: str
    """What the branch that begins here is called; "" = nothing."""
    text: str
    """What is special about its request, how it ended where it is not whole, and its first words."""
    figures: tuple[str, str]
    """How many messages are below it and when the newest was made: at length, and in short."""


def row_words(
    tree: MessageTree, row: OutlineRow, growing: Set[str], now: datetime, to_local: Callable[[datetime], datetime]
) -> RowWords:
    """`growing` = ids of replies that are being written; times of the day of `now` are told without it."""
    message = tree.messages[row.place]
    family = tree.family(row.place)
    label = counted(row.turns, "turn") if row.is_run else ""
    if len(family) > 1:
        label = f"{family.index(row.place) + 1}/{len(family)}"
    text = one_line(message.content or message.reasoning or "", TEXT_CHARS)
    special = (tree.settings.get(message.id, ""), STATES_IN_SHORT.get(message.state, "") if message.state else "")
    return RowWords(
        label,
        USER_NAME if message.role is Role.USER else ASSISTANT_NAME,
        one_line(message.name, TEXT_CHARS),
        dotted(*special, text or (GROWING if message.id in growing else EMPTY)),
        _figures(tree, row, now, to_local),
    )


def _figures(
    tree: MessageTree, row: OutlineRow, now: datetime, to_local: Callable[[datetime], datetime]
) -> tuple[str, str]:
    created, below = tree.messages[tree.newest[row.place]].created, tree.below[row.place]
    long = [f"{below:,} below"] if below else []
    short = [f"{below:,}"] if below else []
    if created is not None:
        time, today = to_local(created), to_local(now).date()
        day = f"{time.day} {time:%b}" if time.year == today.year else f"{time:%Y-%m-%d}"
        is_today = time.date() == today
        long.append(f"{time:%H:%M}" if is_today else f"{day} {time:%H:%M}")
        short.append(f"{time:%H:%M}" if is_today else day)
    return dotted(*long), dotted(*short)


def headline(tree: MessageTree) -> str:
    """How much there is, such as "120 messages · 7 forks"."""
    forks = sum(len(family) > 1 for family in (tree.roots, *tree.children))
    return f"{counted(len(tree.messages), 'message')} · {counted(forks, 'fork')}"
