"""The command line that goes on with a session, printed when the screen is left: it works as it stands."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

from kimi_tui.cli.arguments import COMMANDS

NAME = "kimi-tui"
MODULE_FILE = "__main__.py"
"""What `python -m` names as the program: a file that is none to be called."""
PLACES = {"config": "KIMI_TUI_CONFIG", "data_dir": "KIMI_TUI_DATA_DIR", "base_url": "", "model": ""}
"""Options that are named again, each with the variable that may stand for it; it may be gone the next time."""


def resume_line(options: Namespace, environ: Mapping[str, str], session: str, started_as: str = sys.argv[0]) -> str:
    """The arguments are of this run; `started_as` is the program's name as the interpreter was given it."""
    words = [*program_words(environ, started_as), *(["--demo"] if options.demo else [])]
    for name, variable in PLACES.items():
        named = environ.get(variable)
        if name == "config" and named and not os.path.exists(os.path.expanduser(named)):
            named = None  # there it may be missing, behind an option it may not
        if value := getattr(options, name) or named:
            words += [f"--{name.replace('_', '-')}", value]
    needs_sign = session in COMMANDS or session.startswith("-")
    return shlex.join([*words, *([f"-r={session}"] if needs_sign else ["-r", session])])


def program_words(environ: Mapping[str, str], started_as: str) -> Sequence[str]:
    """Say how the program is called: by its name where the PATH leads to it, else as it was started."""
    found = shutil.which(NAME, path=environ.get("PATH"))
    if os.path.basename(started_as) == MODULE_FILE:
        beside = os.path.join(os.path.dirname(sys.executable), NAME)
        is_on_path = found is not None and os.path.exists(beside) and os.path.samefile(found, beside)
        return (NAME,) if is_on_path else (sys.executable, "-m", "kimi_tui")
    is_on_path = found is not None and os.path.exists(started_as) and os.path.samefile(found, started_as)
    return (NAME,) if is_on_path else (started_as,)
