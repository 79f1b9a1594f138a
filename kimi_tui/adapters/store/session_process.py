"""Large session files, read in a process of their own: a parser keeps everything else in its process from running.

This module is also the program that runs there. It has no terminal, writes the session in pieces to its standard output
(to take a piece apart keeps others from running too, so none is large), and ends with whoever started it.
"""

from __future__ import annotations

import contextlib
import copyreg
import io
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from kimi_tui.adapters.child_process import start_python
from kimi_tui.adapters.store.session_reading import parse_file
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import NOTHING, Message, Session

LARGE_FILE = 8_000_000
"""A file of more bytes is worth a process: what starts one takes as long as a tenth of that."""
PIECE_CHARS = 200_000
"""About how much text a piece holds, in characters; a longer message is one piece."""
LENGTH_BYTES = 8
"""Bytes of the length before each piece; a length of 0 ends the session."""


class SessionProcesses:
    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._has_stopped = False

    def read(self, path: Path) -> Session:
        """As `parse_file`; several threads may do so."""
        try:
            is_large = path.is_file() and path.stat().st_size > LARGE_FILE
        except OSError:
            is_large = False
        process = _start(path) if is_large else None
        if process is None:
            return parse_file(path)
        with process, contextlib.ExitStack() as end:
            end.callback(self._running.discard, process)
            end.callback(process.kill)
            self._running.add(process)
            if self._has_stopped:
                process.kill()
            assert process.stdout is not None
            return assemble(process.stdout, path)

    def stop(self) -> None:
        """End what is being read, and all that would be: whoever asked for it is leaving."""
        self._has_stopped = True
        for process in tuple(self._running):
            process.kill()


def _start(path: Path) -> subprocess.Popen[bytes] | None:
    try:
        return start_python(__name__, os.path.abspath(path))  # nothing is written to it: it hears its input end with us
    except (OSError, ValueError):
        return None


def assemble(stream: IO[bytes], path: Path) -> Session:
    """Raises StorageError where the file cannot be read, or the process ended before it was."""
    session, messages = None, list[Message]()
    while length := int.from_bytes(data := stream.read(LENGTH_BYTES), "big"):
        data = stream.read(length)
        if len(data) < length:
            raise _has_ended(path)
        piece = pickle.loads(data)
        if isinstance(piece, StorageError):
            raise piece
        if isinstance(piece, Session):
            session = piece
        else:
            messages += piece
    if session is None or len(data) < LENGTH_BYTES:
        raise _has_ended(path)
    return replace(session, messages=tuple(messages))


def _has_ended(path: Path) -> StorageError:
    return StorageError(f"{path} could not be read: what read it has ended.", "The file is as it was; try again.")


def pieces_of(session: Session) -> Iterator[object]:
    """The session without its messages, then these, some at a time."""
    yield replace(session, messages=())
    piece, chars = list[Message](), 0
    for message in session.messages:
        piece.append(message)
        chars += len(message.content) + len(message.reasoning or "")
        if chars >= PIECE_CHARS:
            yield piece
            piece, chars = [], 0
    yield piece


def write_pieces(pieces: Iterable[object], stream: IO[bytes]) -> None:
    for piece in pieces:
        data = io.BytesIO()
        pickler = pickle.Pickler(data, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = copyreg.dispatch_table | {type(NOTHING): _nothing}
        pickler.dump(piece)
        stream.write(data.tell().to_bytes(LENGTH_BYTES, "big"))
        stream.write(data.getbuffer())
    stream.write(bytes(LENGTH_BYTES))
    stream.flush()


def _nothing(value: object) -> str:
    """How the empty mapping that values share is written: by its name, so that they share it there too."""
    del value
    return "NOTHING"


def _end_with_parent() -> None:
    """End as soon as whoever started this is gone, however it went: the other end of the pipe is closed then."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main(path: str) -> None:
    """Read a session file and write its session, or why it cannot be read, to the standard output."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        pieces = pieces_of(parse_file(Path(path)))
    except StorageError as error:
        pieces = iter([error])
    write_pieces(pieces, sys.stdout.buffer)


if __name__ == "__main__":
    main(sys.argv[1])
