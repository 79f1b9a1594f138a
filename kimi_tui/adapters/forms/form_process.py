"""Has answers and forms checked by `form_program`, in a process that has a time limit, no key, and no terminal."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping

from kimi_tui.adapters.child_process import kill_group, start_python
from kimi_tui.core.text.visible import one_line
from kimi_tui.core.wire.answer_forms import FormCheck, FormFinding

LIMIT_S = 4.0
"""Longest time for one check, the start of the process included."""
POLL_S = 0.1
"""Time between two looks whether anybody waits for it still, in seconds."""
MAX_TEXT_CHARS = 8_000_000
MESSAGE_CHARS = 160
PROGRAM = "kimi_tui.adapters.forms.form_program"


def check(
    form: Mapping[str, object], text: str | None, stopped: threading.Event | None = None, limit_s: float = LIMIT_S
) -> FormCheck:
    """Look whether a text keeps a form; None = whether the form is one.

    It takes up to `limit_s`, and ends soon after `stopped` is set; raises nothing.
    """
    if text is not None and len(text) > MAX_TEXT_CHARS:
        return FormCheck(unchecked=f"it has more than {MAX_TEXT_CHARS} characters")
    try:
        process = start_python(PROGRAM)
    except OSError:
        return FormCheck(unchecked="no process could be started for that")
    with process:
        said = _said(process, json.dumps({"form": form, "text": text}).encode(), stopped, limit_s)
        if said is None:
            kill_group(process)
            return FormCheck(unchecked=f"it takes more than {limit_s:g} s")
    return _read(said)


def _said(
    process: subprocess.Popen[bytes], asked: bytes, stopped: threading.Event | None, limit_s: float
) -> bytes | None:
    """What it answers; None = nobody waits for that any longer."""
    end_s, given = time.monotonic() + limit_s, asked
    while time.monotonic() < end_s and not (stopped is not None and stopped.is_set()):
        try:
            return process.communicate(given or None, timeout=POLL_S)[0]
        except subprocess.TimeoutExpired:
            given = b""  # it goes on giving what it was given first
    return None


def _read(said: bytes) -> FormCheck:
    try:
        document = json.loads(said)
        if unchecked := document.get("unchecked"):
            return FormCheck(unchecked=one_line(str(unchecked), MESSAGE_CHARS))
        findings = [
            FormFinding(one_line(str(path), MESSAGE_CHARS), one_line(str(message), MESSAGE_CHARS))
            for path, message in document["findings"]
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return FormCheck(unchecked="it took too much memory or time, or the check failed")
    return FormCheck(tuple(findings))
