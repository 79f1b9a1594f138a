"""Whole commands, from start to exit."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.loopback import Play, endpoint, tokens

TWENTY_TOKENS = Play(tokens(*["thought "] * 9, "</think>", *["word "] * 10))
TURN = [{"role": "user", "content": "word " * 40}, {"role": "assistant", "content": "ok"}]


async def start_to_exit() -> AsyncIterator[tuple[str, float, float]]:
    """`ask` of 20 tokens and `prompt` of 2,000 messages, against an interpreter that imports what they cannot do without."""
    with TemporaryDirectory() as folder, endpoint(TWENTY_TOKENS) as server:
        os.environ["DEEPINFRA_TOKEN"] = "none"
        ask = ("-m", "kimi_tui", "ask", "hi", "--base-url", server.url, "--data-dir", folder)
        yield "ask : import httpx", cpu_s(*ask), cpu_s("-c", "import httpx")
        long = Path(folder, "long.json")
        long.write_text(json.dumps(TURN * 1000), encoding="utf-8")
        yield (
            "prompt, 2,000 messages : import json",
            cpu_s("-m", "kimi_tui", "prompt", str(long)),
            cpu_s("-c", "import json"),
        )


def cpu_s(*words: str) -> float:
    """Processor time of a fresh interpreter, the least of five."""
    spans = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spans.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spans)
