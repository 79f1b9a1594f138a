"""Which characters the terminal shows; known before the library is imported."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

UTF8 = "utf-8"
NO_LOCALES = ("C", "POSIX")
"""Locales that know ASCII only."""
COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python sets LC_CTYPE to where LANG is one of those; Source: PEP 538."""


def screen_encoding(environ: Mapping[str, str], encoding: str) -> str:
    """Which characters the terminal shows, by Python's name of the encoding.

    Python writes UTF-8 in the locale "C" too; there ASCII is what everybody can read. Where no variable names a
    locale, UTF-8 is taken: such terminals (containers, remote shells) show it nearly always.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return "ascii"
    return name if name != UTF8 or _is_utf8(environ) else "ascii"


def _is_utf8(environ: Mapping[str, str]) -> bool:
    lang = environ.get("LANG", "")
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or lang
    if not environ.get("LC_ALL") and named in COERCED and lang in NO_LOCALES:
        named = lang
    _, _, charset = named.partition("@")[0].rpartition(".")
    if "." not in named:
        return named not in NO_LOCALES
    return charset.lower().replace("-", "") == "utf8"
