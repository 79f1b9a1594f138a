"""Which turns are left out for want of room: the decision on sizes, and prompts of conversations that grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kimi_tui.core.prompt.leaving_out import GOAL, OverBudget, TurnCuts
from kimi_tui.core.prompt.next_cuts import next_parts
from kimi_tui.core.prompt.prompt_syntax import parse_prompt
from kimi_tui.core.prompt.prompt_view import PromptViewer
from kimi_tui.core.prompt.prompt_writer import PromptWriter
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.token_estimate import UNCALIBRATED
from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.session.tree import SentContext, branch
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.prompts import next_prompt, past_prompt, past_view, with_question


@dataclass(frozen=True)
class Talk:
    """Messages and what each takes."""

    messages: Sequence[Message]
    sizes: dict[str, int]

    def cuts(self, room: int, *, keeps_pinned: bool = False, is_asked: bool = False) -> TurnCuts:
        return TurnCuts.of(self.messages, self.size, room, keeps_pinned=keeps_pinned, is_asked=is_asked)

    def size(self, message: Message) -> int:
        return 0 if message.excluded else self.sizes[message.id]

    def tokens(self, left_out: Sequence[str]) -> int:
        return sum(self.size(message) for message in self.messages if message.id not in left_out)

    def starts(self, *, is_asked: bool) -> list[int]:
        """Where whole turns begin, the first place included."""
        asked = [len(self.messages)] * is_asked
        return [at for at, it in enumerate(self.messages) if at == 0 or it.role is Role.USER] + asked


def talk_of(turns: Sequence[Sequence[tuple[int, bool, bool]]]) -> Talk:
    """Each turn is a question and its replies; each message its size, whether it is pinned, whether it is excluded."""
    messages, sizes = list[Message](), dict[str, int]()
    for turn in turns:
        for place, (size, pinned, excluded) in enumerate(turn):
            id_ = f"m{len(messages) + 1}"
            parent = messages[-1].id if messages else None
            role = Role.ASSISTANT if place else Role.USER
            messages.append(Message(id_, role, "", parent, pinned=pinned, excluded=excluded))
            sizes[id_] = size
    return Talk(messages, sizes)


MESSAGES = st.tuples(st.integers(0, 60), st.booleans(), st.sampled_from([False, False, False, True]))
TALKS = st.lists(st.lists(MESSAGES, min_size=1, max_size=3), max_size=8).map(talk_of)
ROOMS = st.integers(0, 500)


@given(TALKS, ROOMS, st.integers(0, 200), st.booleans(), st.booleans())
def test_a_first_cut_leaves_out_whole_turns_as_few_as_reach_the_goal(
    talk: Talk, room: int, more: int, keeps_pinned: bool, is_asked: bool
) -> None:
    cuts = talk.cuts(room, keeps_pinned=keeps_pinned, is_asked=is_asked)
    cut, starts = cuts.cut(more), talk.starts(is_asked=is_asked)
    taken = {at: talk.tokens(cuts.left_out(at)) + more for at in starts}
    whole = talk.tokens(()) + more
    if not starts or whole <= room:
        assert cut == 0
        return
    expected = next((at for at in starts if taken[at] <= int(room * GOAL)), starts[-1])
    assert taken.get(cut, whole) == taken[expected]  # turns without any tokens may stay or go
    assert cut in starts or cut == 0
    assert cut <= starts[-1]  # the newest turn stays
    if min(taken.values()) <= room:  # it fits where it can
        assert taken.get(cut, whole) <= room
    gone = cuts.left_out(cut)
    kept = {
        it.id for it in talk.messages if not it.excluded and ((keeps_pinned and it.pinned) or it is talk.messages[-1])
    }
    assert not kept.intersection(gone) or (is_asked and kept.intersection(gone) == {talk.messages[-1].id})
    assert {it.id for it in talk.messages if it.excluded} <= set(gone)


@given(TALKS, st.lists(ROOMS, min_size=2, max_size=2).map(sorted), st.integers(0, 200), st.booleans())
def test_less_room_never_leaves_out_less(talk: Talk, rooms: list[int], more: int, keeps_pinned: bool) -> None:
    small, large = (talk.cuts(room, keeps_pinned=keeps_pinned) for room in rooms)
    assert set(large.left_out(large.cut(more))) <= set(small.left_out(small.cut(more)))
    assert large.cut(more) <= large.cut(more + 20)


@given(TALKS, ROOMS, st.integers(0, 50), st.lists(MESSAGES, min_size=1, max_size=2), st.booleans())
def test_a_cut_stays_while_what_follows_fits(
    talk: Talk, room: int, more: int, turn: list[tuple[int, bool, bool]], keeps_pinned: bool
) -> None:
    cuts = talk.cuts(room, keeps_pinned=keeps_pinned)
    gone = cuts.left_out(cuts.cut(more))
    if not talk.messages or not any(not it.excluded and it.id in gone for it in talk.messages):
        return
    answer = Message("reply", Role.ASSISTANT, "", talk.messages[-1].id, left_out=gone)
    question = Message("question", Role.USER, "", "reply", pinned=turn[0][1])
    sizes = {**talk.sizes, "reply": turn[-1][0], "question": turn[0][0]}
    later = Talk([*talk.messages, answer, question], sizes)
    after = later.cuts(room, keeps_pinned=keeps_pinned)
    now = after.left_out(after.cut(more))
    if later.tokens(gone) + more <= room:
        assert now == gone
    else:
        assert set(gone) < set(now) or after.cut(more) == len(talk.messages) + 1
        assert "question" not in now


def test_no_more_is_measured_than_the_room_holds() -> None:
    talk, measured = talk_of([[(10, False, False), (10, False, False)]] * 5000), list[str]()

    def size(message: Message) -> int:
        measured.append(message.id)
        return talk.size(message)

    cuts = TurnCuts.of(talk.messages, size, 1000)
    assert len(measured) <= 104
    assert talk.tokens(cuts.left_out(cuts.cut(0))) == 800
    for draft in range(1000):  # typing measures nothing
        cuts.cut(draft)
    assert len(measured) <= 104


def sent_again(*changes: Callable[[Message], Message]) -> tuple[str, ...]:
    """What is left out of the turn after one that left out m1 to m4, when the messages have changed since."""
    talk = talk_of([[(100, False, False), (100, False, False)]] * 4)
    messages = [*talk.messages, Message("m9", Role.USER, "", "m8")]
    messages[7] = replace(messages[7], left_out=("m1", "m2", "m3", "m4"))
    for change in changes:
        messages = [change(message) for message in messages]
    now = Talk(messages, {**talk.sizes, "m9": 100})
    cuts = now.cuts(600, keeps_pinned=True)
    return cuts.left_out(cuts.cut(0))


def test_what_has_changed_since_the_last_cut() -> None:
    assert sent_again() == ("m1", "m2", "m3", "m4")
    assert sent_again(lambda it: replace(it, pinned=it.id == "m1")) == ("m2", "m3", "m4")
    assert sent_again(lambda it: replace(it, pinned=it.id in {"m1", "m2"})) == (
        "m3", "m4", "m5", "m6", "m7", "m8",
    )  # fmt: skip
    gone = ("m5", "m6", "m7", "m8")
    assert sent_again(lambda it: replace(it, excluded=it.id in gone)) == ("m1", "m2", "m3", "m4", *gone)
    assert sent_again(lambda it: replace(it, excluded=it.id in (*gone, "m4"))) == ("m4", *gone)


def test_a_conversation_that_has_room_again_is_sent_whole() -> None:
    messages = [*talk_of([[(10, False, False), (10, False, False)]] * 2).messages, Message("m5", Role.USER, "", "m4")]
    messages[3] = replace(messages[3], left_out=("m1", "m2"))
    talk = Talk(messages, dict.fromkeys(("m1", "m2", "m3", "m4", "m5"), 10))
    assert talk.cuts(60).cut(0) == 2  # all would fit, but would fill more than the goal
    assert talk.cuts(63).cut(0) == 0


def test_a_request_written_by_hand_says_nothing_about_the_last_cut() -> None:
    messages = [*talk_of([[(10, False, False), (10, False, False)]] * 3).messages, Message("m7", Role.USER, "", "m6")]
    messages[3] = replace(messages[3], left_out=("m1", "m2"))
    messages[5] = replace(messages[5], raw_input="by hand")
    talk = Talk(messages, dict.fromkeys((it.id for it in messages), 10))
    assert talk.cuts(60).cut(0) == 2


# -- prompts

ROOM = RequestSettings(over_budget=OverBudget.KEEP_PINNED, context_tokens=300)
WORDS = "lamb is seared and rests "


def long_talk(turns: int = 6, pinned: Sequence[str] = ()) -> list[Message]:
    messages = list[Message]()
    for number in range(turns):
        parent = messages[-1].id if messages else None
        messages.append(user(f"m{2 * number + 1}", f"{number} {WORDS * 4}", parent))
        messages.append(reply(f"m{2 * number + 2}", f"{number} {WORDS * 4}", messages[-1].id, reasoning=WORDS * 2))
    return [replace(message, pinned=message.id in pinned) for message in messages]


@pytest.mark.parametrize("kept", [0, 1, "all"])
def test_the_pane_shows_the_input_that_is_sent_and_names_what_is_not(kept: KeptThinking) -> None:
    session, viewer = session_of(*long_talk(pinned=["m2", "m3"])), PromptViewer()
    request = replace(ROOM, kept_thinking=kept)
    for draft in ("more", "more " * 60, "more"):
        view = viewer.view(session, request, draft)
        assert view.text == next_prompt(session, request, draft)
        parts, left_out = next_parts(with_question(session, draft), request)
        assert list(view.left_out) == list(left_out)
        sent = {part.message_id for part in view.parts} - {None}
        assert {"m2", "m3"} <= sent
        assert sent.isdisjoint(message.id for message in left_out)
        assert len(sent) + len(left_out) == 12
        assert sum(UNCALIBRATED.size(part.counts) for part in parts) <= 300 or len(draft) > 100


def test_typing_moves_no_cut_and_writes_nothing_anew_while_it_fits() -> None:
    session, viewer = session_of(*long_talk()), PromptViewer()
    first = viewer.view(session, ROOM, "a")
    assert first.left_out
    assert viewer.view(session, ROOM, "a b c").closed is first.closed


def test_another_answer_to_a_thinking_is_cut_where_that_was() -> None:
    *before, last = long_talk()
    session, gone = replace(session_of(*before, last), head="m11"), ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8")
    viewer, request = PromptViewer(), replace(ROOM, over_budget=OverBudget.LEAVE_OUT)
    assert [it.id for it in viewer.view(session, request).left_out] != list(gone)
    assert [it.id for it in viewer.view(session, request, sent_before=gone).left_out] == list(gone)
    assert last.parent == "m11"


def test_refusing_leaves_nothing_out() -> None:
    session = session_of(*long_talk())
    whole = replace(ROOM, over_budget=OverBudget.REFUSE)
    assert not next_parts(session, whole)[1]
    assert next_prompt(session, whole) == next_prompt(session, replace(ROOM, context_tokens=262_144))


def test_the_reply_has_its_place_in_the_window() -> None:
    request = RequestSettings({"max_new_tokens": 100}, context_tokens=300)
    assert (request.room_tokens, request.reply_tokens) == (200, 100)
    too_long = replace(request, fields={"max_new_tokens": 300})  # no input would fit: that says nothing about this one
    assert (too_long.room_tokens, too_long.reply_tokens) == (300, 0)
    assert (replace(request, fields={}).room_tokens) == 300


def test_a_past_request_names_what_it_left_out() -> None:
    *before, last = long_talk(2)
    session = session_of(*before, replace(last, left_out=("m1", "m2")))
    assert [message.id for message in past_view(session, "m4", 300).left_out] == ["m1", "m2"]


class GrowingTalk(RuleBasedStateMachine):
    """Asks, answers, pins, excludes and changes the setting at random, as the engine would."""

    @initialize(room=st.integers(150, 600))
    def begin(self, room: int) -> None:
        self.session = session_of()
        self.request = replace(ROOM, context_tokens=room)
        self.sent: dict[str, str] = {}
        self.moves = self.turns = 0

    @rule(words=st.integers(0, 12), answer=st.integers(0, 12), thought=st.integers(0, 6))
    def ask(self, words: int, answer: int, thought: int) -> None:
        session, text = self.session, WORDS * words
        prompt = next_prompt(session, self.request, text)
        question, answered = session.next_message_ids(2)
        head = session.messages[-1].id if session.messages else None
        at = session.with_message(user(question, text, head))
        assert next_prompt(at, self.request) == prompt  # the question stands in the session by then
        parts, _ = next_parts(at, self.request)
        gone = {message.id for message in branch(at)} - {part.message_id for part in parts}
        context = SentContext.of(at, gone)
        before = next((it.left_out for it in reversed(session.messages) if it.role is Role.ASSISTANT), ())
        self.moves += context.left_out != before
        self.turns += 1
        made = reply(
            answered, WORDS * answer, question, template="deepinfra", reasoning=WORDS * thought or None, thinking=True,
            kept_thinking=self.request.kept_thinking,
        )  # fmt: skip
        self.session = at.with_message(context.noted_on(made, at))
        self.sent[answered] = prompt
        self._check(prompt, question)

    def _check(self, prompt: str, question: str) -> None:
        writer = PromptWriter.of_next(self.session, self.request)
        messages = {message.id: message for message in branch(self.session)}
        parts, left_out = next_parts(replace(self.session, head=question), self.request)
        assert len(parse_prompt(prompt).turns) == len(parts) - 1
        sent = [part.message_id for part in parts if part.message_id]
        assert sent[-1] == question
        if self.request.over_budget is OverBudget.KEEP_PINNED:
            assert not any(message.pinned for message in left_out)
        if self.request.over_budget is OverBudget.REFUSE:
            assert not left_out
            return
        others = [id_ for id_ in sent[:-1] if not messages[id_].pinned]
        is_least = not others or (self.request.over_budget is OverBudget.LEAVE_OUT and sent == [question])
        assert is_least or sum(UNCALIBRATED.size(part.counts) for part in parts) <= self.request.room_tokens
        # Whole turns from the cut on: nothing that is sent stands before what is not, unless it is pinned.
        places = {id_: place for place, id_ in enumerate(messages)}
        cut = max((places[message.id] for message in left_out), default=-1)
        keeps = self.request.over_budget is OverBudget.KEEP_PINNED
        assert all(places[id_] > cut or (keeps and messages[id_].pinned) for id_ in sent)
        assert writer.system is None

    @rule(number=st.integers(0, 99), name=st.sampled_from(["pinned", "excluded"]))
    def change(self, number: int, name: str) -> None:
        messages = self.session.messages
        if messages:
            at = messages[number % len(messages)]
            changed = replace(at, pinned=not at.pinned) if name == "pinned" else replace(at, excluded=not at.excluded)
            self.session = replace(self.session, messages=tuple(changed if it is at else it for it in messages))

    @rule(what=st.sampled_from(list(OverBudget)), kept=st.sampled_from([0, 1, "all"]))
    def set(self, what: OverBudget, kept: KeptThinking) -> None:
        self.request = replace(self.request, over_budget=what, kept_thinking=kept)

    @invariant()
    def every_past_input_can_be_rebuilt(self) -> None:
        for id_, prompt in getattr(self, "sent", {}).items():
            assert past_prompt(self.session, id_) == prompt


TestGrowingTalk = GrowingTalk.TestCase
TestGrowingTalk.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_long_talk_moves_its_cut_seldom() -> None:
    session, request, moves = session_of(), replace(ROOM, context_tokens=2000), 0
    before: tuple[str, ...] = ()
    for number in range(100):
        question, answered = session.next_message_ids(2)
        head = session.messages[-1].id if session.messages else None
        at = session.with_message(user(question, f"{number} {WORDS}", head))
        gone = {message.id for message in next_parts(at, request)[1]}
        context = SentContext.of(at, gone)
        moves, before = moves + (context.left_out != before), context.left_out
        session = at.with_message(context.noted_on(reply(answered, WORDS * 5, question), at))
    assert before
    assert moves < 20
