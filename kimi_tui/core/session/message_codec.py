"""Messages as plain data and back: the shape that session files, journals and recordings share.

Keys that this version does not know are kept where they stood.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.file_table import FileTable
from kimi_tui.core.session.kept_thinking import ALLOWED, KeptThinking, as_kept_thinking
from kimi_tui.core.session.session import (
    MAX_INTEGER,
    NO_TIMING,
    NO_USAGE,
    NOTHING,
    Message,
    MessageState,
    RequestKind,
    RequestRecord,
    RequestStart,
    Role,
    Timing,
    Usage,
)
from kimi_tui.core.session.written import FIELDS, Begun, WrittenRange
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.text.shared_words import shared

# -- values to plain data


def encode_message(message: Message) -> dict[str, object]:
    known: dict[str, object] = {
        "id": message.id,
        "parent": message.parent,
        "role": str(message.role),
        "reasoning": message.reasoning,
        "content": message.content,
        "created": message.created,
        "state": message.state and str(message.state),
        "finish_reason": message.finish_reason,
        "request_id": message.request_id,
        "model": message.model,
        "template": message.template,
        "thinking": message.thinking,
        "reopened": message.reopened or None,
        "thinking_end": message.thinking_end,
        "cut_tail": message.cut_tail or None,
        "thinking_tokens": message.thinking_tokens,
        "system": message.system,
        "left_out": list(message.left_out) or None,
        "kept_thinking": message.kept_thinking or None,
        "neutralise": None if message.neutralise else False,
        "excluded": message.excluded or None,
        "edited": message.edited or None,
        "pinned": message.pinned or None,
        "name": message.name or None,
        "raw_input": message.raw_input,
        **message.extra,
        "begun": (message.begun and encode_begun(message.begun)) or message.extra.get("begun"),
        "written": _encode_written(message) or message.extra.get("written"),
        "sent": None if message.sent is None else encode_fields(message.sent),
        "usage": message.usage and _encode_usage(message.usage),
        "timing": message.timing and _encode_timing(message.timing),
        "requests": [encode_request(request) for request in message.requests] or None,
    }
    return without_none(known, message.extra)


def without_none(table: Mapping[str, object], extra: Mapping[str, object]) -> dict[str, object]:
    """Leave out what is not set; a null that a file brought along stays."""
    return {key: value for key, value in table.items() if value is not None or key in extra}


def encode_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """Write request fields so that both formats can hold them: a response format as its JSON, a huge seed as digits."""
    found = dict(fields)
    if isinstance(found.get("response_format"), dict):
        found["response_format"] = json.dumps(found["response_format"], ensure_ascii=False)
    seed = found.get("seed")
    if isinstance(seed, int) and not -MAX_INTEGER - 1 <= seed <= MAX_INTEGER:
        found["seed"] = str(seed)
    return found


def _encode_usage(usage: Usage) -> dict[str, object] | None:
    table = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "cost_usd": usage.cost_usd}
    return without_none({**table, **usage.extra}, usage.extra) or None


def _encode_timing(timing: Timing) -> dict[str, object] | None:
    table = {"first_token_s": timing.first_token_s, "thinking_s": timing.thinking_s, "total_s": timing.total_s}
    return without_none({**table, **timing.extra}, timing.extra) or None


def encode_begun(begun: Begun) -> dict[str, object]:
    table: dict[str, object] = {"reasoning": begun.reasoning or None, "content": begun.content, "of": begun.of}
    return without_none({**table, **begun.extra}, begun.extra)


def encode_ranges(written: Sequence[WrittenRange]) -> list[object]:
    return [{"field": it.field, "start": it.start, "end": it.end} for it in written]


def _encode_written(message: Message) -> list[object]:
    """Its ranges, and behind them what a file had beside them that are none."""
    others = message.extra.get("written")
    return [*encode_ranges(message.written), *(others if isinstance(others, list) else [])]


def encode_request(request: RequestRecord) -> dict[str, object]:
    table: dict[str, object] = {
        "kind": request.kind,
        "state": request.state and request.state.value,
        "request_id": request.request_id,
        "finish_reason": request.finish_reason,
        "estimated": request.is_estimated or None,
        "began": request.start and _encode_start(request.start),
        **request.extra,
        "sent": None if request.sent is None else encode_fields(request.sent),
        "usage": _encode_usage(request.usage),
        "timing": _encode_timing(request.timing),
    }
    return without_none(table, request.extra)


def _encode_start(start: RequestStart) -> dict[str, object]:
    table: dict[str, object] = {
        "reasoning": start.reasoning,
        "content": start.content,
        "thinking": start.is_thinking,
        "retracted": start.retracted or None,
    }
    return without_none(table, NOTHING)


# -- plain data to values


@lru_cache(maxsize=64)
def _place_of(words: str) -> dict[str, object]:
    """Where a table stands that is written so."""
    del words
    return {}


def _take_sent(table: FileTable) -> Mapping[str, object] | None:
    """Take what a request sent, the same table as others that sent the same: in most sessions all do."""
    found = table.table("sent")
    if not found:
        return found
    place = _place_of(repr(found))  # which tells 1, 1.0 and true apart
    place.update(found)
    return place


def decode_message(data: object, place: str = "") -> Message:
    """Read one message that stands at a place of the file, times as strings or not; one that is read already stays.

    StorageError says what is wrong with it.
    """
    if isinstance(data, Message):
        return data
    table = FileTable(data, place)
    written, begun = _take_written(table), _take_begun(table)
    return Message(
        written=written,
        begun=begun,
        edited=table.yes("edited"),
        pinned=table.yes("pinned"),
        name=table.text_if_any("name") or "",
        raw_input=table.text_if_any("raw_input"),
        id=shared(table.needed_text("id")),
        role=_message_role(table),
        content=table.needed_text("content"),
        parent=table.word("parent"),
        created=table.time("created"),
        reasoning=table.text("reasoning"),
        state=table.choice("state", MessageState),
        finish_reason=table.word("finish_reason"),
        request_id=table.text("request_id"),
        model=table.word("model"),
        template=table.word("template"),
        thinking=table.flag("thinking"),
        reopened=table.flag("reopened") is True,
        thinking_end=table.word("thinking_end"),
        cut_tail=table.text("cut_tail") or "",
        thinking_tokens=table.count("thinking_tokens"),
        sent=_take_sent(table),
        usage=_decode_usage(table),
        timing=_decode_timing(table),
        requests=table.rows("requests", decode_request),
        system=_take_system(table),
        left_out=table.texts("left_out"),
        kept_thinking=_decode_kept_thinking(table),
        neutralise=table.flag("neutralise") is not False,
        excluded=table.flag("excluded") or False,
        extra=table.others(),
    )


def message_or_data(data: object) -> object:
    """What cannot be read stays as it is, for what is wrong with it to be told in its place."""
    try:
        return decode_message(data)
    except StorageError:
        return data


def _take_system(table: FileTable) -> str | Literal[False] | None:
    if table.rest.get("system") is False:
        del table.rest["system"]
        return False
    return table.text("system")


def _take_written(table: FileTable) -> tuple[WrittenRange, ...]:
    """Take what are ranges; whatever else stands there is of no harm, and stays as an unknown key does."""
    rows = table.rest.get("written")
    if not isinstance(rows, list):
        return ()
    table.rest["written"] = [row for row in rows if decode_range(row) is None]
    if not table.rest["written"]:
        table.rest.pop("written")
    return tuple(found for row in rows if (found := decode_range(row)) is not None)


def decode_range(row: object) -> WrittenRange | None:
    """None = it is no range that is known here."""
    if not isinstance(row, dict) or row.keys() != {"field", "start", "end"} or row["field"] not in FIELDS:
        return None
    start, end = row["start"], row["end"]
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        return None
    return WrittenRange(row["field"], start, end)


def _take_begun(table: FileTable) -> Begun | None:
    """What cannot be understood stays as an unknown key does."""
    found = table.rest.get("begun")
    if not isinstance(found, dict):
        return None
    rest = {key: value for key, value in found.items() if key not in {"reasoning", "content", "of"}}
    reasoning, content, of = found.get("reasoning", 0), found.get("content"), found.get("of")
    is_count = all(type(n) is int and n >= 0 for n in (reasoning, 0 if content is None else content))
    if not is_count or not isinstance(of, str | None):
        return None
    table.rest.pop("begun")
    return Begun(reasoning, content, of, rest or NOTHING)


def _message_role(table: FileTable) -> Role:
    role = table.choice("role", Role)
    if role is None or role is Role.SYSTEM:
        raise StorageError(f"{table.path('role')}: found {role or 'nothing'}, allowed user, assistant.")
    return role


def _decode_kept_thinking(table: FileTable) -> KeptThinking:
    value = table.take("kept_thinking", ALLOWED, int, str)
    kept = 0 if value is None else as_kept_thinking(value)
    if kept is None:
        raise StorageError(f"{table.path('kept_thinking')}: found {quoted(value)}, allowed {ALLOWED}.")
    return kept


def _decode_usage(table: FileTable) -> Usage | None:
    if (inner := table.inner("usage")) is None:
        return None
    return Usage(inner.count("input_tokens"), inner.count("output_tokens"), inner.number("cost_usd"), inner.others())


def _decode_timing(table: FileTable) -> Timing | None:
    if (inner := table.inner("timing")) is None:
        return None
    return Timing(inner.number("first_token_s"), inner.number("thinking_s"), inner.number("total_s"), inner.others())


def decode_request(data: object, place: str = "") -> RequestRecord:
    """As `encode_request` writes it; StorageError where it is none."""
    table = FileTable(data, place)
    return RequestRecord(
        kind=table.text("kind") or RequestKind.REPLY,
        state=table.choice("state", MessageState),
        request_id=table.text("request_id"),
        finish_reason=table.text("finish_reason"),
        usage=_decode_usage(table) or NO_USAGE,
        timing=_decode_timing(table) or NO_TIMING,
        sent=_take_sent(table),
        start=_decode_start(table),
        is_estimated=table.flag("estimated") is True,
        extra=table.others(),
    )


def _decode_start(table: FileTable) -> RequestStart | None:
    if (inner := table.inner("began")) is None:
        return None
    reasoning, content = inner.count("reasoning") or 0, inner.count("content") or 0
    return RequestStart(reasoning, content, inner.flag("thinking") is True, inner.text("retracted") or "")
