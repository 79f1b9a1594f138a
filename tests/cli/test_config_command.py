"""`kimi-tui config`: path, init, check, show."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.calls import KEY, ROOT, call


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c" / "config.toml"


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("config", "path", "-c", str(path))
    assert (result.status, result.out, result.err) == (0, f"{path}\n", "")
    monkeypatch.setenv("KIMI_TUI_CONFIG", "/elsewhere.toml")
    assert call("config", "path").out == "/elsewhere.toml\n"


def test_init_writes_the_example_once(path: Path) -> None:
    result = call("-c", str(path), "config", "init")
    assert (result.status, result.out) == (0, f"{path}\n")
    written, example = path.read_text(), (ROOT / "config.example.toml").read_text()
    assert all(set(table) <= {"extra"} for table in tomllib.loads(written).values())
    assert [line.removeprefix("# ") for line in written.splitlines()] == [
        line.removeprefix("# ") for line in example.splitlines()
    ]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert call("-c", str(path), "config", "check").status == 0
    path.write_text("# mine\n")
    again = call("-c", str(path), "config", "init")
    assert (again.status, again.out, path.read_text()) == (2, "", "# mine\n")
    assert "there already" in again.err


def test_check_lists_every_finding(path: Path) -> None:
    write(path, '[api]\nretries = 9\n[ui]\ntheme = "pink"\n[sampling]\ntop_p = 0\nseed = 2026-11-23\n')
    result = call("config", "check", "-c", str(path))
    assert result.status == 2
    retries, theme, top_p, seed = result.out.splitlines()
    assert retries == f"{path}:2: api.retries: found 9, allowed a whole number in [0, 3]"
    assert theme.startswith(f'{path}:4: ui.theme: found "pink", allowed high-contrast, ')
    assert top_p == f"{path}:6: sampling.top_p: found 0, allowed a number in (0, 1]"
    assert seed.startswith(f"{path}:7: sampling.seed: found 2026-11-23, allowed ")


def test_check_of_a_good_config(path: Path) -> None:
    write(path, "[api]\nretries = 1\n")
    result = call("config", "check", "-c", str(path))
    assert (result.status, result.out, result.err) == (0, "All is well.\n", "")


def test_a_theme_that_is_not_there_is_a_finding(path: Path) -> None:
    write(path, '[ui]\nmouse = true\ntheme = "pink"\n')
    result = call("config", "check", "-c", str(path))
    assert result.status == 2
    assert result.out.startswith(f'{path}:3: ui.theme: found "pink", allowed ')
    assert "kimi-dark" in result.out
    assert call("ask", "x", "--demo", "-c", str(path)).status == 0
    themes = path.with_name("themes")
    themes.mkdir()
    (themes / "pink.toml").write_text("= no")
    broken = call("config", "check", "-c", str(path))
    assert (broken.status, '"pink" (Theme pink: ' in broken.out) == (2, True)
    assert broken.out.rpartition("allowed ")[2] == "high-contrast, kimi-dark, kimi-light, monochrome\n"


def test_show_tells_of_a_theme_that_cannot_be_used(path: Path) -> None:
    write(path, '[ui]\ntheme = "pink"\n')
    result = call("config", "show", "-c", str(path))
    assert result.status == 0
    assert result.err.startswith(f'kimi-tui: {path}:2: ui.theme: found "pink", allowed ')


@pytest.mark.parametrize("words", [["config", "show"], ["ask", "x", "--demo"], ["sessions", "list"], []])
def test_a_theme_option_that_names_none_is_refused_everywhere(words: list[str]) -> None:
    result = call(*words, "--theme", "nosuch")
    assert (result.status, result.out) == (2, "")
    assert "no theme 'nosuch'" in result.err
    assert "kimi-dark" in result.err


def test_check_without_a_config(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("config", "check").status == 0
    monkeypatch.setenv("KIMI_TUI_CONFIG", "/elsewhere.toml")
    missing = call("config", "check")
    assert (missing.status, missing.out) == (0, "All is well.\n")
    assert "/elsewhere.toml is not there" in missing.err
    result = call("config", "check", "-c", str(path))
    assert (result.status, result.out) == (2, "")
    assert "no config file" in result.err


def test_a_key_that_others_can_read_is_told_on_one_line(path: Path) -> None:
    write(path, f'[api]\napi_key = "{KEY}"\n', 0o644)
    result = call("config", "show", "-c", str(path))
    assert result.status == 0
    assert len(result.err.splitlines()) == 1
    assert f"chmod 600 {path}" in result.err
    assert KEY not in result.out + result.err


def test_a_key_that_others_can_read_is_a_finding(path: Path) -> None:
    write(path, f'[api]\napi_key = "{KEY}"\n', 0o644)
    result = call("config", "check", "-c", str(path))
    assert (result.status, result.err, len(result.out.splitlines())) == (2, "", 1)
    assert f"chmod 600 {path}" in result.out
    assert KEY not in result.out
    path.chmod(0o600)
    assert call("config", "check", "-c", str(path)).status == 0


def test_show_says_where_each_value_comes_from(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        path,
        '[api]\nretries = 1\n[sampling]\ntop_k = 5\nunset = ["top_p"]\n[sampling.extra]\n"a b" = 1\n[presets.mine]\ntop_k = 1\n',
    )
    write(path.with_name("saved.toml"), '[ui]\ntheme = "kimi-light"\n[sampling]\nmin_p = 0.1\n')
    monkeypatch.setenv("DEEPINFRA_API_KEY", KEY)
    result = call("config", "show", "--json", "-c", str(path), "--model", "m")
    rows = {key: (row["value"], row["source"]) for key, row in result.json.items()}
    expected = {
        "config": (str(path), "command line"),
        "api.api_key": ("set", "environment"),
        "api.base_url": ("https://api.deepinfra.com/v1/inference", "default"),
        "api.connect_timeout": (10.0, "default"),
        "api.model": ("m", "command line"),
        "api.retries": (1, "config file"),
        "ui.theme": ("kimi-light", "saved.toml"),
        "sampling.temperature": (1.0, "preset recommended"),
        "sampling.top_k": (5, "config file"),
        "sampling.min_p": (0.1, "saved.toml"),
        "sampling.top_p": (None, "config file"),
        "sampling.stream": (True, "default"),
        'sampling.extra."a b"': (1, "config file"),
        "presets.mine": ({"top_k": 1}, "config file"),
        "presets.endpoint": ({}, "default"),
    }
    assert {key: rows[key] for key in expected} == expected
    lines = {line.split("  ")[0]: line for line in call("config", "show", "-c", str(path)).out.splitlines()}
    assert set(lines) == set(rows)
    assert lines["api.retries"].endswith("  1  (config file)")
    assert lines["sampling.top_p"].endswith("  not sent  (config file)")


def test_show_of_a_wrong_value_says_what_holds_instead(path: Path) -> None:
    write(path, "[api]\nretries = 9\n")
    result = call("config", "show", "--json", "-c", str(path))
    assert result.status == 0
    assert result.json["api.retries"] == {"value": 3, "source": "default"}
    assert f"{path}:2: api.retries" in result.err


@pytest.mark.parametrize("arguments", [["show"], ["show", "--json"], ["check"]], ids=" ".join)
def test_a_key_is_never_shown(path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        path,
        f'[api]\napi_key = "{KEY}"\napi_key_command = "echo {KEY}"\nheaders = {{ A = "{KEY}" }}\n'
        f'proxy = "http://me:{KEY}@localhost:1"\n',
    )
    for variable in ("", "DEEPINFRA_TOKEN"):
        if variable:
            monkeypatch.setenv(variable, KEY)
        result = call("config", *arguments, "-c", str(path))
        assert (result.status, result.err) == (0, "")
        assert KEY not in result.out
