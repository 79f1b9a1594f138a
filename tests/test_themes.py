"""Themes: found, strict, and readable by computation."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.adapters.theme_files import load_theme, themes
from kimi_tui.core.errors import ThemeError
from kimi_tui.core.palette import SYNTAX_NAMES, VARIABLE_NAMES, contrast, parse_palette

SHIPPED = ("kimi-dark", "kimi-light")
NO_TEXT = {"code-background", "rule"}


def test_both_themes_are_found(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text('[colors]\nprimary = "#ffffff"\n')
    found = themes(tmp_path / "config.toml")
    assert set(found) == {*SHIPPED, "mine"}
    assert found["mine"]().name == "mine"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_text_role_has_enough_contrast(name: str, tmp_path: Path) -> None:
    palette = themes(tmp_path / "config.toml")[name]()
    assert set(palette.variables) == set(VARIABLE_NAMES)
    assert set(palette.syntax) == set(SYNTAX_NAMES)
    background, code = palette.colors["background"], palette.variables["code-background"]
    texts = {role: palette.variables[role] for role in VARIABLE_NAMES if role not in NO_TEXT}
    texts |= {role: palette.colors[role] for role in ("foreground", "primary", "warning", "error", "success", "accent")}
    low = {role: contrast(colour, background) for role, colour in texts.items() if contrast(colour, background) < 4.5}
    low |= {role: contrast(colour, code) for role, colour in palette.syntax.items() if contrast(colour, code) < 4.5}
    low |= {role: contrast(texts[role], code) for role in ("marker", "code-label") if contrast(texts[role], code) < 4.5}
    assert low == {}


def test_contrast_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "colors.primary"),
        ({"colors": {"primry": "#000000"}}, "allowed primary"),
        ({"colors": {"primary": "red"}}, "colors.primary"),
        ({"colours": {}}, "colours"),
        ({"dark": 1}, "dark"),
        ({"colors": {"primary": "#000000"}, "syntax": []}, "syntax"),
    ],
)
def test_a_bad_theme_is_named(document: dict[str, object], words: str) -> None:
    with pytest.raises(ThemeError, match=words):
        parse_palette(document, "mine")


def test_a_theme_that_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[")
    with pytest.raises(ThemeError, match="no TOML"):
        load_theme(tmp_path / "x.toml")
