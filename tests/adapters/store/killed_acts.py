"""Does something to session files in a child that is killed on the way, many times; `python -m`, with a task as JSON.

It is a program of its own, since a process with threads must not fork.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kimi_tui.adapters.store import session_places
from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from tests.adapters.store.test_session_faults import NAMES, CheckedFile, closing, refusing

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
QUESTION, REPLY, DRAFT, MORE = "words-of-question", "words-of-reply", "words-of-draft", "words-of-more"
TALK = Session("s1", NOW, NOW, "m", "Lamb", written_by="0.0.1").with_message(Message("m1", Role.USER, QUESTION))
TALK = TALK.with_message(Message("m2", Role.ASSISTANT, REPLY, "m1", state=MessageState.COMPLETE))
OUTSIDE = '[{"role": "user", "content": "words-of-import"}]'
BACKUP = b"words-of-backup"
TEMPLATE = "0000"
"""The folder that the others begin as."""


class Place:
    """A folder of sessions with one session, its draft and a backup, and a trash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = files_in(folder)
        json_path = folder / "sessions" / "s1.json"
        self.path = json_path if json_path.exists() else json_path.with_suffix(".toml")
        self.in_trash = folder / "trash" / "s1.toml"
        self.outside = folder / "elsewhere" / "new.json"

    def prepare(self, act: str) -> None:
        self.outside.parent.mkdir(parents=True, exist_ok=True)
        self.files.save_now(TALK)
        self.files.save_draft(self.path, DRAFT)
        self.path.with_name(".s1.backup-0_0_0").write_bytes(BACKUP)
        (self.folder / "list.json").write_text(OUTSIDE)
        if act == "restore":
            self.files.delete(self.path)
        if act == "convert_back":
            self.files.convert(self.path, "json")


def files_in(folder: Path) -> SessionFiles:
    return SessionFiles(folder / "sessions", folder / "trash")


def save(place: Place) -> None:
    """As a window does that got one more message."""
    held = place.files.open(place.path)
    more = Message("m3", Role.USER, MORE, "m2")
    place.files.save_now(held.session.with_message(more))
    held.release()


def rename(place: Place) -> None:
    place.files.rename(place.path, "Stew")


def rename_open(place: Place) -> None:
    held = place.files.open(place.path)
    place.files.save_now(replace(held.session, title="Stew"))
    held.release()


def convert(place: Place) -> None:
    place.files.convert(place.path, "json")


def convert_back(place: Place) -> None:
    place.files.convert(place.path, "toml")


def delete(place: Place) -> None:
    place.files.delete(place.path)


def delete_open(place: Place) -> None:
    held = place.files.open(place.path)
    place.files.delete(place.path, is_held_here=True)
    held.release()


def restore(place: Place) -> None:
    place.files.restore_path(place.in_trash)


def delete_and_restore(place: Place) -> None:
    place.files.restore_path(place.files.delete(place.path))


def import_file(place: Place) -> None:
    place.files.import_file(place.folder / "list.json")


def save_as(place: Place) -> None:
    """As a window does: what is being typed goes along."""
    held = place.files.open(place.path)
    moved = place.files.save_as(held.session, place.outside)
    place.files.save_draft(moved.path, held.draft)
    place.files.save_draft(held.path, "")
    held.release()
    moved.release()


ACTS: dict[str, Callable[[Place], None]] = {
    act.__name__: act
    for act in (
        save, rename, rename_open, convert, convert_back, delete, delete_open, restore, delete_and_restore, import_file,
        save_as,
    )
}  # fmt: skip


def main() -> None:
    """Print how many children were killed before they were done, and how many were not."""
    task = json.loads(sys.argv[1])
    folder, name, act = Path(task["folder"]), task["act"], ACTS[task["act"]]
    setattr(os, "fsync", lambda _: None)  # noqa: B010 - what was written outlives a process without
    Place(folder / TEMPLATE).prepare(name)
    if task["other_device"]:
        session_places._on_same_device = lambda *_: False
    if task["random"]:
        killed, done = kill_at_random(folder, name, act, task["random"])
    else:
        killed, done = kill_at_every_step(folder, act)
    sys.stdout.write(json.dumps({"killed": killed, "done": done}))


def kill_at_every_step(folder: Path, act: Callable[[Place], None]) -> tuple[int, int]:
    """Right before the k-th file operation, for every k; half of what was to be written then is there."""
    step = 0
    while True:
        step += 1
        place = prepared(folder / f"{step:04}")
        child = os.fork()
        if child == 0:
            die_at(step)
            run(act, place)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            return step - 1, 1


def kill_at_random(folder: Path, name: str, act: Callable[[Place], None], count: int) -> tuple[int, int]:
    """At any moment of the time that it takes."""
    chance, longest_s, killed = random.Random(name), time_of(folder, act), 0
    for number in range(count):
        place = prepared(folder / f"{number + 1:04}")
        child = os.fork()
        if child == 0:
            run(act, place)
        end_s = time.perf_counter() + chance.uniform(0, longest_s)
        while time.perf_counter() < end_s:
            pass  # sleeping is too coarse
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    return killed, count - killed


def time_of(folder: Path, act: Callable[[Place], None]) -> float:
    """The time of the slowest of a few, in seconds."""
    longest_s = 0.0
    for number in range(5):
        place, start_s = prepared(folder / f"timed{number}"), time.perf_counter()
        child = os.fork()
        if child == 0:
            run(act, place)
        os.waitpid(child, 0)
        longest_s = max(longest_s, time.perf_counter() - start_s)
    return longest_s


def prepared(folder: Path) -> Place:
    shutil.copytree(folder.with_name(TEMPLATE), folder)
    return Place(folder)


def run(act: Callable[[Place], None], place: Place) -> None:
    try:
        act(place)
    except BaseException:
        os._exit(1)
    os._exit(0)


def die_at(step: int) -> None:
    count = 0

    def check() -> None:
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in NAMES:
        setattr(os, name, refusing(getattr(os, name), check))
    setattr(os, "close", closing(os.close, check))  # noqa: B010 - the types of the library have no other way
    opened = io.open

    def open_checked(*arguments: Any, **named: Any) -> Any:
        check()
        return HalfFile(opened(*arguments, **named), check)

    io.open = open_checked


class HalfFile(CheckedFile):
    """A file of which half is there at the moment of a write."""

    def write(self, data: Any) -> Any:
        middle = len(data) // 2
        self._file.write(data[:middle])
        self._file.flush()
        self._check()
        return middle + self._file.write(data[middle:])


if __name__ == "__main__":
    main()
