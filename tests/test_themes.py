"""Themes: found, strict, and readable by computation."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.adapters.theme_files import load_theme, themes
from kimi_tui.core.errors import ThemeError
from kimi_tui.core.palette import COLOR_NAMES, SYNTAX_NAMES, VARIABLE_NAMES, Palette, contrast, parse_palette
from kimi_tui.core.settings import UiSettings

SHIPPED = ("kimi-dark", "kimi-light")
SURFACES = ("background", "surface", "panel", "boost")
NO_TEXT = {"code-background", "rule"}
AA = 4.5
"""Least contrast of text. Source: WCAG 2.2, success criterion 1.4.3, level AA."""


@pytest.fixture(params=SHIPPED)
def palette(request: pytest.FixtureRequest, tmp_path: Path) -> Palette:
    return themes(tmp_path / "config.toml")[request.param]()


def test_shipped_themes_are_found_and_the_default_is_one_of_them(tmp_path: Path) -> None:
    found = themes(tmp_path / "config.toml")
    assert set(found) == set(SHIPPED)
    assert UiSettings().theme in found
    assert {name: found[name]().dark for name in found} == {"kimi-dark": True, "kimi-light": False}


def test_the_users_own_go_first(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    for name in ("mine", "kimi-dark"):
        (tmp_path / "themes" / f"{name}.toml").write_text('[colors]\nprimary = "#ffffff"\n')
    found = themes(tmp_path / "config.toml")
    assert set(found) == {*SHIPPED, "mine"}
    assert found["mine"]() == Palette("mine", True, {"primary": "#ffffff"})
    assert found["kimi-dark"]().colors == {"primary": "#ffffff"}


def test_a_shipped_theme_says_every_role(palette: Palette) -> None:
    assert tuple(palette.colors) == COLOR_NAMES
    assert tuple(palette.variables) == VARIABLE_NAMES
    assert tuple(palette.syntax) == SYNTAX_NAMES


def test_every_text_role_has_enough_contrast_on_every_background(palette: Palette) -> None:
    texts = {name: colour for name, colour in palette.colors.items() if name not in SURFACES}
    texts |= {role: colour for role, colour in palette.variables.items() if role not in NO_TEXT}
    texts |= {f"syntax {role}": colour for role, colour in palette.syntax.items()}
    grounds = {name: palette.colors[name] for name in SURFACES}
    grounds["code"] = palette.variables["code-background"]
    low = {
        (role, ground): round(contrast(text, behind), 2)
        for role, text in texts.items()
        for ground, behind in grounds.items()
        if contrast(text, behind) < AA
    }
    assert low == {}


def test_a_theme_is_as_dark_as_it_says(palette: Palette) -> None:
    is_dark = contrast(palette.colors["background"], "#ffffff") > contrast(palette.colors["background"], "#000000")
    assert is_dark is palette.dark


def test_running_text_is_easy_to_read(palette: Palette) -> None:
    background = palette.colors["background"]
    assert contrast(palette.colors["foreground"], background) >= 10
    assert contrast(palette.variables["reasoning"], background) >= 6


@pytest.mark.parametrize(
    ("left", "right", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#777777", "#ffffff", 4.478),
        ("#ff0000", "#ffffff", 3.998),
        ("#123456", "#123456", 1),
    ],
)
def test_contrast_is_the_standards(left: str, right: str, ratio: float) -> None:
    assert contrast(left, right) == pytest.approx(ratio, abs=0.001)
    assert contrast(right, left) == contrast(left, right)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "colors.primary"),
        ({"colors": {"primry": "#000000"}}, "allowed primary"),
        ({"colors": {"primary": "red"}}, "colors.primary"),
        ({"colors": {"primary": "#000000\n"}}, "colors.primary"),
        ({"colors": {"primary": 5}}, "colors.primary"),
        ({"colours": {}}, "colours"),
        ({"dark": 1}, "dark"),
        ({"name": 1}, "name"),
        ({"colors": {"primary": "#000000"}, "variables": {"reasonin": "#000000"}}, "allowed reasoning"),
        ({"colors": {"primary": "#000000"}, "syntax": []}, "syntax"),
    ],
)
def test_a_bad_theme_is_named(document: dict[str, object], words: str) -> None:
    with pytest.raises(ThemeError, match=words) as error:
        parse_palette(document, "mine")
    assert "mine" in error.value.summary


@pytest.mark.parametrize("data", [b"[", b"\xff", b"a = " + b"[" * 50_000], ids=["broken", "bytes", "deep"])
def test_a_theme_that_is_no_toml(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(data)
    with pytest.raises(ThemeError, match="Theme x"):
        load_theme(tmp_path / "x.toml")


def test_a_theme_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="cannot be read"):
        load_theme(tmp_path)
