"""Where things lie: option, environment, system."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kimi_tui.adapters.config import paths

ROOT = Path(__file__).parents[3]


def test_an_option_goes_before_the_environment(tmp_path: Path) -> None:
    environ = {"KIMI_TUI_CONFIG": "/e/config.toml", "KIMI_TUI_DATA_DIR": "/e/data"}
    assert paths.config_file("/o/my.toml", environ) == Path("/o/my.toml")
    assert paths.config_file(None, environ) == Path("/e/config.toml")
    assert paths.data_dir("/o/data", environ) == Path("/o/data")
    assert paths.data_dir(None, environ) == Path("/e/data")
    assert paths.data_dir("~/data", environ) == Path.home() / "data"


def test_a_name_that_only_looks_like_somebodys_home_is_a_name() -> None:
    assert paths.config_file("~draft.md", {}) == Path("~draft.md")
    assert paths.data_dir(None, {"KIMI_TUI_DATA_DIR": "~draft/x"}) == Path("~draft/x")


def test_without_either_the_system_decides(tmp_path: Path) -> None:
    empty = {"KIMI_TUI_CONFIG": "", "KIMI_TUI_DATA_DIR": ""}
    config, data = paths.config_file(None, empty), paths.data_dir(None, {})
    assert (config.name, config.parent.name, data.name) == ("config.toml", "kimi-tui", "kimi-tui")
    assert tmp_path in config.parents
    assert tmp_path in data.parents


def test_what_lies_beside_what() -> None:
    config = Path("/c/my.toml")
    assert paths.saved_file(config) == Path("/c/saved.toml")
    assert paths.user_themes_dir(config) == Path("/c/themes")
    assert paths.sessions_dir(Path("/d")) == Path("/d/sessions")


def test_looking_for_named_places_loads_no_library() -> None:
    code = (
        "import sys; from kimi_tui.adapters.config import paths; paths.config_file('x', {}); paths.data_dir('x', {});"
        "print('platformdirs' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout == "False\n"


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (["kimi_tui/themes", "themes"], "kimi_tui/themes"),
        (["themes", "pyproject.toml"], "themes"),
        (["kimi_tui/themes", "themes", "pyproject.toml"], "kimi_tui/themes"),
        (["themes"], "kimi_tui/themes"),
    ],
    ids=["installed", "checkout", "both", "another program's"],
)
def test_shipped_files_are_found_installed_and_in_a_checkout(tmp_path: Path, there: list[str], found: str) -> None:
    for name in ("__init__.py", "adapters/__init__.py", "adapters/config/__init__.py", "adapters/config/paths.py"):
        (tmp_path / "kimi_tui" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "kimi_tui" / name, tmp_path / "kimi_tui" / name)
    for name in there:
        (tmp_path / name).mkdir() if name.endswith("themes") else (tmp_path / name).touch()
    code = "from kimi_tui.adapters.config.paths import shipped; print(shipped('themes'))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert Path(result.stdout.strip()) == tmp_path.resolve() / found
