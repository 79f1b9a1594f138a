"""The library's private parts that we use are where this version has them; no other ones are used."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from kimi_tui.ui.terminal import textual_internals
from tests.ui.terminal.library_internals import INTERNALS, Internal

PACKAGE = Path(textual_internals.__file__).parents[2]
LIBRARIES = ("textual", "rich")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def found_parameters(place: str) -> str | None:
    """What something of the library's takes; None = it is a value. AttributeError, ImportError: it is gone."""
    module, _, name = place.partition(":")
    part: object = importlib.import_module(module)
    *owners, last = name.split(".")
    for owner in owners:
        part = getattr(part, owner)
    if owners and not hasattr(part, last):  # made when one is made
        assert isinstance(part, type)
        if not any(re.search(rf"self\.{last}\b[^=\n]*=", inspect.getsource(base)) for base in part.__mro__[:-1]):
            raise AttributeError(last)
        return None
    found = vars(part).get(last, getattr(part, last)) if owners else getattr(part, last)
    if isinstance(found, property | cached_property) or not callable(found):
        return None
    return ", ".join(inspect.signature(found).parameters)


def complaint(internal: Internal) -> str:
    """What is wrong with one of them, in plain words; "" = nothing is."""
    library = internal.place.partition(".")[0]
    try:
        found = found_parameters(internal.place)
    except (ImportError, AttributeError):
        moved = "moved or removed"
    else:
        if found == internal.parameters:
            return ""
        moved = f"changed (it takes ({found}) now, not ({internal.parameters}))"
    return (
        f"{library} {version(library)} has {moved} {internal.place}; "
        f"{internal.user} needs it: it {internal.purpose}. Look at that module, then at the table in library_internals."
    )


@pytest.mark.parametrize("internal", INTERNALS, ids=lambda internal: internal.place)
def test_it_is_where_it_was(internal: Internal) -> None:
    assert not (words := complaint(internal)), words
    assert list(PACKAGE.rglob(internal.user.rpartition(".")[2] + ".py"))


@pytest.mark.parametrize(
    ("place", "parameters", "said"),
    [
        ("textual.nowhere:App", "self", "moved or removed textual.nowhere:App"),
        ("textual.app:App._nowhere", None, "moved or removed"),
        ("textual.app:App._display", "self, screen", "changed (it takes (self, screen, renderable) now"),
        ("textual.app:App._display", None, "changed"),
    ],
)
def test_what_has_moved_is_told_in_plain_words(place: str, parameters: str | None, said: str) -> None:
    words = complaint(Internal(place, parameters, "draws", "driver"))
    assert said in words
    assert f"textual {version('textual')}" in words
    assert "driver needs it: it draws" in words


def test_private_modules_are_imported_in_one_place() -> None:
    imported = {
        (path.stem, f"{node.module}.{alias.name}")
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.split(".")[0] in LIBRARIES
        for alias in node.names
        if any(is_private(part) for part in (*node.module.split("."), alias.name))
    }
    assert {stem for stem, _ in imported} == {"textual_internals"}


def of_the_library(cls: type) -> bool:
    return cls.__module__.split(".")[0] in LIBRARIES


def is_ours(cls: type) -> bool:
    return cls.__module__.startswith("kimi_tui.")


@lru_cache(None)
def tree_of(cls: type) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(cls)))


@lru_cache(None)
def private_names(cls: type) -> frozenset[str]:
    """What a class has: its body, and what its methods give names on the object."""
    on_object = re.findall(r"self\.(_\w+)\b[^=\n()]*=[^=]", inspect.getsource(cls))
    return frozenset(name for name in (*vars(cls), *on_object) if is_private(name))


@lru_cache(None)
def mentioned(cls: type) -> frozenset[str]:
    """What a class defines, or asks of some object."""
    names = {node.attr for node in ast.walk(tree_of(cls)) if isinstance(node, ast.Attribute)}
    return frozenset(
        names
        | {node.name for node in ast.walk(tree_of(cls)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    )


def modules() -> Iterator[ModuleType]:
    for path in sorted((PACKAGE / "ui").rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        yield importlib.import_module(name.removesuffix(".__init__"))


def test_nothing_else_that_is_private_is_used_or_replaced() -> None:
    known = {internal.place.rpartition(":")[2].rpartition(".")[2] for internal in INTERNALS}
    classes = [
        item for module in modules() for item in vars(module).values() if inspect.isclass(item) and is_ours(item)
    ]
    found = {
        (ours.__name__, name)
        for cls in classes
        for ours in filter(is_ours, cls.__mro__)
        for theirs in filter(of_the_library, cls.__mro__)
        for name in mentioned(ours) & private_names(theirs)
    }
    assert {(owner, name) for owner, name in found if name not in known} == set()
    assert ("LongTextArea", "_render_line") in found  # it does look
    assert ("Above", "_on_message") in found


def test_nothing_that_is_private_is_asked_of_another_object() -> None:
    found = {
        (path.stem, node.attr)
        for path in (PACKAGE / "ui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr != "_replace"
        if ast.unparse(node.value) not in {"self", "cls", "super()"}
    }
    assert {stem for stem, _ in found} == {"textual_internals"}
