"""The dependency rule: which layer may import what, and that nothing imports in circles."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kimi_tui"

CORE_LIBRARY = {
    "__future__", "abc", "array", "base64", "bisect", "collections", "contextlib", "dataclasses", "datetime", "email.utils", "difflib", "enum", "functools",
    "heapq", "html", "ipaddress", "itertools", "json", "math", "operator", "re", "string", "textwrap", "types", "typing",
    "unicodedata", "urllib.parse", "warnings", "fractions", "decimal", "codecs", "markdown_it",
    "mdit_py_plugins", "tomllib", "tomli_w",
}  # fmt: skip
"""What `core` may import besides itself: nothing that reads a clock, a file, chance or the network."""
NAMES_FILES = "kimi_tui.core.ports"
"""The module of `core` that may name files by their path; it opens none."""

FORBIDDEN = {
    "engine": {"kimi_tui.adapters", "kimi_tui.ui", "kimi_tui.cli", "httpx", "textual"},
    "adapters": {"kimi_tui.engine", "kimi_tui.ui", "kimi_tui.cli", "textual"},
    "ui": {"kimi_tui.adapters", "kimi_tui.cli", "httpx"},
    "cli": set[str](),
}
"""What a layer must not import, by prefix."""


PACKAGE_ORDER = {
    "adapters": [
        "child_environ", "child_process", "clock", "files", "ids", "log",
        "clipboard_tools", "crash_files", "link_opener", "recording_files", "text_editor",
    ],
    "core": ["text", "session", "prompt", "wire", "settings"],
    "ui": ["text", "terminal", "state", "keys", "widgets", "transcript", "panes", "screens", "commands", "app"],
}  # fmt: skip
"""The packages of a layer, or its modules; each may import those named before it."""
ALONE = {
    "core.markdown": {"core.text"},
    "adapters.config": {"adapters.child_environ", "adapters.child_process", "adapters.files"},
    "adapters.endpoint": {"adapters.clock"},
    "adapters.forms": {"adapters.child_process", "adapters.files"},
    "adapters.store": {"adapters.child_process", "adapters.files", "adapters.ids"},
}
"""Packages beside that order, and what each may import."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, wherever in it, `from a import b` as a.b where that is a module of ours."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if name in MODULES}
            found |= modules or {node.module}
    return found


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("module", [name for name in MODULES if is_below(name, "kimi_tui.core")])
def test_core_imports_only_what_is_pure(module: str) -> None:
    library = CORE_LIBRARY | ({"pathlib"} if module == NAMES_FILES else set())
    foreign = {
        name
        for name in imports_of(MODULES[module])
        if not is_below(name, "kimi_tui.core") and not any(is_below(name, allowed) for allowed in library)
    }
    assert not foreign


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_does_not_reach_up(layer: str) -> None:
    reached = {
        (module, name)
        for module, path in MODULES.items()
        if is_below(module, f"kimi_tui.{layer}")
        for name in imports_of(path)
        if any(is_below(name, prefix) for prefix in FORBIDDEN[layer])
    }
    assert not reached


def packages_allowed(layer: str, package: str) -> set[str]:
    """The packages of a layer that one of them may import."""
    if f"{layer}.{package}" in ALONE:
        return {name.partition(".")[2] for name in ALONE[f"{layer}.{package}"]}
    order = PACKAGE_ORDER[layer]
    return set(order[: order.index(package)])


@pytest.mark.parametrize("layer", PACKAGE_ORDER)
def test_a_package_of_a_layer_does_not_reach_up(layer: str) -> None:
    packages = {*PACKAGE_ORDER[layer], *(path.parent.name for path in (PACKAGE / layer).glob("*/__init__.py"))}
    reached = {
        (module, name)
        for package in packages
        for module, path in MODULES.items()
        if is_below(module, f"kimi_tui.{layer}.{package}")
        for name in imports_of(path)
        for other in packages - packages_allowed(layer, package) - {package}
        if is_below(name, f"kimi_tui.{layer}.{other}")
    }
    assert not reached


def test_every_adapter_has_its_place() -> None:
    found = {path.stem for path in (PACKAGE / "adapters").iterdir() if path.stem[:1].isalpha()}
    alone = {name.partition(".")[2] for name in ALONE if is_below(name, "adapters")}
    assert found == {*PACKAGE_ORDER["adapters"], *alone}


def test_nobody_reaches_into_the_layout_of_the_transcript() -> None:
    """Another renderer of it would be other modules there and in `core.markdown`, and nothing else."""
    own = ("kimi_tui.ui.transcript", "kimi_tui.core.markdown")
    reached = {
        name
        for module, path in MODULES.items()
        if not any(is_below(module, package) for package in own)
        for name in imports_of(path)
        if any(is_below(name, package) for package in own)
    }
    widget = {"kimi_tui.ui.transcript." + name for name in ("transcript_widget", "view", "cursor", "scroll_keys")}
    assert reached == {*widget, "kimi_tui.core.markdown.links", "kimi_tui.core.markdown.blocks"}


def test_what_lays_markdown_out_reads_no_source_by_patterns() -> None:
    """The parser and what else reads Markdown stand in `core.markdown`; here patterns find hits, widths, ends of turns."""
    using = {module for module, path in MODULES.items() if "re" in imports_of(path)}
    transcript = "kimi_tui.ui.transcript"
    assert {module for module in using if is_below(module, transcript)} == {
        f"{transcript}.{name}" for name in ("hits", "lines", "prompt_lines")
    }


def test_every_module_of_ours_that_is_imported_is_there() -> None:
    """One that is first imported while the program runs would be missed then."""
    imported = {(module, name) for module, path in MODULES.items() for name in imports_of(path)}
    assert not {pair for pair in imported if is_below(pair[1], "kimi_tui") and pair[1] not in MODULES}


def test_no_two_modules_share_a_basename() -> None:
    names = Counter(path.stem for path in MODULES.values() if path.stem not in {"__init__", "__main__"})
    assert [name for name, count in names.items() if count > 1] == []


def test_nothing_imports_in_circles() -> None:
    graph = {module: {name for name in imports_of(path) if name in MODULES} for module, path in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail, module))
        if module not in done:
            for name in sorted(graph[module]):
                visit(name, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("name", ["kimi_tui.engine", "kimi_tui.core.prompt.prompt_writer", "kimi_tui.cli"])
def test_headless_modules_load_neither_textual_nor_httpx(name: str) -> None:
    code = f"import sys, {name}; print([m for m in ('textual', 'httpx', 'rich') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"
