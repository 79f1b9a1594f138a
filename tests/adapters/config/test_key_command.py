"""The command that prints the key is bounded, ended with its children, and what it says shows no secret."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from kimi_tui.adapters.config.key_command import MAX_OUTPUT_BYTES, key_of_command
from kimi_tui.core.errors import KeyMissingError
from tests.clipboards import put_on_path

KEY = "sk-secret"


def run(folder: Path, script: str, limit_s: float = 10) -> str:
    put_on_path(folder, "print-key", script)
    environ = {"PATH": os.environ["PATH"], "DEEPINFRA_TOKEN": KEY, "DEEPINFRA_API_KEY": KEY}
    return key_of_command(str(folder / "print-key"), environ, "Set it.", limit_s)


def failure(folder: Path, script: str, limit_s: float = 10) -> str:
    with pytest.raises(KeyMissingError) as caught:
        run(folder, script, limit_s)
    assert caught.value.hint == "Set it."
    assert caught.value.summary.isprintable()
    return caught.value.summary


def test_what_it_prints_is_the_key_and_its_words_are_not(tmp_path: Path) -> None:
    assert run(tmp_path, f"echo warned >&2; echo {KEY}") == f"{KEY}\n"


def test_it_gets_neither_keys_nor_our_standard_input(tmp_path: Path) -> None:
    assert run(tmp_path, 'read line; echo "${DEEPINFRA_TOKEN-none}${DEEPINFRA_API_KEY-none}$line"') == "nonenone\n"


@pytest.mark.parametrize("pipes", [">/dev/null 2>&1", ""], ids=["apart", "with its pipes"])
def test_what_it_leaves_running_to_ask_less_often_stays(tmp_path: Path, pipes: str) -> None:
    assert run(tmp_path, f"sleep 300 {pipes} & echo $! >{tmp_path}/agent; echo {KEY}") == f"{KEY}\n"
    agent = int((tmp_path / "agent").read_text())
    assert is_running(agent)
    os.kill(agent, signal.SIGKILL)


def test_it_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    assert run(tmp_path, "if (echo evil >/dev/tty) 2>/dev/null; then echo yes; else echo no; fi") == "no\n"


def test_one_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    told = failure(tmp_path, f"sleep 300 & echo $! >{tmp_path}/child; echo {KEY}; sleep 300", 0.5)
    assert told == "[api] api_key_command took longer than 0.5 s."
    child = int((tmp_path / "child").read_text())
    for _ in range(200):
        if not is_running(child):
            return
        time.sleep(0.02)
    raise AssertionError("the child of the command goes on running")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # whoever adopted it may not have taken its end yet
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("where", ["1", "2"])
def test_one_that_never_stops_writing_is_ended(tmp_path: Path, where: str) -> None:
    told = failure(tmp_path, f"exec yes {KEY} >&{where}")
    assert told == f"[api] api_key_command gave out more than {MAX_OUTPUT_BYTES // 1024} kB."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("'gpg: decryption failed: No secret key.'", ": gpg: decryption failed: No secret key"),
        ("'\\033]52;c;ZXZpbA==\\007\\033[2Jnot there'", ": ␛]52;c;ZXZpbA==␇␛[2Jnot there"),
        ("'one\\ntwo\\n\\n'", ": two"),
        (f"'bad {KEY} there'", ": bad … there"),
        ("'token=AKIA0123456789abcdef rejected'", ": … rejected"),
        ("'\\377\\376'", ": ��"),
        ("''", ""),
    ],
)  # fmt: skip
def test_its_last_words_are_told_harmless(tmp_path: Path, said: str, told: str) -> None:
    assert (
        failure(tmp_path, f"echo {KEY}; printf {said} >&2; exit 3")
        == f"[api] api_key_command ended with status 3{told}."
    )


def test_its_words_are_short(tmp_path: Path) -> None:
    assert len(failure(tmp_path, "i=0; while [ $i -lt 500 ]; do printf 'word ' >&2; i=$((i+1)); done; exit 1")) < 130


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    assert failure(tmp_path, "printf '\\377'") == "[api] api_key_command gave out something that is no text."
