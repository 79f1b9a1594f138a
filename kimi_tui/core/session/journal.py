"""The journal of a session: what its replies say while they grow, as records, a line of JSON each.

It is what a process that dies leaves of them. The first record tells its version, whose journal it is and what the
session is; then each turn has one of its beginning, one for each time its reply was looked at since it grew, and, where
that could not be saved, one of what became of it. A record that cannot be read costs what it says and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.growing_reply import GrowingReply, OpenRequest, ReplyPart, ReplyView, texts_of
from kimi_tui.core.session.message_codec import (
    decode_message,
    decode_range,
    decode_request,
    encode_message,
    encode_ranges,
    encode_request,
)
from kimi_tui.core.session.session import Message, MessageState, RequestRecord, Role, Session
from kimi_tui.core.session.session_toml import iso_stamp
from kimi_tui.core.session.tree import SentContext
from kimi_tui.core.session.written import WrittenRange
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.text.json_values import as_text, as_whole
from kimi_tui.core.text.surrogates import replace_lone

VERSION = 1
"""Rises only when a reader of the old one would misread."""
GAP = "\ufffd"
"""What stands where a record that cannot be read had text."""


@dataclass(frozen=True, slots=True)
class JournalHead:
    file_name: str
    """Of the session's file."""
    host: str
    pid: int
    """The process that wrote it, on that host."""
    session: Session
    """Without its messages."""


@dataclass(frozen=True, slots=True)
class TurnStart:
    beginning: Message
    question: Message
    is_thinking: bool
    context: SentContext
    head_before: str | None


