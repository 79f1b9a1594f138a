"""SECURITY.md promises what a test holds: every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = re.findall(r"^- `([^`]+\.py)::(\w+)`$", TEXT, re.MULTILINE)
PROMISES = TEXT.partition("## Promises\n")[2].partition("\n## ")[0].split("\n\n**")[1:]


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda value: value)
def test_every_test_that_is_named_is_there(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert test.startswith("test_")
    assert test in functions


def test_every_promise_names_a_test() -> None:
    assert len(PROMISES) >= 8
    assert [promise.splitlines()[0] for promise in PROMISES if "\n- `tests/" not in promise] == []


def test_nothing_else_looks_like_a_name() -> None:
    assert TEXT.count("::") - TEXT.count("`file::test`") == len(NAMED)
