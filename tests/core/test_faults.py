"""What a message says of an error that is not ours."""

from __future__ import annotations

import ast
import errno
import os
from pathlib import Path

from kimi_tui.core import faults
from kimi_tui.core.errors import KimiError
from kimi_tui.core.faults import fault_of, reason_of
from kimi_tui.core.wire.endpoint_errors import retry_after_s

PACKAGE = Path(faults.__file__).parents[1]


def test_the_system_s_reasons() -> None:
    assert reason_of(OSError(errno.ENOENT, os.strerror(errno.ENOENT), "/x")) == "No such file or directory"
    assert reason_of(OSError("the disk is tired")) == "the disk is tired"
    assert reason_of(OSError()) == "the system gives no reason"


def test_a_fault_names_its_place_and_not_its_words() -> None:
    try:
        retry_after_s(1j)  # type: ignore[arg-type]
    except TypeError as error:
        kind, _, place = fault_of(error).partition(" in ")
        assert kind == "TypeError"
        assert place.startswith("core/wire/endpoint_errors.py, line ")
    assert fault_of(KeyError("a secret")) == "KeyError"
    assert "a secret" not in fault_of(KimiError("a secret"))


def names_a_class(node: ast.AST) -> bool:
    """Whether an expression is the name of an object's class."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr in {"__name__", "__qualname__"}
        and isinstance(node.value, ast.Call | ast.Attribute)
    )


def test_no_message_is_made_of_the_name_of_a_class() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FormattedValue) and any(map(names_a_class, ast.walk(node)))
    ]
    assert not found


def test_no_message_repeats_a_reason_that_may_be_missing() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path != Path(faults.__file__)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "strerror" and ast.unparse(node) != "os.strerror"
    ]
    assert [place for place in found if not place.startswith("cli/__init__.py")] == []
