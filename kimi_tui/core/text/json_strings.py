"""Texts as they stand inside a string of JSON."""

from __future__ import annotations

import json


def escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
