"""The request body: a prompt and the fields that go with it, as bytes of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kimi_tui.core.prompt.prompt_view import PromptView
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import NOTHING
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.fields import FIELDS, SETTABLE


def build_body(prompt: str, fields: Mapping[str, object], extra: Mapping[str, object] = NOTHING) -> bytes:
    """Write the body: `input` first, then the fields in the table's order, then what other servers know.

    The bytes are made here, not by the HTTP library: they are what is shown, and a lone surrogate cannot break them.

    Args:
        prompt: The whole input.
        fields: Checked request fields without `input`.
        extra: Fields the table does not know, sent as they are; names of the table are passed over, since a value
            there has been checked against nothing.

    Raises:
        ValueError: A value is NaN or infinite; checked fields never are.
    """
    known = {name: fields[name] for name in SETTABLE if name in fields}
    unknown = {name: value for name, value in extra.items() if name not in FIELDS}
    document = {"input": prompt, **known, **unknown}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return replace_lone(text).encode("utf-8")


def request_body(view: PromptView, request: RequestSettings | None = None) -> bytes:
    """Write the body that is sent, or was sent, with an input.

    Args:
        view: The input.
        request: What the request says besides it; None = what the view says was sent.
    """
    if request is not None:
        return build_body(view.text, request.fields, request.extra)
    sent = NOTHING if view.sent is None else view.sent
    return build_body(view.text, sent, sent)
