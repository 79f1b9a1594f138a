"""`kimi-tui sessions check` and `repair`: what is wrong with session files, and whole copies of damaged ones."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import BAD_USAGE, DONE
from kimi_tui.cli.parts import Sessions
from kimi_tui.core.errors import FieldError, StorageError, UsageError
from kimi_tui.core.session.codec import read_only_reason
from kimi_tui.core.session.session import Session
from kimi_tui.core.text.counts import counted

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.core.session.repair import Repaired
    from kimi_tui.core.settings.settings import Settings


def check(options: Namespace, console: Console, sessions: Sessions, settings: Settings) -> int:
    """Load each session whole, and say everything that keeps one from being read or continued."""
    from kimi_tui.adapters.store.session_recovery import unrecovered

    store = sessions.store
    paths, is_bad = _paths_to_check(options.files, console, sessions)
    for path in paths:
        try:
            session = store.read_only(path)
        except StorageError as error:
            _tell_damages(path, error, console)
            is_bad = True
            continue
        problems = _problems(session, path, settings)
        for problem in problems:
            console.tell(f"{path}: {problem}")
        is_bad |= bool(problems)
        if not problems:
            console.write_line(f"{path}: ok, {counted(len(session.messages), 'message')}")
    folders = dict.fromkeys(path.parent for path in paths) if options.files else [store.folder]
    for folder in folders:
        for left, why in unrecovered(folder, paths if options.files else None):
            console.write_line(f"{left}: {why}")
    return BAD_USAGE if is_bad else DONE


def _paths_to_check(names: list[str], console: Console, sessions: Sessions) -> tuple[list[Path], bool]:
    """The files that were named, or all; and whether one could not be found."""
    if not names:
        listing = sessions.store.list()
        return [*(Path(s.path) for s in listing.summaries), *(Path(u.path) for u in listing.unreadable)], False
    paths = []
    for name in names:
        try:
            paths.append(sessions.find(name))
        except StorageError as error:
            console.tell_error(error)
    return paths, len(paths) < len(names)


def _problems(session: Session, path: Path, settings: Settings) -> list[str]:
    """What keeps a session that can be read from being continued: its file's version, its end, its settings."""
    from kimi_tui.adapters.store.repaired_copy import has_whole_end
    from kimi_tui.core.settings.sampling import resolve_request

    problems = [reason] if (reason := read_only_reason(session)) else []
    if not has_whole_end(path):
        problems.append("its last line has no end: part of it may be missing.")
    try:
        resolve_request(settings, session)
    except (FieldError, UsageError) as error:
        problems.append(f"settings: {error.summary}")
    return problems


def _tell_damages(path: Path, error: StorageError, console: Console) -> None:
    """Explain a file that cannot be read: every place, and what a repair would bring."""
    from kimi_tui.adapters.store.repaired_copy import examine

    try:
        found = examine(path)
    except StorageError:
        console.tell_error(error)
        return
    if not found.damages:
        console.tell_error(error)
    _tell(path, found, console)
    if found.session is None:
        console.tell(f"{path} cannot be read, and nothing of a session is left in it.", error.hint)
        return
    count = counted(len(found.session.messages), "message")
    console.tell(
        f"{path} cannot be read as it is.",
        f"`kimi-tui sessions repair {quote(str(path))} -o NEW` writes a copy of what can: {count}.",
    )


def _tell(path: Path, found: Repaired, console: Console) -> None:
    for damage in found.damages:
        line = "" if damage.line is None else f":{damage.line}"
        console.tell(f"{path}{line}: {damage.words}")


def repair(options: Namespace, console: Console, sessions: Sessions) -> int:
    """Raises KimiError where nothing of a session can be read, or the new file not be written."""
    from kimi_tui.adapters.store.repaired_copy import write_repaired

    path, new = Path(os.path.expanduser(options.file)), Path(os.path.expanduser(options.output))
    if not path.exists():
        path = sessions.find(options.file)
    found = write_repaired(path, new)
    _tell(path, found, console)
    kept = len(found.session.messages) if found.session is not None else 0
    lost = f", {found.lost} left out" if found.lost else ""
    if found.recovered:
        console.tell(found.recovered)
    console.tell(f"{counted(kept, 'message')} kept{lost}; {path} is as it was.")
    console.write_line(str(new))
    return DONE
