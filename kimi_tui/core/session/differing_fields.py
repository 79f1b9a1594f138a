"""What was sent with alternatives, as far as it differs among them: the label of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from kimi_tui.core.session.message_codec import encode_fields
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import one_line

Fields = Mapping[str, object]

SAYS_NOTHING = frozenset({"prompt_cache_key"})
"""Fields that differ without any difference to the reply."""
UNSTREAMED_SINCE = "num_responses"
"""Where it differs, so does `stream` by itself."""
VALUE_CHARS = 40
"""Most characters of a value in a label."""


def differing_fields(sent: Mapping[str, Fields | None]) -> dict[str, Fields]:
    """The fields of each alternative, by its id, of which they have not all the same value; None = it was not sent.

    Those with the most values stand first: they are what was tried out. `sent` = what was sent with each; None = nobody
    knows, and those are left out.
    """
    known = {id_: fields for id_, fields in sent.items() if fields is not None}
    first = next(iter(known.values()), {})
    if all(fields == first for fields in known.values()):  # of most alternatives this is all there is to do
        return {}
    plain = {id_: _comparable(fields) for id_, fields in known.items()}
    names = dict.fromkeys(name for fields in plain.values() for name in fields)
    values = {name: len({repr(fields.get(name)) for fields in plain.values()}) for name in names}
    differing = sorted((name for name in names if values[name] > 1), key=lambda name: -values[name])
    if UNSTREAMED_SINCE in differing and "stream" in differing:
        differing.remove("stream")
    return {id_: {name: fields.get(name) for name in differing} for id_, fields in plain.items()} if differing else {}


def _comparable(fields: Fields) -> Fields:
    """What may make a difference, each value in one way: as it is, or as a file of sessions has it."""
    return {name: _plain(value) for name, value in encode_fields(fields).items() if name not in SAYS_NOTHING}


def _plain(value: object) -> object:
    """One number in one way."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def setting_labels(replies: Iterable[tuple[str | None, str, Fields | None]]) -> dict[str, str]:
    """What the request of a reply says that those of its alternatives do not, in words, by its id, where any does.

    `replies` are told of by the id of their question, their own, and what was sent with them.
    """
    families: dict[str | None, dict[str, Fields | None]] = {}
    for parent, id_, sent in replies:
        if sent is not None:
            families.setdefault(parent, {})[id_] = sent
    several = (family for family in families.values() if len(family) > 1)
    return {id_: setting_words(fields) for family in several for id_, fields in differing_fields(family).items()}


def setting_words(fields: Fields) -> str:
    """Write fields and their values, such as "temperature 0.5 · no seed"; "" = there are none."""
    return dotted(*field_words(fields))


def field_words(fields: Fields) -> list[str]:
    return [f"no {name}" if value is None else f"{name} {_value_words(value)}" for name, value in fields.items()]


def _value_words(value: object) -> str:
    """Text as it is where that is seen, all else as JSON."""
    value = _plain(value)
    text = one_line(value, VALUE_CHARS) if isinstance(value, str) else ""
    return text or one_line(json.dumps(value, ensure_ascii=False, default=str), VALUE_CHARS)
