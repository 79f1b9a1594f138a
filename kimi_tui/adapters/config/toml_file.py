"""The TOML files that people write: settings and themes."""

from __future__ import annotations

import re
from pathlib import Path

from kimi_tui.adapters.files import MAX_CONFIG_BYTES, read_file
from kimi_tui.core.text.toml_parsing import parse_toml

_LINE = re.compile(r"at line ([0-9]+)")
_LINE_END = re.compile(r" \(at (line [0-9]+, column [0-9]+|end of document)\)$")


class TomlError(ValueError):
    """Its text says what a file holds instead of TOML."""

    def __init__(self, line: int, found: str) -> None:
        """`line` counts from 1."""
        super().__init__(found)
        self.line = line


def read_toml(path: Path) -> tuple[str, dict[str, object]]:
    """Read the text of a file, without a byte order mark, and what it says; raises OSError, TomlError."""
    text = ""
    try:
        text = read_file(path, max_bytes=MAX_CONFIG_BYTES).decode("utf-8-sig")
        return text, parse_toml(text)
    except UnicodeDecodeError as error:
        line, found = error.object.count(b"\n", 0, error.start) + 1, "bytes that are not UTF-8"
    except RecursionError:
        line, found = 1, "values nested too deep"
    except ValueError as error:  # TOMLDecodeError, and the limit of int() for numbers of thousands of digits
        place = _LINE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        found = f"what is not TOML ({_LINE_END.sub('', str(error))})"
    raise TomlError(line, found)
