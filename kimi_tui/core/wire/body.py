"""The request body: a prompt and the fields that go with it, as bytes of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.dialect import Dialect


def build_body(
    dialect: Dialect, model: str, prompt: str, fields: Mapping[str, object], extra: Mapping[str, object]
) -> bytes:
    """Write the body: the prompt and the fields as the dialect has them, then what is sent as it is.

    The bytes are made here, not by the HTTP library: they are what is shown, and a lone surrogate cannot break them.

    Args:
        dialect: Whose words they are; fields that it does not carry are left out.
        model: The model that is asked.
        prompt: The whole input.
        fields: Checked request fields by our names.
        extra: Fields that only the server knows, sent as they are; reserved names are passed over.

    Raises:
        ValueError: A value is NaN or infinite; checked fields never are.
    """
    carried = {name: fields[name] for name in dialect.fields if name in fields}
    document = {**dialect.write_body(model, prompt, carried), **dialect.unreserved(extra)}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return replace_lone(text).encode("utf-8")
