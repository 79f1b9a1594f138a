"""Bytes of a response in, deltas out, and in the end the reply understood.

Plugs `sse`, `frames`, `surrogates` and `think` together; the engine feeds it what the network gives.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kimi_tui.core.errors import TRY_AGAIN, BrokenStreamError, CompletionError
from kimi_tui.core.prompt.open_prompt import OpenPrompt
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import NO_USAGE, FinishReason, MessageState, Usage
from kimi_tui.core.text.surrogates import replace_lone, without_half
from kimi_tui.core.wire.dialect import Dialect, Frame, Generated
from kimi_tui.core.wire.frames import decode_document, decode_event, decode_unfinished
from kimi_tui.core.wire.sse import BOM, SseDecoder
from kimi_tui.core.wire.think import Segment, ThinkSplitter
from kimi_tui.core.wire.token_borders import Borders, TokenBorders

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""Most bytes of an unstreamed reply: beyond it, a body is no reply but a mistake or an attack."""
MAX_TEXT_CHARS = 64 * 1024 * 1024
"""Most characters of a streamed reply, likewise."""
STREAM_BEGINNINGS = frozenset({b":", b"d", b"e", b"i", b"r"})
"""How the lines of an event stream begin (a comment, data, event, id, retry); no JSON document begins so."""


class CountedSegment(NamedTuple):
    part: ReplyPart
    text: str
    """Never empty."""
    tokens: int
    """≥ 0; one that was held back, or is no text itself, counts for the next piece."""
    borders: Borders = ()


@dataclass(frozen=True, slots=True)
class ReplyText:
    reasoning: str
    content: str
    is_thinking: bool
    retracted: int = 0
    """How many characters before it were the beginning of a mark; see `ThinkSplitter`."""


@dataclass(frozen=True, slots=True)
class ReplyResult:
    state: MessageState
    finish_reason: str | None = None
    """As of a `Frame`."""
    usage: Usage = NO_USAGE
    request_id: str | None = None
    error: CompletionError | None = None
    whole: tuple[ReplyText, ...] = ()
    """The replies that came whole, in the endpoint's order; empty = the text was streamed, or none came."""


