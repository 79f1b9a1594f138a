"""Errors that are not ours, as a message may tell of them: the name of a class says nothing to a person."""

from __future__ import annotations

PACKAGE = __file__.removesuffix("core/faults.py")
"""Where the program's own files lie, with a slash at its end."""


def reason_of(error: OSError) -> str:
    """In the system's own words; an error that it did not raise itself may have none."""
    return error.strerror or str(error) or "the system gives no reason"


def fault_of(error: BaseException) -> str:
    """A fault of this program: its kind, and the last line of the program that it came through.

    Such as "KeyError in ui/state/turns.py, line 12". Its own words are left out: they may hold texts, or the key.
    """
    kind, place = type(error).__name__, ""
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(PACKAGE):
            place = f" in {path.removeprefix(PACKAGE)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return kind + place
