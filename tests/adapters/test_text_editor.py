"""The user's editor: which one, what it gets, what becomes of the text."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kimi_tui.adapters.text_editor import LINE_END_LEFT_OUT, SystemEditor
from kimi_tui.core.errors import UsageError

TEXT = "[BOS]\r\nx\u2028\0é"
Program = Callable[[str], str]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    def make(script: str) -> str:
        path = tmp_path / "my editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return f"'{path}'"

    return make


def editor(**environ: str) -> SystemEditor:
    return SystemEditor({"PATH": os.environ["PATH"], **environ})


async def test_what_is_left_alone_comes_back_exactly(program: Program, tmp_path: Path) -> None:
    command = program(
        f'cat "$1" > {tmp_path}/seen; stat -c %a "$1" > {tmp_path}/mode; echo "$DEEPINFRA_TOKEN" > {tmp_path}/key'
    )
    assert await editor(EDITOR=command, DEEPINFRA_TOKEN="secret").edit(TEXT) == (TEXT, "")
    assert (tmp_path / "seen").read_bytes() == TEXT.encode()
    assert (tmp_path / "mode").read_text() == "600\n"
    assert (tmp_path / "key").read_text() == "\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (r'''printf 'a\r\nb\r' > "$1"''', ("a\r\nb\r", "")),
        (r'''printf '\n' >> "$1"''', (TEXT, LINE_END_LEFT_OUT)),
        (r'''printf '\n\n' >> "$1"''', (f"{TEXT}\n", LINE_END_LEFT_OUT)),
        (''': > "$1"''', ("", "")),
        ("exit 3", (TEXT, "ended with status 3; the text is as it was.")),
        ('echo more >> "$1"; exit 1', (TEXT, "ended with status 1; the text is as it was.")),
    ],
)
async def test_what_it_made_of_it(program: Program, script: str, expected: tuple[str, str]) -> None:
    text, told = await editor(EDITOR=program(script)).edit(TEXT)
    assert (text, told.partition("editor ")[2] if "status" in told else told) == expected


async def test_a_line_end_that_was_there_stays(program: Program) -> None:
    assert await editor(EDITOR=program('printf x > "$1"; echo >> "$1"')).edit("a\n") == ("x\n", "")


async def test_visual_goes_before_editor_and_may_have_arguments(program: Program, tmp_path: Path) -> None:
    command = program(f'echo "$1" > {tmp_path}/args; printf new > "$2"')
    assert await editor(VISUAL=f"{command} -w", EDITOR="/nowhere").edit("old") == ("new", "")
    assert (tmp_path / "args").read_text() == "-w\n"


async def test_nothing_is_left_behind(program: Program, tmp_path: Path) -> None:
    await editor(EDITOR=program(f'echo "$1" > {tmp_path}/name')).edit(TEXT)
    path = Path((tmp_path / "name").read_text().strip())
    assert not path.exists()
    assert not path.parent.exists()
    assert stat.S_IMODE(tmp_path.stat().st_mode)


async def test_no_file_is_touched_on_the_loop(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    command, threads = program(""), set[int]()

    def noted(name: str) -> None:
        real = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            threads.add(threading.get_ident())
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in ("access", "open", "stat", "mkdir", "unlink"):
        noted(name)
    assert await editor(EDITOR=command).edit(TEXT) == (TEXT, "")
    monkeypatch.undo()
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("name", ["/nowhere/ed", "'unclosed", "no-such-editor -x"])
def test_one_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="There is no program"):
        editor(EDITOR=name).check()


def test_without_any_it_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No editor is named") as caught:
        SystemEditor({"PATH": str(tmp_path)}).check()
    assert "EDITOR" in caught.value.hint
    (tmp_path / "vi").write_text("#!/bin/sh\n")
    (tmp_path / "vi").chmod(0o755)
    SystemEditor({"PATH": str(tmp_path)}).check()
