"""The exact input of a turn, seen as its parts: what the prompt pane shows and what is copied from it.

`PromptViewer` shows the next turn and keeps what has not changed, so that a keystroke costs the same in a long
conversation as in a short one; `request_view` shows the input that a reply answered. The parts joined are the input.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from kimi_tui.core.prompt.calibration import calibration_of
from kimi_tui.core.prompt.context_budget import CountedPrefix, counted_prefixes
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.next_cuts import BranchSizes
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.past_requests import input_tokens_of, so_far
from kimi_tui.core.prompt.prompt_sizes import PartSize, estimated_size, sizes_of
from kimi_tui.core.prompt.prompt_writer import PromptPart, PromptWriter, past_parts
from kimi_tui.core.prompt.request_settings import RequestSettings, most_tokens
from kimi_tui.core.prompt.shared_prefix import SentInput, SharedPrefix, shared_prefix
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.prompt.token_estimate import Calibration, counts_of
from kimi_tui.core.session.request_starts import TextSoFar, requests_of
from kimi_tui.core.session.session import Message, RequestRecord, Session
from kimi_tui.core.session.tree import before_question, branch, ending_with
from kimi_tui.core.text.growing_text import GrowingText


@dataclass(frozen=True, slots=True)
class PromptView:
    closed: tuple[PromptPart, ...]
    """The system prompt and every message that is sent, in order; the same tuple while nothing of it changes."""
    tail: tuple[PromptPart, ...]
    """What follows: the draft where there is one, and the open turn."""
    closed_sizes: tuple[PartSize, ...]
    """The same tuple while nothing of it changes."""
    tail_sizes: tuple[PartSize, ...]
    template: Template
    tokens: int
    """Of all parts."""
    is_told: bool
    """Whether the endpoint has told them all; else part of them is estimated."""
    neutralised: int
    counted_tokens: int | None
    """The endpoint's own count of a beginning of it; None = it has counted none."""
    window_tokens: int
    reply_tokens: int = 0
    """How many of the window's tokens are kept for the reply."""
    window_end: int | None = None
    """The part in which the window ends, those of the reply left free; None = all of them fit."""
    shared: SharedPrefix | None = None
    """What it begins with as the last request did; None = there was none."""
    thinking_tokens: int = 0
    """How many of `tokens` the kept thinking of earlier turns takes."""
    left_out: Sequence[Message] = ()
    """What is not sent for want of room, in order; of a past request also what was excluded."""
    sent: Mapping[str, object] | None = None
    """Of a past request: every other field that was sent, where that is known."""
    sent_first: Mapping[str, object] | None = None
    """Of a past request: what the first one behind the same reply sent, where that is known."""
    request: RequestRecord | None = None
    """Of a past request: what became of it."""
    model: str | None = None
    """Of a past request: who was asked, where that is known."""

    @property
    def parts(self) -> tuple[PromptPart, ...]:
        return self.closed + self.tail

    @property
    def sizes(self) -> tuple[PartSize, ...]:
        return self.closed_sizes + self.tail_sizes

    @property
    def text(self) -> str:
        """Joined when asked for."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Closed:
    """The parts that typing does not change, and what they add up to."""

    parts: tuple[PromptPart, ...]
    sizes: tuple[PartSize, ...]
    template: Template
    calibration: Calibration
    counted_tokens: int | None
    chars: int
    ends: Sequence[int]
    """Tokens up to the beginning of each part, and to the end of all."""
    neutralised: int
    thinking_tokens: int
    left_out: Sequence[Message]
    """What is not sent for want of room."""
    last: SentInput | None
    """What they are compared with."""
    shared: SharedPrefix | None

    @classmethod
    def of(
        cls,
        parts: Iterable[PromptPart],
        session: Session,
        template: Template,
        last: SentInput | None,
        calibration: Calibration | None = None,
        *,
        left_out: Sequence[Message],
    ) -> _Closed:
        """Add them up; `session` has them on its active branch. `calibration` None = by that branch."""
        made, messages = tuple(parts), branch(session)
        joined = _joined(made)
        counted = list(counted_prefixes(session, joined))
        known = list(counted)
        shared = None if last is None else shared_prefix(made, last, template)
        if shared is not None and last is not None and last.tokens is not None:
            is_beginning = shared.is_all or (shared.place == len(made) and last.text[len(joined) :] == last.opening)
            known += [CountedPrefix(len(last.text), last.tokens, last.opening)] if is_beginning else []
        calibration = calibration or calibration_of(session, messages)
        sizes = sizes_of(made, known, template, calibration, {message.id: message for message in messages})
        return cls(
            made,
            sizes,
            template,
            calibration,
            counted_tokens=counted[0].tokens if counted else None,
            chars=len(joined),
            ends=list(accumulate((size.tokens for size in sizes), initial=0)),
            neutralised=sum(part.neutralised for part in made),
            thinking_tokens=sum(size.thinking_tokens for size in sizes),
            left_out=left_out,
            last=last,
            shared=shared,
        )

    def compared_with(self, last: SentInput | None) -> _Closed:
        return replace(self, last=last, shared=None if last is None else shared_prefix(self.parts, last, self.template))

    def followed_by(self, tail: tuple[PromptPart, ...], window_tokens: int, reply_tokens: int) -> PromptView:
        sizes = tuple(estimated_size(part, self.template, self.calibration) for part in tail)
        shared, ends = self._shared_with(tail), list(accumulate((size.tokens for size in sizes), initial=self.ends[-1]))
        is_same = shared is not None and shared.is_all and shared.place == len(self.parts) + len(tail)
        told = self.last.tokens if is_same and self.last is not None else None
        tokens = ends[-1] if told is None else told
        return PromptView(
            self.parts,
            tail,
            self.sizes,
            sizes,
            self.template,
            tokens,
            is_told=told is not None,
            neutralised=self.neutralised + sum(part.neutralised for part in tail),
            counted_tokens=self.counted_tokens,
            window_tokens=window_tokens,
            reply_tokens=reply_tokens,
            window_end=self._window_end(ends, tokens, max(window_tokens - reply_tokens, 0)),
            shared=None if shared is None else self._measured(shared, tail, ends),
            thinking_tokens=self.thinking_tokens + sum(size.thinking_tokens for size in sizes),
            left_out=self.left_out,
        )

    def _shared_with(self, tail: tuple[PromptPart, ...]) -> SharedPrefix | None:
        shared, last = self.shared, self.last
        if shared is None or last is None or shared.place < len(self.parts):
            return shared
        behind = shared_prefix(tail, replace(last, text=last.text[self.chars :]), self.template)
        return replace(behind, place=behind.place + len(self.parts))

    def _measured(self, shared: SharedPrefix, tail: Sequence[PromptPart], tail_ends: Sequence[int]) -> SharedPrefix:
        if shared.is_all and self.last is not None and self.last.tokens is not None:
            return replace(shared, tokens=self.last.tokens, is_told=True)
        behind = shared.place - len(self.parts)
        tokens = tail_ends[behind] if behind >= 0 else self.ends[shared.place]
        if shared.offset:
            part = tail[behind] if behind >= 0 else self.parts[shared.place]
            tokens += round(self.calibration.of(counts_of(part.text[: shared.offset])))
        return replace(shared, tokens=tokens)

    def _window_end(self, tail_ends: Sequence[int], tokens: int, room: int) -> int | None:
        """The part at which the running sum is more than there is room for."""
        if tokens <= room:
            return None
        place = bisect_right(self.ends, room) - 1
        if place == len(self.parts):
            place += next((more for more, end in enumerate(tail_ends, start=-1) if end > room), 0)
        return place


def _joined(parts: Iterable[PromptPart]) -> GrowingText:
    text = GrowingText()
    for part in parts:
        text.append(part.text)
    return text


class PromptViewer:
    def __init__(self) -> None:
        self._sizes: BranchSizes | None = None
        self._last: SentInput | None = None
        # By whether the draft takes the place of an open question, what is left out of what has no room, and the cut.
        self._closed: dict[tuple[bool, OverBudget, int], _Closed] = {}

    def view(
        self,
        session: Session,
        request: RequestSettings,
        draft: str | None = None,
        open_turn: OpenTurn | None = None,
        last: SentInput | None = None,
        *,
        sent_before: tuple[str, ...] | None = None,
    ) -> PromptView:
        """The parts are those of `next_parts`; `draft` = a question that is not in the session yet.

        It stands where the engine would add it. `open_turn` = what the reply begins with; None = with nothing.
        `last` = the input of the last request. `sent_before` as for `TurnCuts`.
        """
        sizes = BranchSizes.of(session, request, self._sizes)
        if sizes is not self._sizes or last is not self._last:
            self._closed.clear()
            self._sizes, self._last = sizes, last
        cuts = sizes.next_cuts(request, None if draft is None else before_question(sizes.messages), sent_before)
        tail = [] if draft is None else [sizes.writer.draft_part(draft)]
        tail.append(sizes.writer.open_part(open_turn or request.open_turn))
        cut = cuts.cut(tail)
        key = len(cuts.messages) < len(sizes.messages), request.over_budget, cut
        if key not in self._closed:
            sending = cuts.behind(cut)
            parts = sending.writer.closed_parts(cuts.messages, sizes.part)
            self._closed[key] = _Closed.of(
                parts, session, request.template, last, sizes.calibration, left_out=sending.left_out
            )
        return self._closed[key].followed_by(tuple(tail), request.context_tokens, most_tokens(request.fields))


def going_on_view(
    session: Session, reply: Message, request: RequestSettings, last: SentInput | None = None
) -> PromptView:
    """The input that would go on with a reply, which need not stand in the session, its question must."""
    parts = past_parts(session, reply, TextSoFar(reply.reasoning or "", reply.content, reply.has_open_block))
    template = PromptWriter.of_past(session, reply).door.template
    asked, left_out = ending_with(session, reply.parent), _left_out(session, reply)
    closed = _Closed.of(parts[:-1], asked, template, last, left_out=left_out)
    return closed.followed_by(parts[-1:], request.context_tokens, most_tokens(request.fields))


def _left_out(session: Session, reply: Message) -> Sequence[Message]:
    """What the input of a reply left out, what was excluded by hand among it."""
    gone = frozenset(reply.left_out)
    before = branch(session, reply.parent) if gone and reply.parent is not None else ()
    return [message for message in before if message.id in gone]


def request_view(
    session: Session, reply: Message, place: int, window_tokens: int, last: SentInput | None = None
) -> PromptView:
    """The exact input of one of the requests behind a reply, which may still grow; `place` is of `requests_known`.

    `last` = the input of the request before it.
    """
    requests = requests_of(reply)
    request = requests[place] if requests else None
    parts = past_parts(session, reply, so_far(reply, place))
    sent = reply.sent if request is None or request.sent is None else request.sent
    # Its own count tells of all of it: that of its beginning follows from it.
    own = SentInput.of(parts, reply.id, input_tokens_of(reply, place))
    template = PromptWriter.of_past(session, reply).door.template
    is_there = session.find(reply.id) is not None
    calibration = calibration_of(session, branch(session, reply.id)) if is_there else None
    asked, left_out = ending_with(session, reply.parent), _left_out(session, reply)
    closed = _Closed.of(parts[:-1], asked, template, own, calibration, left_out=left_out).compared_with(last)
    view = closed.followed_by(parts[-1:], window_tokens, most_tokens(sent or {}))
    return replace(
        view,
        tokens=view.tokens if own.tokens is None else own.tokens,
        is_told=own.tokens is not None,
        counted_tokens=view.counted_tokens if own.tokens is None else own.tokens,
        sent=sent,
        sent_first=reply.sent,
        request=request,
        model=reply.model,
    )
