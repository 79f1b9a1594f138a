"""Several replies to one question, in any order of beginning, stopping, ending and failing."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import MessageState
from kimi_tui.core.settings.reply_batch import MOST_AT_ONCE, Member, ReplyBatch

ENDS = st.sampled_from([MessageState.COMPLETE, MessageState.FAILED, MessageState.CANCELLED, MessageState.INTERRUPTED])


def batch_of(count: int) -> ReplyBatch:
    return ReplyBatch("m1", tuple(Member(f"seed {place}", RequestSettings()) for place in range(count)), "seed")


def test_the_first_four_are_due_and_each_end_lets_one_more_begin() -> None:
    batch = batch_of(6)
    for place in batch.due:
        batch = batch.begun(place, f"m{place + 2}")
    assert (batch.due, batch.waiting) == ((), (4, 5))
    assert batch.ended("m3", MessageState.COMPLETE).due == (4,)
    assert batch.ended("m3", MessageState.COMPLETE).ended("m2", MessageState.FAILED, "No.").due == (4, 5)
    assert batch.without_waiting().ended("m3", MessageState.COMPLETE).due == ()


def test_one_that_is_none_of_them_changes_nothing() -> None:
    batch = batch_of(2).begun(0, "m2").ended("m2", MessageState.FAILED, "No.")
    assert batch.ended("m2", MessageState.COMPLETE) == batch
    assert batch.ended("m9", MessageState.COMPLETE) == batch
    assert batch.dropped(0) == batch


class AnyOrder(RuleBasedStateMachine):
    """What is due begins at once; the rest is the user's and the endpoint's doing."""

    @initialize(count=st.integers(1, 8))
    def begin(self, count: int) -> None:
        self.batch = batch_of(count)
        self.began: list[int] = []
        self.ends: dict[str, MessageState] = {}
        self.settle()

    def settle(self) -> None:
        for place in self.batch.due:
            self.batch = self.batch.begun(place, f"m{place + 2}")
            self.began.append(place)

    @property
    def running(self) -> list[str]:
        return [member.reply_id or "" for member in self.batch.members if member.is_running]

    @precondition(lambda self: self.running)
    @rule(data=st.data(), state=ENDS)
    def one_ends(self, data: st.DataObject, state: MessageState) -> None:
        reply_id = data.draw(st.sampled_from(self.running))
        self.batch = self.batch.ended(reply_id, state, "No." if state is MessageState.FAILED else "")
        self.ends[reply_id] = state
        self.settle()

    @precondition(lambda self: self.batch.waiting)
    @rule(data=st.data())
    def one_is_dropped(self, data: st.DataObject) -> None:
        self.batch = self.batch.dropped(data.draw(st.sampled_from(self.batch.waiting)))

    @precondition(lambda self: self.batch.waiting)
    @rule()
    def one_cannot_begin(self) -> None:
        self.batch = self.batch.refused(self.batch.waiting[0], "The settings cannot be used.")

    @rule()
    def all_are_stopped(self) -> None:
        self.batch = self.batch.without_waiting()

    @invariant()
    def no_more_than_four_run_and_none_waits_for_nothing(self) -> None:
        assert len(self.running) <= MOST_AT_ONCE
        assert self.batch.due == ()
        assert not self.batch.waiting or len(self.running) == MOST_AT_ONCE

    @invariant()
    def each_begins_once_in_its_order_and_keeps_how_it_ended(self) -> None:
        assert self.began == sorted(set(self.began))
        by_id = {member.reply_id: member for member in self.batch.members if member.reply_id is not None}
        assert len(by_id) == len(self.began)
        assert {id_: by_id[id_].state for id_ in self.ends} == self.ends

    @invariant()
    def it_is_over_when_none_runs(self) -> None:
        assert self.batch.is_over == (not self.running)


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
test_any_order = AnyOrder.TestCase
