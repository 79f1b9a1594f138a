"""The standard streams: what is piped in, results, and what is told beside them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

from kimi_tui.core.errors import CompletionError, KimiError, UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.text.surrogates import replace_lone


@dataclass(frozen=True, slots=True)
class Console:
    stdin: TextIO | None
    """None = closed."""
    stdout: TextIO
    stderr: TextIO

    @classmethod
    def of_process(cls) -> Console:
        """A closed output is written to nowhere."""
        return cls(sys.stdin, sys.stdout or _nowhere(), sys.stderr or _nowhere())

    def read_stdin(self) -> str:
        """Everything that was piped in, exactly; "" where nothing was. What is no UTF-8 is replaced, and told."""
        if self.stdin is None or self.stdin.closed:
            return ""
        from kimi_tui.adapters.files import MAX_FILE_BYTES, read_bounded

        try:
            data = read_bounded(self.stdin.buffer, MAX_FILE_BYTES)
        except OSError as error:
            raise UsageError(f"Standard input cannot be taken: {reason_of(error)}.") from error
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.tell(f"standard input is not UTF-8 (byte {error.start}); what cannot be read became U+FFFD.")
            return data.decode("utf-8", "replace")

    @property
    def has_piped_stdin(self) -> bool:
        return self.stdin is not None and not self.stdin.closed and not self.stdin.isatty()

    def write(self, text: str) -> None:
        """Write a result: exactly, or on a terminal with control characters made visible."""
        _write(self.stdout, text)

    def write_line(self, line: str) -> None:
        self.write(line + "\n")

    def write_aside(self, text: str) -> None:
        """Write text of a reply to standard error: exactly, or on a terminal with control characters made visible."""
        _write(self.stderr, text)

    def tell(self, line: str, hint: str = "") -> None:
        """Tell something on standard error, with what to do about it."""
        _write_bytes(self.stderr, _visible(f"kimi-tui: {line}\n" + (f"  {hint}\n" if hint else "")))

    def tell_error(self, error: KimiError, more: str = "") -> None:
        """Tell what went wrong, with `more` about it; what the network brought keeps to the terminal's width."""
        from kimi_tui.core.text.cells import folded
        from kimi_tui.core.text.visible import visible_line

        lines = [f"kimi-tui: {error.summary}", error.quote, " ".join(filter(None, (more, error.hint)))]
        lines = [visible_line(f"{'  ' if place else ''}{line}") for place, line in enumerate(lines) if line]
        columns = _columns(self.stderr) if isinstance(error, CompletionError) else None
        if columns is not None:
            lines = [part for line in lines for part in folded(line, columns)]
        _write_bytes(self.stderr, "\n".join([*lines, ""]))


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _visible(text: str) -> str:
    from kimi_tui.core.text.visible import visible

    return visible(text)


def _columns(stream: TextIO) -> int | None:
    """The width of a terminal; None = the stream is none, or it does not say."""
    try:
        return (os.get_terminal_size(stream.fileno()).columns or None) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def _write(stream: TextIO, text: str) -> None:
    _write_bytes(stream, _visible(text) if stream.isatty() else text)


def _write_bytes(stream: TextIO, text: str) -> None:
    """Write text as UTF-8 whatever the locale says, with no newline changed, and send it off at once."""
    stream.flush()
    stream.buffer.write(replace_lone(text).encode())
    stream.flush()
