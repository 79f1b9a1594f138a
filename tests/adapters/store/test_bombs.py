"""Files made to take all time or memory: each is refused in words, or read, by every command, soon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kimi_tui.adapters.files import MAX_CONFIG_BYTES, read_bounded, read_file
from kimi_tui.core.errors import ConversionError, KimiError
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.file_formats import FORMATS
from tests.ui.program import talk

MANY = 100_000
HEAD = 'format = "kimi-tui/session"\nversion = 1\nid = "x"\nmessages = []\n'
JSON_HEAD = '{"format": "kimi-tui/session", "version": 1, "id": "x", "messages": [], '
TOML_BOMBS = {
    "arrays": "a = " + "[" * MANY + "]" * MANY,
    "tables": "a = " + "{b=" * MANY + "1" + "}" * MANY,
    "key": ".".join(["a"] * MANY) + " = 1",
    "heading": f"[{'.'.join(['a'] * MANY)}]",
    "headings": "".join(f"[a{n}]\n" for n in range(20_000)),
    "growing headings": "".join(f"[{'.'.join(['a'] * n)}]\n" for n in range(1, 100)),
    "number": "a = " + "9" * MANY,
    "hex": "a = 0x" + "f" * MANY,
    "float": "a = 1e999999999",
    "long key": "a" * 1_000_000 + " = 1",
    "closers": "a = '''\n" + "]\n" * 20_000 + "'''",
}
JSON_BOMBS = {
    "arrays": JSON_HEAD + '"a": ' + "[" * MANY + "]" * MANY + "}",
    "objects": JSON_HEAD + '"a": ' + '{"b":' * MANY + "1" + "}" * (MANY + 1),
    "some arrays": JSON_HEAD + '"a": ' + "[" * 900 + "]" * 900 + "}",
    "some objects": JSON_HEAD + '"a": ' + '{"b":' * 900 + "1" + "}" * 901,
    "number": JSON_HEAD + '"a": ' + "9" * MANY + "}",
}
LIMIT_S = 60
"""Far more than any of them takes, and far less than what they were made for."""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kimi_tui", *words], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def is_told(result: subprocess.CompletedProcess[str]) -> bool:
    lines = (result.stdout + result.stderr).splitlines()
    return result.returncode in {0, 2} and "unexpected" not in result.stderr and all(len(line) < 1000 for line in lines)


SOME = ["key", "growing headings", "long key", "hex"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SOME else pytest.mark.slow) for name in TOML_BOMBS]
)
def test_a_config_that_is_a_bomb(tmp_path: Path, name: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(TOML_BOMBS[name] + "\n")
    result = run("config", "check", "-c", str(path))
    assert is_told(result), result.stderr[-500:]
    assert result.returncode == 2
    assert len(result.stdout) < 200_000


@pytest.mark.parametrize("command", ["prompt", "convert"])
@pytest.mark.parametrize(
    ("ending", "name"),
    [pytest.param("toml", name, marks=[] if name in SOME else pytest.mark.slow) for name in TOML_BOMBS]
    + [pytest.param("json", name, marks=[] if "some" in name else pytest.mark.slow) for name in JSON_BOMBS],
)
def test_a_session_that_is_a_bomb(tmp_path: Path, command: str, ending: str, name: str) -> None:
    path = tmp_path / f"s.{ending}"
    path.write_text(HEAD + TOML_BOMBS[name] + "\n" if ending == "toml" else JSON_BOMBS[name])
    other = "json" if ending == "toml" else "toml"
    result = run("prompt", str(path)) if command == "prompt" else run("sessions", "convert", str(path), "--to", other)
    assert is_told(result), result.stderr[-500:]
    assert path.exists()
    assert path.with_suffix(f".{other}").exists() == (command == "convert" and result.returncode == 0)


@pytest.mark.parametrize("depth", [5, 99, 100, 101, 300, 900])
def test_what_is_written_can_be_read(depth: int) -> None:
    plain = encode_session(talk(("a", "b"))) | {"deep": nested(depth)}
    session = decode_session(plain)
    for form in FORMATS.values():
        try:
            data = form.encode(session)
        except ConversionError:
            assert depth > 99
        else:
            assert decode_session(form.load(data)).extra == session.extra


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with path.open("wb") as file:
        file.truncate(2**40)  # no block of it is on disk
    result = run("config", "check", "-c", str(path))
    assert f"larger than {MAX_CONFIG_BYTES // 2**20} MB" in result.stdout
    assert result.returncode == 2
    session = path.rename(tmp_path / "s.json")
    result = run("prompt", str(session))
    assert result.returncode == 2
    assert "larger than 512 MB" in result.stderr
    folder = tmp_path / "data" / "sessions"
    folder.mkdir(parents=True)
    session.rename(folder / "s.json")
    listed = run("sessions", "list", "--data-dir", str(tmp_path / "data"))
    assert "larger than 512 MB" in listed.stderr


def test_a_pipe_without_an_end_is_left(tmp_path: Path) -> None:
    with Path("/dev/zero").open("rb") as zeros, pytest.raises(OSError, match="larger than 1 MB"):
        read_bounded(zeros, 2**20)
    (tmp_path / "f").write_bytes(b"ab" * 100)
    assert read_file(tmp_path / "f", max_bytes=200) == b"ab" * 100
    with pytest.raises(OSError, match="larger than"):
        read_file(tmp_path / "f", max_bytes=199)


def test_errors_of_all_formats_are_ours() -> None:
    for form in FORMATS.values():
        for bomb in (*TOML_BOMBS.values(), *JSON_BOMBS.values()):
            if len(bomb) < 300_000:
                try:
                    form.load(bomb.encode())
                except KimiError:
                    continue
