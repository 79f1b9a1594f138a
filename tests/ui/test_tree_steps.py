"""Going about in a tree, naming, pruning, undoing and branching off, in any order: nothing is lost or mixed up."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kimi_tui.core.ports import HeldSession
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch_start, branched_off
from kimi_tui.core.session.tree_outline import MessageTree, Outline
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.ui.state.open_chat import Chat
from tests.core.session.trees import trees

NAMES = st.sampled_from(["", "Stew", "Roast", "a [b] c"])
WHICH = st.integers(0, 999)


class Known(NamedTuple):
    parent: str | None
    content: str
    name: str = ""


class TreeSteps(RuleBasedStateMachine):
    """The chat, beside a plain account of what it has to hold."""

    @initialize(session=trees(12))
    def begin(self, session: Session) -> None:
        self.chat = Chat(OpenSession(session, None), HeldSession(session))
        self.known = {it.id: Known(it.parent, it.content) for it in session.messages}
        self.head: str | None = session.head or session.messages[-1].id
        self.steps: list[tuple[dict[str, Known], str | None]] = []
        self.used = set(self.known)

    def pick(self, which: int) -> str:
        ids = list(self.known)
        return ids[which % len(ids)]

    def below(self, id_: str) -> list[str]:
        children = [other for other, it in self.known.items() if it.parent == id_]
        return [id_, *(each for child in children for each in self.below(child))]

    def leaves(self, ids: list[str]) -> list[str]:
        parents = {it.parent for it in self.known.values()}
        return sorted((id_ for id_ in ids if id_ not in parents), key=lambda id_: int(id_[1:]))

    @rule()
    def say(self) -> None:
        (id_,) = self.chat.open_session.take_ids(1)
        assert id_ not in self.used
        self.used.add(id_)
        parent = self.head
        message = Message(id_, Role.USER, f"said {id_}", parent)
        self.chat.open_session.update(lambda value: value.with_message(message))
        self.known[id_], self.head = Known(parent, message.content), id_

    @precondition(lambda self: self.known)
    @rule(which=WHICH)
    def jump(self, which: int) -> None:
        id_ = self.pick(which)
        self.chat.open_session.update(lambda _: self.chat.replies.showing(id_))
        self.head = self.leaves(self.below(id_))[-1]

    @precondition(lambda self: self.known)
    @rule(which=WHICH, name=NAMES)
    def name(self, which: int, name: str) -> None:
        start = branch_start(self.chat.session, self.pick(which))
        before = self.known[start]
        assert self.chat.tree_steps.name_branch(self.chat.open_session, start, name) == before.name
        if name != before.name:
            self.steps.append(({start: before}, ""))
        self.known[start] = before._replace(name=name)

    @precondition(lambda self: self.known)
    @rule(which=WHICH)
    def prune(self, which: int) -> None:
        id_ = self.pick(which)
        doomed = self.below(id_)
        parent, head = self.known[id_].parent, self.head
        self.steps.append(({each: self.known[each] for each in doomed}, head))
        self.chat.tree_steps.delete(self.chat.open_session, id_)
        for each in doomed:
            del self.known[each]
        if head in doomed:
            there = list(self.known) if parent is None else self.below(parent)
            self.head = next(reversed(self.leaves(there)), None)

    @precondition(lambda self: self.steps)
    @rule()
    def undo(self) -> None:
        back, head = self.steps.pop()
        count = sum(id_ not in self.known for id_ in back)
        assert self.chat.tree_steps.undo(self.chat.open_session)[1] == count
        self.known |= back
        if head != "":
            self.head = head

    @precondition(lambda self: self.known)
    @rule(which=WHICH)
    def branch_off(self, which: int) -> None:
        id_, before = self.pick(which), self.chat.session
        cut = branched_off(before, id_)
        assert self.chat.session is before
        assert cut.messages == tree.branch(before, id_)
        assert cut.head == id_
        assert all(Known(it.parent, it.content, it.name) == self.known[it.id] for it in cut.messages)

    @invariant()
    def everything_is_there(self) -> None:
        messages = self.chat.session.messages
        assert {it.id: Known(it.parent, it.content, it.name) for it in messages} == self.known
        assert [it.id for it in messages] == sorted(self.known, key=lambda id_: int(id_[1:]))

    @invariant()
    def the_head_is_where_it_was_put(self) -> None:
        session = self.chat.session
        assert (session.head or (session.messages[-1].id if session.messages else None)) == self.head
        assert not session.messages or tree.branch(session)[-1].id == self.head

    @invariant()
    def each_is_a_row(self) -> None:
        messages = self.chat.session.messages
        outline = Outline(MessageTree(self.chat.session), {it.id: False for it in messages})
        assert sorted(row.place for row in outline.rows if not row.is_run) == list(range(len(messages)))


TreeSteps.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
test_steps_in_any_order = TreeSteps.TestCase
