"""What is written down of a fault of this program: kinds and places, and nothing that a person or the endpoint wrote.

The words of an exception, its notes and the values of variables may hold texts of conversations, or the key. None of
them is looked at: only classes, and the code that was running.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import TracebackType

from kimi_tui.core.faults import PACKAGE

OWN_FOLDER = PACKAGE.removesuffix("kimi_tui/")
LIBRARY = re.compile(r".*/(?:site|dist)-packages/|.*/python3\.\d+/")
"""What stands before a library's own path; the rest of a path may name a person."""
FOREIGN = re.compile(r"[^A-Za-z0-9_.,/<> -]")
MAX_CHARS = 120
"""Longest name of a class, a file or a function, in characters."""
MAX_PLACES = 60
"""So many places of an exception are written at most: the first half and the last."""
MAX_ERRORS = 12
"""So many exceptions of a chain, or of a group, are written at most."""
HEAD = "What went wrong inside kimi-tui: kinds and places; no texts, no words of errors, no key."


def crash_report(error: BaseException, facts: Mapping[str, str]) -> str:
    """Write the report; `facts` are lines of their own: what ran, where, when."""
    lines = [HEAD, "", *(f"{name}: {_named(value)}" for name, value in facts.items())]
    for relation, each in _chain(error):
        lines += ["", f"{relation}{_kind(each)}", *_places(each.__traceback__)]
    return "\n".join(lines) + "\n"


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """It, and what it came from or holds, each with how it belongs there."""
    waiting: list[tuple[str, BaseException]] = [("", error)]
    seen = set[int]()
    while waiting and len(seen) < MAX_ERRORS:
        relation, each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield relation, each
        if isinstance(each, BaseExceptionGroup):
            waiting += [("in it: ", inner) for inner in each.exceptions]
        if each.__cause__ is not None:
            waiting.append(("because of: ", each.__cause__))
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(("while this was handled: ", each.__context__))


def _kind(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return _named(name)


def _places(trace: TracebackType | None) -> list[str]:
    places = [" × ".join(filter(None, (place, times))) for place, times in _counted(_each_place(trace))]
    left_out = len(places) - MAX_PLACES
    if left_out > 0:
        half = MAX_PLACES // 2
        places[half:-half] = [f"  … {left_out} more …"]
    return places


def _each_place(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"  {_file(code.co_filename)}, line {trace.tb_lineno}, in {_named(code.co_name)}"
        trace = trace.tb_next


def _counted(places: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each with how often it stands there in a row, where that is more than once: a recursion."""
    for place, group in groupby(places):
        times = sum(1 for _ in group)
        yield place, str(times) if times > 1 else ""


def _file(path: str) -> str:
    if path.startswith(OWN_FOLDER):
        return _named(path.removeprefix(OWN_FOLDER))
    inner = LIBRARY.sub("", path, count=1)
    return _named(inner if inner != path else path.rpartition("/")[2])


def _named(name: str) -> str:
    return FOREIGN.sub("?", name)[:MAX_CHARS]