@dataclass(frozen=True, slots=True)
class Growth:
    """What a reply has become since it was looked at last."""

    reply_id: str
    pieces: Mapping[ReplyPart, tuple[int, str]]
    """What came of each part, and where it begins there, in code points: what stood there, and behind it, is gone."""
    is_thinking: bool
    requests: tuple[RequestRecord, ...] = ()
    """All that have ended."""
    open_request: RequestRecord | None = None
    """The one that runs, as if it broke off then."""
    thinking_end: str | None = None
    cut_tail: str = ""
    written: tuple[WrittenRange, ...] | None = None
    """What of it the user wrote; None = as it began."""
    thinking_tokens: int = 0
    """All that came of the thinking in this turn."""
    held: tuple[ReplyPart, str] | None = None
    """What would stand at the end of a part if the request that runs broke off then; None = nothing besides."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    reply_id: str
    replies: tuple[Message, ...]
    """The messages that the turn brought and nobody could save."""


Record = JournalHead | TurnStart | Growth | TurnResult


class GrowthLog:
    """Looks at a growing reply again and again, and tells what has come since."""

    def __init__(self, reply: ReplyView) -> None:
        self._reply = reply
        self._told: tuple[object, ...] | None = None
        self._shortenings = 0  # it may have been shortened before: then all is told
        self._lengths = {part: len(text) for part, text in texts_of(reply.beginning).items()}

    def look(self, running: OpenRequest | None) -> Growth | None:
        """None = nothing has come. What it costs grows with what has come alone."""
        reply, pieces = self._reply, dict[ReplyPart, tuple[int, str]]()
        if reply.shortenings != self._shortenings:  # seldom, so that all is told once more
            self._shortenings, self._lengths = reply.shortenings, dict.fromkeys(ReplyPart, 0)
            pieces = dict.fromkeys(ReplyPart, (0, ""))
        for part, start in self._lengths.items():
            end = len(reply.texts[part])
            if end > start:
                pieces[part] = (start, reply.texts[part].between(start, end))
                self._lengths[part] = end
        is_thinking = reply.is_thinking if running is None else running.is_thinking
        held = (running.part, running.held) if running is not None and running.held else None
        thinking_tokens = reply.tokens[ReplyPart.REASONING]
        if running is not None and running.part is ReplyPart.REASONING:
            thinking_tokens += running.held_tokens
        told = (is_thinking, len(reply.requests), reply.thinking_end, held)
        if not pieces and told == self._told:
            return None
        self._told = told
        return Growth(
            reply.id,
            pieces,
            is_thinking,
            reply.requests,
            None if running is None else running.record,
            reply.thinking_end,
            reply.cut_tail,
            reply.written if reply.beginning.written else None,
            thinking_tokens,
            held,
        )


# -- writing


def encode_record(record: Record) -> bytes:
    """One line, with its end."""
    line = json.dumps(_plain(record), ensure_ascii=False, default=_plain_value)
    return replace_lone(line).encode() + b"\n"


def _plain(record: Record) -> dict[str, object]:
    match record:
        case JournalHead():
            session = encode_session(replace(record.session, messages=(), head=None))
            names = {"file": record.file_name, "host": record.host, "pid": record.pid}
            return {"journal": VERSION, **names, "session": session}
        case TurnStart():
            return {
                "begins": encode_message(record.beginning),
                "question": encode_message(record.question),
                "thinking": record.is_thinking,
                "system": record.context.system,
                "left_out": list(record.context.left_out),
                "head_before": record.head_before,
            }
        case Growth():
            return {
                "grows": record.reply_id,
                **{str(part): list(piece) for part, piece in record.pieces.items()},
                "thinking": record.is_thinking,
                "thinking_tokens": record.thinking_tokens,
                "requests": [encode_request(request) for request in record.requests],
                "open": record.open_request and encode_request(record.open_request),
                **({"thinking_end": record.thinking_end, "cut_tail": record.cut_tail} if record.thinking_end else {}),
                **({} if record.written is None else {"written": encode_ranges(record.written)}),
                **({} if record.held is None else {"held": list(record.held)}),
            }
        case TurnResult():
            return {"ends": record.reply_id, "replies": [encode_message(reply) for reply in record.replies]}


def _plain_value(value: object) -> str:
    """What JSON cannot hold: times, and what a TOML file may have in keys that are not ours."""
    return iso_stamp(value) if isinstance(value, datetime) else str(value)


# -- reading


@dataclass(slots=True)
class JournalledTurn:
    reply_id: str
    start: TurnStart | None = None
    """None = its record cannot be read."""
    growths: list[Growth] = field(default_factory=list)
    result: TurnResult | None = None
    """What became of it; None = it had not ended."""

    def reply(self, beginning: Message, *, is_thinking: bool) -> GrowingReply:
        """Let the reply grow from its beginning as it did; a request that ran has broken off."""
        if not self.growths:
            return GrowingReply(beginning, is_thinking=is_thinking)
        last = self.growths[-1]
        requests = last.requests if last.open_request is None else (*last.requests, last.open_request)
        reply = GrowingReply(beginning, is_thinking=last.is_thinking, requests=requests)
        self._regrow(reply.texts)
        if last.held is not None:
            part, text = last.held
            reply.texts[part].append(text)
        reply.tokens[ReplyPart.REASONING] = last.thinking_tokens
        if last.thinking_end is not None:
            reply.thinking_end, reply.cut_tail = last.thinking_end, last.cut_tail
        if last.written is not None:
            reply.written = last.written
        return reply

    def _regrow(self, texts: Mapping[ReplyPart, GrowingText]) -> None:
        ends = {part: len(text) for part, text in texts.items()}
        for growth in self.growths:
            for part, (start, text) in growth.pieces.items():
                if start > ends[part]:
                    texts[part].append(GAP)
                elif start < ends[part]:
                    texts[part].shorten(start)
                texts[part].append(text)
                ends[part] = start + len(text)


@dataclass(slots=True)
class Journal:
    head: JournalHead | None = None
    """None = its record cannot be read."""
    turns: dict[str, JournalledTurn] = field(default_factory=dict)
    """By the reply's id, in the order in which they began."""
    is_garbled: bool = False
    """Whether a record cannot be read; one that broke off at the end is none."""
    is_newer: bool = False
    """Whether a newer version wrote it, and nothing of it was read."""

    @property
    def is_empty(self) -> bool:
        return self.head is None and not self.turns


