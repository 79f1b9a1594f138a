"""Has answers and forms checked by `form_program`, in a process that has a time limit, no key, and no terminal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from kimi_tui.core.text.visible import one_line
from kimi_tui.core.wire.answer_forms import FormCheck, FormFinding

LIMIT_S = 4.0
"""Longest time for one check, the start of the process included."""
MAX_TEXT_CHARS = 8_000_000
MESSAGE_CHARS = 160
PROGRAM = "kimi_tui.adapters.forms.form_program"


def check(form: Mapping[str, object], text: str | None, limit_s: float = LIMIT_S) -> FormCheck:
    """Look whether a text keeps a form; None = whether the form is one. It takes up to `limit_s`; raises nothing."""
    if text is not None and len(text) > MAX_TEXT_CHARS:
        return FormCheck(unchecked=f"it has more than {MAX_TEXT_CHARS} characters")
    # Our modules, and nothing else of the environment: what runs there needs no key.
    environ = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"}
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
            start_new_session=True,
        )
    except OSError:
        return FormCheck(unchecked="no process could be started for that")
    with process:
        try:
            said, _ = process.communicate(json.dumps({"form": form, "text": text}).encode(), timeout=limit_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            return FormCheck(unchecked=f"it takes more than {limit_s:g} s")
    return _read(said)


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
