"""TOML read without what a hostile file could do with long keys: the standard library's parser takes minutes for one.

Its time grows with the square of a key's parts: 100,000 of them in one line of 200 kB take a minute and a half.
"""

from __future__ import annotations

import re

MAX_PARTS = 100
"""Most parts of a dotted key, and of a heading; what is written stays below it too."""
_TEXT = re.compile(
    r'''"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}|\'\'\'(?:[^']|'{1,2}(?!'))*+'{3,5}'''
    r"""|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|#[^\n]*+""",
    re.DOTALL,
)
"""A string or a comment: what stands in it is no key. Source: TOML 1.0."""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}")


def parse_toml(text: str) -> dict[str, object]:
    """Raises ValueError where it is no TOML, or has a key too long; RecursionError where it is nested too deeply."""
    import tomllib  # noqa: PLC0415 - not every run reads a file

    check_keys(text)
    return tomllib.loads(text)


def check_keys(text: str) -> None:
    """Raises ValueError where a key has more than `MAX_PARTS` parts; that a text is TOML is not checked."""
    if any(line.count(".") >= MAX_PARTS for line in text.split("\n")) and _LONG_KEY.search(_TEXT.sub("0", text)):
        raise ValueError(f"a key of more than {MAX_PARTS} parts")
