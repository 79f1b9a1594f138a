"""The tree of a session as rows: what does not branch is one row, and what is folded is not looked at.

Messages are told by their places in the session. Nothing here recurses: a conversation may be a chain of thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import NamedTuple

from kimi_tui.core.session.differing_fields import setting_labels
from kimi_tui.core.session.listing import search_key
from kimi_tui.core.session.session import Message, Role, Session

Family = Sequence[int]
"""The places of messages with the same parent, in order of creation."""


class MessageTree:
    """Which message stands below which, and figures of each; the work grows with the messages, and is done once.

    A file that others made may be broken. What names a parent that is not there begins a conversation, and so does the
    first message of a circle.
    """

    def __init__(self, session: Session) -> None:
        self.messages = session.messages
        self.place_of = {message.id: place for place, message in enumerate(session.messages)}
        self.parents = [self._parent_of(place, message) for place, message in enumerate(session.messages)]
        self.children: list[list[int]] = [[] for _ in session.messages]
        self.roots: list[int] = []
        for place, parent in enumerate(self.parents):
            (self.roots if parent is None else self.children[parent]).append(place)
        self._open_circles()
        self.order = list(self._below(self.roots))
        """All places, each before what is below it."""
        self.below = [0] * len(self.messages)
        """How many messages each has below it."""
        self.newest = list(range(len(self.messages)))
        """The place of the newest message at or below each."""
        for place in reversed(self.order):
            parent = self.parents[place]
            if parent is not None:
                self.below[parent] += self.below[place] + 1
                self.newest[parent] = max(self.newest[parent], self.newest[place])
        last = len(self.messages) - 1
        self.head = self.place_of.get(session.head, last) if session.head is not None else last
        """The place of the leaf of the active branch; -1 = there is no message."""
        self.active = frozenset(self.path(self.head)) if self.messages else frozenset()
        """The places of the active branch."""

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """What the request of a reply says that those of its alternatives do not, in words, by its id."""
        return setting_labels((message.parent, message.id, message.sent) for message in self.messages)

    def _parent_of(self, place: int, message: Message) -> int | None:
        parent = None if message.parent is None else self.place_of.get(message.parent)
        return None if parent == place else parent

    def _open_circles(self) -> None:
        reached = bytearray(len(self.messages))
        for place in self._below(self.roots):
            reached[place] = True
        if all(reached):
            return
        for place in range(len(self.messages)):
            if not reached[place]:
                first = self._first_of_circle(place)
                parent = self.parents[first]
                assert parent is not None
                self.children[parent].remove(first)
                self.parents[first] = None
                self.roots.append(first)
                for below in self._below([first]):
                    reached[below] = True
        self.roots.sort()

    def _first_of_circle(self, place: int) -> int:
        """Of the circle above a message, which leads to no root, the message that was made first."""
        seen = dict[int, int]()
        at: int | None = place
        while at is not None and at not in seen:
            seen[at] = len(seen)
            at = self.parents[at]
        assert at is not None
        return min(list(seen)[seen[at] :])

    def _below(self, starts: Iterable[int]) -> Iterator[int]:
        waiting = list(starts)[::-1]
        while waiting:
            place = waiting.pop()
            yield place
            if below := self.children[place]:
                waiting += below[::-1]

    def path(self, place: int) -> Iterator[int]:
        """The message and all above it, upwards."""
        at: int | None = place
        while at is not None:
            yield at
            at = self.parents[at]

    def family(self, place: int) -> Family:
        parent = self.parents[place]
        return self.roots if parent is None else self.children[parent]

    def is_alternative(self, place: int) -> bool:
        return len(self.family(place)) > 1

    def matching(self, query: str, places: Iterable[int]) -> list[int]:
        """Of these messages those in whose text or name every word of a query occurs, however it is written."""
        words = search_key(query).split()
        return [place for place in places if self._fits(place, words)]

    def _fits(self, place: int, words: Sequence[str]) -> bool:
        message = self.messages[place]
        keys = [search_key(text) for text in (message.name, message.content, message.reasoning) if text]
        return all(any(word in key for key in keys) for word in words)


class OutlineRow(NamedTuple):
    place: int
    """Of the message, or of the first one of a run."""
    depth: int
    """How many alternatives, and open runs, it stands below."""
    length: int = 1
    """How many messages it stands for: more than one are a run without alternatives."""
    turns: int = 0
    """How many questions a run holds, or replies where these are more."""
    is_folded: bool | None = None
    """None = there is nothing to fold."""
    has_head: bool = False
    """Whether the head is among its messages: it is the last of them then."""

    @property
    def is_run(self) -> bool:
        return self.length > 1


class Outline:
    """The rows of a tree as far as it is unfolded, in depth-first order.

    An alternative folds what is below it; a run of messages without alternatives folds those, and what follows it is
    no deeper. A run ends at the head too, so that the head has a row of its own or ends one.
    """

    def __init__(self, tree: MessageTree, folds: MutableMapping[str, bool]) -> None:
        """`folds` says by the id of a row's (first) message whether it is folded, and is told of changes.

        By itself a run is folded, and an alternative unless it is part of the active branch.
        """
        self.tree, self._folds = tree, folds
        self.rows = list(self._rows(tree.roots, 0))

    def _is_folded(self, place: int, *, is_run: bool) -> bool:
        by_itself = is_run or place not in self.tree.active
        return self._folds.get(self.tree.messages[place].id, by_itself)

    def _rows(self, starts: Family, depth: int) -> Iterator[OutlineRow]:
        tree, head = self.tree, self.tree.head
        children = tree.children
        waiting = [(place, depth, len(starts) > 1) for place in reversed(starts)]
        while waiting:
            place, depth, is_alternative = waiting.pop()
            below = children[place]
            if is_alternative:
                folded = self._is_folded(place, is_run=False) if below else None
                yield OutlineRow(place, depth, 1, 0, folded, place == head)
                if folded is not False:
                    continue
                depth += 1
            else:
                run = self._run(place)
                yield from self._run_rows(run, depth)
                below = children[run[-1]]
            is_fork = len(below) > 1
            waiting += [(child, depth, is_fork) for child in reversed(below)]

    def _run(self, place: int) -> list[int]:
        """The messages from one on, as far as none of them is an alternative or stands below the head."""
        run, children, head = [place], self.tree.children, self.tree.head
        while run[-1] != head and len(children[run[-1]]) == 1:
            run += children[run[-1]]
        return run

    def _run_rows(self, run: Sequence[int], depth: int) -> Iterator[OutlineRow]:
        if len(run) == 1:
            yield self._message_row(run[0], depth)
            return
        questions = sum(self.tree.messages[place].role is Role.USER for place in run)
        folded = self._is_folded(run[0], is_run=True)
        turns = max(questions, len(run) - questions)
        yield OutlineRow(run[0], depth, len(run), turns, folded, has_head=run[-1] == self.tree.head)
        if not folded:
            yield from (self._message_row(place, depth + 1) for place in run)

    def _message_row(self, place: int, depth: int) -> OutlineRow:
        return OutlineRow(place, depth, has_head=place == self.tree.head)

    def last_of(self, row: OutlineRow) -> int:
        """The place of a row's last message."""
        return self._run(row.place)[-1] if row.is_run else row.place

    def fold(self, number: int) -> bool:
        """Whether there was anything to fold."""
        row = self.rows[number]
        if row.is_folded is not False:
            return False
        self._set_folded([row.place], is_folded=True)
        return True

    def unfold(self, number: int) -> bool:
        """Whether it was folded."""
        row = self.rows[number]
        if not row.is_folded:
            return False
        self._set_folded([row.place], is_folded=False)
        return True

    def _set_folded(self, places: Iterable[int], *, is_folded: bool) -> None:
        self._folds.update((self.tree.messages[place].id, is_folded) for place in places)
        self.rows[:] = self._rows(self.tree.roots, 0)  # whoever shows them holds the same list

    def above(self, number: int) -> int | None:
        """The number of the row that this one stands below; None = it stands at the left."""
        depth = self.rows[number].depth
        return next((other for other in range(number - 1, -1, -1) if self.rows[other].depth < depth), None)

    def row_of(self, place: int) -> int | None:
        """The number of the row that shows a message, or the run that it is in; None = it is folded away."""
        start = self._start_of_run(place)
        found = None
        for number, row in enumerate(self.rows):
            if row.place == place and not row.is_run:
                return number
            if row.place == start and row.is_run:
                found = number
        return found

    def _start_of_run(self, place: int) -> int:
        tree, at = self.tree, place
        while not tree.is_alternative(at):
            parent = tree.parents[at]
            if parent is None or parent == tree.head or tree.is_alternative(parent):
                break
            at = parent
        return at

    def reveal(self, place: int, *, opens_run: bool = False) -> int:
        """Unfold what a message is folded away in, and give the number of its row.

        Where it is in a run, that is unfolded where `opens_run`; else its row is the run's.
        """
        tree = self.tree
        above = [at for at in tree.path(place) if at != place and tree.is_alternative(at)]
        hidden = [at for at in above if self._is_folded(at, is_run=False)]
        if hidden:
            self._set_folded(hidden, is_folded=False)
        number = self.row_of(place)
        assert number is not None
        if opens_run and self.rows[number].is_run and self.unfold(number):
            return number + 1 + self._run(self.rows[number].place).index(place)
        return number
