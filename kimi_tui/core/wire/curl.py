"""A request as a curl command that can be pasted into a POSIX shell."""

from __future__ import annotations

from kimi_tui.core.wire.dialect import Dialect

MAX_ARGUMENT_BYTES = 30_000
"""Longest body handed over as an argument; a longer one goes through a pipe.

Linux takes 128 KiB for one argument, other systems as little as 32 KiB for all of them; a pipe has no limit.
"""
LINE_CHARS = 240
"""Characters of a body on one line; each takes at most four bytes, a quoted quote too.

A terminal that a shell reads from without a line editor drops what goes beyond 4,096 bytes a line, on macOS 1,024.
"""
CONTINUED = " \\\n  "


def curl_command(dialect: Dialect, url: str, body: bytes, *, is_streamed: bool) -> str:
    """Send a body as `body.build_body` writes it, byte for byte the same; what is streamed is shown as it comes.

    The key itself is not written: the shell puts it in.
    """
    command = f"curl {'-N ' if is_streamed else ''}{_quoted(url)}"
    parts = [command, f'-H "Authorization: Bearer ${dialect.key_variable}"', "-H 'Content-Type: application/json'"]
    argument = _quoted(body.decode("utf-8"))
    if len(argument.encode()) <= MAX_ARGUMENT_BYTES:
        return CONTINUED.join([*parts, f"--data-raw {argument}"])
    # printf is built into the shells, so no argument is too long for it; a here-document would add a line end.
    return f"printf %s {argument} |\n" + CONTINUED.join([*parts, "--data-binary @-"])


def _quoted(text: str) -> str:
    """Quote a text for a POSIX shell: nothing in it is expanded, and a long one goes over several lines."""
    pieces = [text[start : start + LINE_CHARS] for start in range(0, len(text), LINE_CHARS)]
    return "\\\n".join("'" + piece.replace("'", "'\\''") + "'" for piece in pieces)
