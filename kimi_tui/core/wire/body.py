"""The request body: a prompt and the fields that go with it, as bytes of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.text.json_strings import escaped
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.text.text_pieces import pieces_of
from kimi_tui.core.wire.dialect import Dialect


def build_body(
    dialect: Dialect, model: str, prompt: str | GrowingText, fields: Mapping[str, object], extra: Mapping[str, object]
) -> bytes:
    """Write the prompt and the fields that the dialect carries, then `extra` as it is, but for reserved names.

    The bytes are made here, not by the HTTP library: they are what is shown, and a lone surrogate cannot break them.
    Raises ValueError where a value is NaN or infinite; checked fields never are.
    """
    carried = {name: fields[name] for name in dialect.fields if name in fields}
    document = {**dialect.write_body(model, "", carried), **dialect.unreserved(extra)}
    return b"".join(_pieces(document, dialect.prompt_name, prompt))


def _pieces(document: Mapping[str, object], prompt_name: str, prompt: str | GrowingText) -> Iterator[bytes]:
    """A long prompt is written piece by piece, so that others may run meanwhile."""
    texts = (replace_lone(prompt),) if isinstance(prompt, str) else prompt.pieces
    before = "{"
    for name, value in document.items():
        yield f"{before}{_json(name)}:".encode()
        if name == prompt_name:
            yield b'"'
            yield from (escaped(piece).encode("utf-8") for text in texts for piece in pieces_of(text))
            yield b'"'
        else:
            yield _json(value).encode("utf-8")
        before = ","
    yield b"}"


def _json(value: object) -> str:
    return replace_lone(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
