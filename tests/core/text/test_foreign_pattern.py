"""Patterns of others are never run in this process, and compiled only where that is soon done."""

from __future__ import annotations

import ast
import random
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from kimi_tui.adapters.endpoint.simulator.patterns import matching
from kimi_tui.core.text.foreign_pattern import is_soon_compiled, pattern_mistake

PACKAGE = Path(__file__).parents[3] / "kimi_tui"
RUNS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer", "compile"}
OWN = {
    (
        "core/text/foreign_pattern.py",
        "pattern",
    ): "compiled to find mistakes, and dropped; kept in a process of its own, with limits",
    ("core/text/redaction.py", "b'|'.join(map(re.escape, self._words))"): "literal texts",
    ("ui/transcript/hits.py", "re.escape(text)"): "a literal text",
    ("ui/transcript/hits.py", "re.escape(text.lower())"): "a literal text",
    (
        "core/markdown/fences.py",
        "f'^ {{0,3}}{first[0]}{{{size},}}[ \\\\t]*\\\\r?$'",
    ): "a backtick or a tilde, and a count",
    (
        "core/prompt/control_tokens.py",
        "'|'.join((form.format(first=f, rest=r, joiner=JOINER) for f, r in pairs)) or '(?!)'",
    ): "of our templates",
}
"""Patterns that are made of values, and why that is safe; constants and what is made of constants need no reason."""


def is_constant(node: ast.expr) -> bool:
    """A pattern that stands in the source: a text, a name in capitals, or made of these and of literal texts."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(name):
            return name.isupper() or name.lstrip("_").isupper()
        case ast.Attribute(_, name):
            return name.isupper()
        case ast.BinOp(left, _, right):
            return is_constant(left) and is_constant(right)
        case ast.JoinedStr(parts):
            return all(is_constant(part) for part in parts)
        case ast.FormattedValue(value):
            return is_constant(value) or is_literal(value)
        case _:
            return False


def is_literal(node: ast.expr) -> bool:
    """Alternatives and escapes of texts of our own: `'|'.join(NAMES)`, `re.escape(word)`, a character by its number."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"'|'.join", "''.join", "re.escape", "chr"}


def test_every_pattern_that_is_run_is_our_own() -> None:
    foreign = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if (
                node.func.attr in RUNS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and not is_constant(node.args[0])
            ):
                foreign.add((str(path.relative_to(PACKAGE)), ast.unparse(node.args[0])))
    assert foreign == set(OWN)


HOSTILE = [
    "(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)*x", r"(\w+\s?)*!", "(a{1,30}){1,30}b", "((a?){30}){30}^b", "(?:a|a){60}^b", "a" * 5000,
    "(" * 400 + ")" * 400, "(?i)" + "[!-\U0010ffff]" * 150, "[!-\uffff]" * 2000, r"[\x21-\uffff]" * 500, "(a{65535}){65535}", "a{99999999999}",
    "x" * 10_000_000, r"(?:\b){4000}", r"(\1)", "(?P<n>a)(?P=n)", "(?<=a+)b", "[[:alpha:]]", "a**", "[", "(?#", r"\N{BULLET}", "\ud800",
]  # fmt: skip


def test_hostile_patterns_take_no_time() -> None:
    """In a process of its own, since nothing could end one that is run."""
    code = (
        "import random\n"
        "from kimi_tui.adapters.endpoint.simulator.patterns import matching\n"
        "from kimi_tui.core.settings.field_text import regex_doubt\n"
        "from tests.core.text.test_foreign_pattern import HOSTILE\n"
        "for pattern in HOSTILE:\n"
        "    assert len(regex_doubt(pattern)) < 200\n"
        "    matching(pattern, random.Random(1))\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_mistakes_are_found_where_looking_is_cheap() -> None:
    assert pattern_mistake("(yes|no)") == ""
    assert pattern_mistake("(yes") == "missing ), unterminated subpattern at character 1"
    assert pattern_mistake("[[a]") == ""  # Python warns of it, which would go to the terminal
    assert is_soon_compiled("[a-z]" * 200)
    assert is_soon_compiled("[а-я]" * 20)
    assert not is_soon_compiled("[а-я]" * 21)
    assert not is_soon_compiled(r"[\u0430-\u044f]" * 21)
    assert pattern_mistake("(" * 1001) == ""


PIECES = ["a", "b", "[a-f]", "[^a]", r"[^\w]", r"[^\D]", r"\d", r"\w", r"\W", r"\s", r"\S", ".", "(", "(?:", ")", "|", "*", "+", "?", "{2}", "{1,3}", "{,2}", "^", "$",
          r"\b", r"\B", r"\A", r"\Z", r"\n", "-", "[]a]", "[^]a]", r"[\d-]", r"[a\-z]", " ", "{", "}", "[-a]", "??", "*?", "++", "{1}", r"[^\s\d]", r"[\b]", "(?=a)"]  # fmt: skip


@pytest.mark.parametrize("count", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_what_the_simulator_makes_matches_though_it_never_looks(count: int) -> None:
    chance, made = random.Random(count), 0
    for _ in range(count):
        pattern = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 7)))
        text = matching(pattern, chance)
        if text is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert re.fullmatch(pattern, text), (pattern, text)
            made += 1
    assert made > count / 4