def read_journal(data: bytes) -> Journal:
    """Read what can be read; raises nothing."""
    journal = Journal()
    *lines, torn = data.split(b"\n")
    for line in filter(None, lines):
        if not _read_line(journal, line):
            journal.is_garbled = True
    _read_line(journal, torn)
    return journal if not journal.is_newer else Journal(is_newer=True)


def _read_line(journal: Journal, line: bytes) -> bool:
    """Note the record of a line; whether it is one."""
    try:
        plain = json.loads(line.decode())
        kind = next(iter(plain))
        if kind == "journal" and as_whole(plain[kind]) > VERSION:
            journal.is_newer = True
        else:
            _note(journal, DECODERS[kind](plain))
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError, StorageError):
        return False
    return True


def _note(journal: Journal, record: Record) -> None:
    match record:
        case JournalHead():
            journal.head = record
        case TurnStart():  # one that is written again goes before what was
            journal.turns[record.beginning.id] = JournalledTurn(record.beginning.id, record)
        case Growth():
            _turn(journal, record.reply_id).growths.append(record)
        case TurnResult():
            _turn(journal, record.reply_id).result = record


def _turn(journal: Journal, reply_id: str) -> JournalledTurn:
    return journal.turns.setdefault(reply_id, JournalledTurn(reply_id))


# Each raises ValueError, TypeError, KeyError or StorageError where it is no such record.


def _head(plain: Mapping[str, object]) -> JournalHead:
    file_name, host = _text(plain["file"]), _text(plain["host"])
    return JournalHead(file_name, host, as_whole(plain["pid"]), decode_session(plain["session"]))


def _start(plain: Mapping[str, object]) -> TurnStart:
    system, head_before, left_out = plain["system"], plain["head_before"], plain["left_out"]
    beginning, question = decode_message(plain["begins"]), decode_message(plain["question"])
    if (beginning.role, question.role) != (Role.ASSISTANT, Role.USER):
        raise ValueError("a question and a reply are needed")
    return TurnStart(
        beginning,
        question,
        plain["thinking"] is True,
        SentContext(None if system is None else _text(system), tuple(map(_text, _rows(left_out)))),
        None if head_before is None else _text(head_before),
    )


def _growth(plain: Mapping[str, object]) -> Growth:
    open_request = plain["open"]
    return Growth(
        _text(plain["grows"]),
        {part: _piece(plain[part]) for part in ReplyPart if part in plain},
        plain["thinking"] is True,
        tuple(map(decode_request, _rows(plain["requests"]))),
        None if open_request is None else decode_request(open_request),
        None if plain.get("thinking_end") is None else _text(plain["thinking_end"]),
        _text(plain.get("cut_tail", "")),
        _ranges(plain["written"]) if "written" in plain else None,
        as_whole(plain.get("thinking_tokens", 0)),
        _held(plain["held"]) if "held" in plain else None,
    )


def _result(plain: Mapping[str, object]) -> TurnResult:
    return TurnResult(_text(plain["ends"]), tuple(map(decode_message, _rows(plain["replies"]))))


DECODERS: Mapping[str, Callable[[Mapping[str, object]], Record]] = {
    "journal": _head, "begins": _start, "grows": _growth, "ends": _result,
}  # fmt: skip
"""By a record's first key."""


def _piece(value: object) -> tuple[int, str]:
    start, text = _rows(value)
    return as_whole(start), _text(text)


def _held(value: object) -> tuple[ReplyPart, str]:
    part, text = _rows(value)
    return ReplyPart(_text(part)), _text(text)


def _ranges(value: object) -> tuple[WrittenRange, ...]:
    return tuple(found for row in _rows(value) if (found := decode_range(row)) is not None)


def _rows(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError("a list is needed")
    return value


def _text(value: object) -> str:
    return replace_lone(as_text(value))


def broken_off(message: Message) -> Message:
    """Mark a message of which nobody knows more: what had ended by itself stays so."""
    is_open = message.state in {None, MessageState.CANCELLED}
    return replace(message, state=MessageState.INTERRUPTED) if is_open else message
