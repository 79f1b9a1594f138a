"""Sessions whose messages stand in trees of every shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from kimi_tui.core.session.session import Message, Role, Session

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def session_of(parents: Sequence[int | None], head: int | None = None) -> Session:
    """A session in which message n stands below message `parents[n]`; roles go in turn."""
    messages = list[Message]()
    depths = dict[int, int]()
    for place, parent in enumerate(parents):
        depths[place] = 0 if parent is None else depths.get(parent, 0) + 1
        role = Role.ASSISTANT if depths[place] % 2 else Role.USER
        messages.append(
            Message(f"m{place + 1}", role, f"text {place + 1}", None if parent is None else f"m{parent + 1}")
        )
    return Session(
        "20261123-081500-k3f9", NOW, NOW, "moonshotai/Kimi-K2.5", title="Trees",
        head=None if head is None else f"m{head + 1}", messages=tuple(messages),
    )  # fmt: skip


@st.composite
def trees(draw: st.DrawFn, max_size: int = 24) -> Session:
    """A session that is whole: parents stand before what is below them."""
    size = draw(st.integers(1, max_size))
    reach = draw(st.sampled_from([1, 2, 4, size]))
    parents = [
        draw(st.one_of(st.just(place - 1 if place else None), st.sampled_from([None, *range(max(place - reach, 0), place)])))
        for place in range(size)
    ]  # fmt: skip
    return session_of(parents, draw(st.one_of(st.none(), st.integers(0, size - 1))))


@st.composite
def broken_trees(draw: st.DrawFn, max_size: int = 12) -> Session:
    """A session with parents that are not there, and circles."""
    size = draw(st.integers(1, max_size))
    anything = st.one_of(st.none(), st.integers(0, size + 2))
    return session_of([draw(anything) for _ in range(size)], draw(st.one_of(st.none(), st.integers(0, size + 2))))
