"""What work costs without a clock: machines are shared, and a time that a test demands fails on the slow ones."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
from markdown_it import MarkdownIt


def calls_in(work: Callable[[], object]) -> int:
    """How many functions, the interpreter's own included, `work` calls."""
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    gc.disable()  # what a collection calls back belongs to nobody's work
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@dataclass
class Count:
    total: int = 0


@contextmanager
def chars_parsed() -> Iterator[Count]:
    """How many characters the Markdown library is given meanwhile to find blocks in."""
    with pytest.MonkeyPatch.context() as patch:
        yield _counted(patch, MarkdownIt, "parse", lambda _, src, *rest: len(src))


@contextmanager
def made(kind: type) -> Iterator[Count]:
    """How many objects of a class are made meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        yield _counted(patch, kind, "__init__", lambda *arguments, **named: 1)


def _counted(patch: pytest.MonkeyPatch, kind: type, name: str, size: Callable[..., int]) -> Count:
    """Each call counts as its arguments say."""
    count, method = Count(), getattr(kind, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        count.total += size(*arguments, **named)
        return method(*arguments, **named)

    patch.setattr(kind, name, counted)
    return count
