"""The user's own editor: the program of $VISUAL or $EDITOR, with a text in a file that nobody else can read.

The file holds exactly the text, and what it holds afterwards is the text. One line end is left out where it was added
at the very end and the text had none there: most editors add it, and it would change what is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kimi_tui.adapters.child_environ import child_environ
from kimi_tui.adapters.files import read_file
from kimi_tui.core.errors import StorageError, UsageError
from kimi_tui.core.faults import reason_of

VARIABLES = ("VISUAL", "EDITOR")
"""Where the environment names it, first one first."""
USUAL = ("nano", "vi")
"""What is looked for where it names none."""
FILE_NAME = "kimi-tui-input.txt"
LINE_END_LEFT_OUT = "A line end that the editor added at the end was left out."


class SystemEditor:
    """See `core.ports.TextEditor`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Look for programs on the PATH of `environ`."""
        self._environ = environ

    def check(self) -> None:
        self._command()

    def _command(self) -> Sequence[str]:
        """Raises UsageError where there is none."""
        named = next((words for name in VARIABLES if (words := self._environ.get(name, "").strip())), "")
        if not named:
            found = next((name for name in USUAL if self._found(name)), None)
            if found is None:
                raise UsageError("No editor is named.", "Set EDITOR, for example to nano.")
            return [found]
        try:
            command = shlex.split(named)
        except ValueError:
            command = []
        if not command or not self._found(command[0]):
            raise UsageError(f"There is no program {named!r}, which EDITOR or VISUAL names.")
        return command

    def _found(self, name: str) -> str | None:
        return shutil.which(name, path=self._environ.get("PATH"))

    async def edit(self, text: str) -> tuple[str, str]:
        with _interrupts_left_to_it():
            return await asyncio.to_thread(self._edit, text)

    def _edit(self, text: str) -> tuple[str, str]:
        command = self._command()
        try:
            with tempfile.TemporaryDirectory(prefix="kimi-tui-") as folder:
                path = Path(folder) / FILE_NAME
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(text.encode("utf-8", "replace"))
                status = self._run(command, path)
                if status:
                    return text, f"{command[0]} ended with status {status}; the text is as it was."
                edited = read_file(path).decode("utf-8", "replace")
        except OSError as error:
            raise StorageError(f"The text could not be edited there: {reason_of(error)}.") from error
        if edited.endswith("\n") and not text.endswith("\n") and edited != text:
            return edited.removesuffix("\n"), LINE_END_LEFT_OUT
        return edited, ""

    def _run(self, command: Sequence[str], path: Path) -> int:
        program = self._found(command[0]) or command[0]
        return subprocess.run(
            (program, *command[1:], str(path)), env=child_environ(self._environ), check=False
        ).returncode


@contextlib.contextmanager
def _interrupts_left_to_it() -> Iterator[None]:
    """Ctrl+C in an editor is the editor's; it begins with the usual handlers again."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ValueError):  # not the main thread: it takes no signals
            for number in (signal.SIGINT, signal.SIGQUIT):
                stack.callback(signal.signal, number, signal.signal(number, lambda *_: None))
        yield