class ReplyBuilder:
    """Holds back what its parts hold back, and no text beyond; a document that is no event stream is held whole."""

    def __init__(self, dialect: Dialect, prompt: OpenPrompt, *, is_event_stream: bool) -> None:
        """The prompt is cut off where a generated text repeats it; a body is an event stream, or one JSON document."""
        self._dialect, self._prompt = dialect, prompt
        self._sse: SseDecoder | None = SseDecoder() if is_event_stream else None
        self._is_decided, self._head = False, b""
        self._document = bytearray()
        self._texts, self._reasonings = TokenBorders(), TokenBorders()
        self._splitter = self._new_splitter()
        self.has_text = False
        self._has_answer = False
        self._is_parted = False  # by the server, reasoning from answer
        self._tokens = self._chars = 0
        self._uncounted = 0
        self._logprobs: list[float] = []
        self._end = Frame()
        self._has_ended = False
        self._found = list[CountedSegment]()  # what is to be given out
        self._answer, self._answer_tokens = list[str](), 0  # what came last of it, still to be joined
        self._error: CompletionError | None = None
        self._failure: CompletionError | None = None
        self._usage = NO_USAGE
        self._request_id: str | None = None

    def _new_splitter(self) -> ThinkSplitter:
        prompt = self._prompt
        return ThinkSplitter(prompt.end, prompt.marks, prompt.reasoning, prompt.written_chars)

    @property
    def is_thinking(self) -> bool:
        return not (self._has_answer if self._is_parted else self._splitter.is_in_answer)

    @property
    def tokens(self) -> int:
        """Those held back included."""
        return self._tokens

    @property
    def request_id(self) -> str | None:
        """As the body has said it so far; None = it has not."""
        return self._request_id

    @property
    def has_ended(self) -> bool:
        """Whether the endpoint has said the end; it may have more to say about it, and takes it back with more text."""
        return self._has_ended

    @property
    def is_over(self) -> bool:
        """Whether nothing more is worth reading: an error or the word that ends a stream came."""
        return self._error is not None or self._end.is_done

    def take_logprobs(self) -> list[float]:
        """How likely each token was that came since this was asked last, in order; NaN = nothing says it."""
        found, self._logprobs = self._logprobs, []
        return found

    def take_retracted(self) -> int:
        """How many characters at the end of `reasoning` are the beginning of a mark after all; each is told once."""
        count, self._splitter.retracted = self._splitter.retracted, 0
        return count

    @property
    def held(self) -> CountedSegment | None:
        """The text that is held back and comes where the reply breaks off now; None = none is."""
        held = self._splitter.held
        return None if held is None else CountedSegment(held.part, held.text, self._uncounted)

    def feed(self, chunk: bytes) -> list[CountedSegment]:
        """Take bytes and give out the text they complete. What follows an error is not read."""
        if not self._is_decided:
            chunk = self._begin(self._head + chunk)
        try:
            if self._sse is None:
                self._hold(chunk)
                return []
            for event in self._sse.feed(chunk):
                if self.is_over:
                    break
                self._take(decode_event(event, self._dialect))
        except BrokenStreamError as error:
            self._error = error
        return self._given_out()

    def _given_out(self) -> list[CountedSegment]:
        self._join_answer()
        found, self._found = self._found, []
        return found

    def _begin(self, head: bytes) -> bytes:
        """Believe the first byte more than the headers: JSON in a stream's name is JSON, and the other way round.

        Gives back what has come, without byte-order mark and blanks before it; b"" = too little to tell.
        """
        is_mark = BOM.startswith(head)  # all of it, or its beginning
        start = b"" if is_mark else head.removeprefix(BOM).lstrip()
        self._head = head if is_mark else b""
        self._is_decided = bool(start)
        first = start[:1]
        if first == b"{":
            self._sse = None
        elif self._sse is None and first in STREAM_BEGINNINGS:
            self._sse = SseDecoder()
        return start

    def _hold(self, chunk: bytes) -> None:
        self._document += chunk
        if len(self._document) > MAX_DOCUMENT_BYTES:
            self._document.clear()
            raise BrokenStreamError(f"The reply is larger than {MAX_DOCUMENT_BYTES} bytes.", TRY_AGAIN)

    def fail(self, error: CompletionError) -> None:
        """Note that the connection failed; the first error counts, and none does after the reply's end."""
        self._failure = self._failure or error

    def close(self, *, is_cut: bool = False) -> tuple[list[CountedSegment], ReplyResult]:
        """End the reply: the text that was still held back, and what became of it.

        Half a surrogate pair at the very end is dropped where the reply `is_cut` or broke off: going on with it brings
        the whole character.
        """
        if self._sse is None:
            self._read_document()
        elif not self.is_over and (event := self._sse.close()) is not None:
            self._take(decode_unfinished(event, self._dialect))
        is_whole = (
            not is_cut
            and self._outcome()[0] is MessageState.COMPLETE
            and self._end.finish_reason != FinishReason.LENGTH
        )
        if is_whole:
            if self._is_parted:
                self._keep_reasoning(self._reasonings.close())
            self._split(self._texts.close())
        self._keep(self._splitter.close(), self._texts)
        whole = () if self.has_text else tuple(self._understand(it, is_whole=is_whole) for it in self._end.results)
        state, error = self._outcome()
        result = ReplyResult(state, self._end.finish_reason, self._usage, self._request_id, error, whole)
        return self._given_out(), result

    def _take(self, frames: Iterable[Frame]) -> None:
        """Take frames up to the last one that counts."""
        for frame in frames:
            if not self.is_over:
                self._frame(frame)

    def _frame(self, frame: Frame) -> None:
        self._request_id = frame.request_id or self._request_id
        if frame.usage is not NO_USAGE:
            self._usage = Usage(
                _latest(frame.usage.input_tokens, self._usage.input_tokens),
                _latest(frame.usage.output_tokens, self._usage.output_tokens),
                frame.usage.cost_usd if frame.usage.cost_usd is not None else self._usage.cost_usd,
            )
        if frame.error is not None:
            self._error = frame.error
            return
        if frame.is_done or frame.finish_reason or frame.results or frame.is_queued:
            self._note_end(frame)
        elif (frame.text or frame.reasoning) and self._has_ended:
            # The end was none: the reply goes on, and has to end once more. Counts never end it: they may be running.
            self._has_ended, self._end = False, Frame()
        text, reasoning = frame.text, frame.reasoning
        if not text and reasoning is None:
            return
        self._chars += len(text) + len(reasoning or "")
        if self._chars > MAX_TEXT_CHARS:
            self._error = BrokenStreamError(f"The reply exceeds {MAX_TEXT_CHARS} characters.", TRY_AGAIN)
            return
        number = self._tokens
        self._tokens += frame.tokens
        self._uncounted += frame.tokens
        self._logprobs += [math.nan if frame.logprob is None else frame.logprob] * frame.tokens
        if reasoning is not None:
            self._reason(reasoning, number, is_last=bool(text))
        self._split(self._texts.feed(text, number))

    def _reason(self, text: str, token: int, *, is_last: bool) -> None:
        """Keep reasoning that the server tells apart: its texts are answer, wherever the prompt ended.

        Once the answer has begun, more reasoning is text of it, as think tags are there.
        """
        if not self._is_parted:
            self._split(self._texts.close())
            self._keep(self._splitter.close(), self._texts)
            self._is_parted, self._splitter = True, ThinkSplitter(PromptEnd.ANSWER, self._prompt.marks)
            self._texts = TokenBorders()
        self._keep_reasoning(self._reasonings.feed(text, token) + (self._reasonings.close() if is_last else ""))

    def _keep_reasoning(self, text: str) -> None:
        if text:
            part = ReplyPart.ANSWER if self._has_answer else ReplyPart.REASONING
            self._keep([Segment(part, text, self._reasonings.fed - len(text))], self._reasonings)

    def _note_end(self, frame: Frame) -> None:
        """Gather what the last frames say; it may be spread over several."""
        self._has_ended = True
        self._end = Frame(
            finish_reason=frame.finish_reason or self._end.finish_reason,
            results=frame.results or self._end.results,
            is_queued=frame.is_queued or self._end.is_queued,
            is_done=frame.is_done or self._end.is_done,
        )

    def _split(self, text: str) -> None:
        if not text:
            return
        if not self._splitter.is_through:
            self._keep(self._splitter.feed(text), self._texts)
            return
        self.has_text = self._has_answer = True
        self._answer.append(text)
        self._answer_tokens, self._uncounted = self._answer_tokens + self._uncounted, 0

    def _join_answer(self) -> None:
        """Make one segment of what came of the answer at once: one for each token takes an eighth of the reading."""
        if self._answer:
            (joined,) = self._splitter.feed("".join(self._answer))
            borders = self._texts.take(joined.at, len(joined.text))
            self._found.append(CountedSegment(joined.part, joined.text, self._answer_tokens, borders))
            self._answer, self._answer_tokens = [], 0

    def _keep(self, segments: Iterable[Segment], source: TokenBorders) -> None:
        self._join_answer()
        for segment in segments:
            self.has_text = True
            self._has_answer = self._has_answer or segment.part is ReplyPart.ANSWER
            borders = source.take(segment.at, len(segment.text))
            self._found.append(CountedSegment(segment.part, segment.text, self._uncounted, borders))
            self._uncounted = 0

    def _read_document(self) -> None:
        if self._error is not None or self._failure is not None:
            return
        try:
            self._frame(decode_document(bytes(self._document), self._dialect))
        except BrokenStreamError as error:
            self._error = error

    def _understand(self, generated: Generated, *, is_whole: bool) -> ReplyText:
        text = generated.text
        if len(text) >= len(self._prompt.text):
            text = text.removeprefix(str(self._prompt.text))
        text = replace_lone(text if is_whole else without_half(text))
        if generated.reasoning is not None:
            reasoning = generated.reasoning if is_whole or text else without_half(generated.reasoning)
            return ReplyText(replace_lone(reasoning), text, is_thinking=not text)
        splitter = self._new_splitter()
        segments = splitter.feed(text) + splitter.close()
        joined = {part: "".join(s.text for s in segments if s.part is part) for part in ReplyPart}
        reasoning, answer = joined[ReplyPart.REASONING], joined[ReplyPart.ANSWER]
        return ReplyText(reasoning, answer, not splitter.is_in_answer, splitter.retracted)

    def _outcome(self) -> tuple[MessageState, CompletionError | None]:
        error = self._error or (None if self._has_ended else self._failure)
        if error is not None:
            broke = isinstance(error, BrokenStreamError) or (self.has_text and error.kind in {"connection", "timeout"})
            return (MessageState.INTERRUPTED if broke else MessageState.FAILED), error
        if self._end.is_queued:
            return MessageState.QUEUED, None
        if not self._has_ended and (self._dialect.needs_end or not self.has_text):
            return MessageState.INTERRUPTED, BrokenStreamError(
                "The connection closed before the reply was complete.", TRY_AGAIN
            )
        return MessageState.COMPLETE, None


def _latest(new: int | None, old: int | None) -> int | None:
    return old if new is None else new
