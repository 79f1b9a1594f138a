"""Themes: found, strict, and readable by computation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.style import Style

from kimi_tui.adapters.config.paths import shipped
from kimi_tui.adapters.config.theme_files import load_theme, themes
from kimi_tui.core.errors import ThemeError
from kimi_tui.core.settings.settings import UiSettings
from kimi_tui.core.settings.theme_palette import (
    COLOR_NAMES,
    SYNTAX_NAMES,
    TEXT_CONTRAST,
    VARIABLE_NAMES,
    Palette,
    contrast,
    parse_palette,
)
from kimi_tui.ui.text.colours import FewColoursFilter, colourless
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.text.themes import build_theme

SHIPPED = {"high-contrast": True, "kimi-dark": True, "kimi-light": False, "monochrome": True}
"""Every shipped theme, and whether it is dark."""
SURFACES = ("background", "surface", "panel", "boost")
NO_TEXT = {"code-background", "rule"}
AAA = 7
"""Least contrast of text in the theme for those who need more. Source: WCAG 2.2, success criterion 1.4.6."""
EDGE = 3
"""Least contrast of what shows where the focus is. Source: WCAG 2.2, success criterion 1.4.11."""


@pytest.fixture(params=SHIPPED)
def palette(request: pytest.FixtureRequest, tmp_path: Path) -> Palette:
    return themes(tmp_path / "config.toml")[request.param]()


def test_shipped_themes_are_found_and_the_default_is_one_of_them(tmp_path: Path) -> None:
    found = themes(tmp_path / "config.toml")
    assert set(found) == set(SHIPPED)
    assert UiSettings().theme in found
    assert {name: found[name]().dark for name in found} == SHIPPED


def test_the_users_own_go_first(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    for name in ("mine", "kimi-dark"):
        (tmp_path / "themes" / f"{name}.toml").write_text('[colors]\nprimary = "#ffffff"\n')
    found = themes(tmp_path / "config.toml")
    assert set(found) == {*SHIPPED, "mine"}
    assert found["mine"]() == Palette("mine", True, {"primary": "#ffffff"})
    assert found["kimi-dark"]().colors == {"primary": "#ffffff"}


def test_a_file_whose_name_no_setting_can_hold_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "themes"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xffd.toml")).write_text('[colors]\nprimary = "#ffffff"\n')
    assert set(themes(tmp_path / "config.toml")) == set(SHIPPED)


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
    least = AAA if palette.name == "high-contrast" else TEXT_CONTRAST
    low = {
        (role, ground): round(contrast(text, behind), 2)
        for role, text in texts.items()
        for ground, behind in grounds.items()
        if contrast(text, behind) < least
    }
    assert low == {}


def test_a_theme_is_as_dark_as_it_says(palette: Palette) -> None:
    is_dark = contrast(palette.colors["background"], "#ffffff") > contrast(palette.colors["background"], "#000000")
    assert is_dark is palette.dark


def test_what_the_library_derives_can_be_read_and_seen(palette: Palette) -> None:
    derived = build_theme(palette).to_color_system().generate()
    texts = {
        "block-cursor-foreground": "block-cursor-background",
        "block-cursor-blurred-foreground": "block-cursor-blurred-background",
        "input-cursor-foreground": "input-cursor-background",
        "input-selection-foreground": "input-selection-background",
        "screen-selection-foreground": "screen-selection-background",
        "link-color-hover": "link-background-hover",
        **dict.fromkeys(("text-muted", "text-disabled", "foreground-muted", "link-color"), "surface"),
        **{f"text-{name}": "surface" for name in ("primary", "secondary", "accent", "warning", "error", "success")},
    }
    low = {name for name, ground in texts.items() if contrast(derived[name][:7], derived[ground][:7]) < TEXT_CONTRAST}
    assert low == set()
    marks = ("border", "border-blurred", "scrollbar", "block-cursor-background", "input-selection-background")
    faint = {
        (name, ground)
        for name in marks
        for ground in ("background", "surface")
        if contrast(derived[name], derived[ground]) < EDGE
    }
    assert faint == set()


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("primary", ["#ffffff", "#000000", "#ff0000", "#0000ff", "#808080"])
def test_a_theme_of_one_colour_can_be_read(primary: str, dark: bool) -> None:
    derived = build_theme(Palette("mine", dark, {"primary": primary})).to_color_system().generate()
    assert contrast(derived["text-muted"], derived["background"]) >= TEXT_CONTRAST
    assert contrast(derived["block-cursor-foreground"], derived["block-cursor-background"]) >= TEXT_CONTRAST


@pytest.mark.parametrize("dark", [True, False])
def test_a_theme_without_a_dimmed_colour_gets_one_for_transcript_and_widgets(dark: bool) -> None:
    colours = build_theme(Palette("mine", dark, {"primary": "#3050a0"})).to_color_system().generate()
    base = Style(color=colours["foreground"], bgcolor=colours["background"])
    dimmed = Styles(colours, base).role("dim-text").color
    assert dimmed is not None
    assert dimmed.get_truecolor().hex == colours["text-muted"].lower()


def test_monochrome_is_grey(palette: Palette) -> None:
    colours = {*palette.colors.values(), *palette.variables.values(), *palette.syntax.values()}
    is_grey = all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours)
    assert is_grey is (palette.name == "monochrome")


def test_without_colours_marks_are_reversed_and_grounds_are_not(palette: Palette) -> None:
    derived = build_theme(palette, has_shades=False).to_color_system().generate()
    marks = ("block-cursor", "input-cursor", "input-selection", "screen-selection")
    grounds = [derived[name] for name in SURFACES] + [palette.variables["code-background"]]
    assert all(colourless(Style(bgcolor=derived[f"{mark}-background"]), palette.dark).reverse for mark in marks)
    assert not any(colourless(Style(bgcolor=ground), palette.dark).reverse for ground in grounds)


def test_selected_text_stands_out_among_shades(palette: Palette) -> None:
    derived = build_theme(palette).to_color_system().generate()
    selected = derived["screen-selection-background"]
    assert contrast(selected, palette.colors["foreground"]) >= TEXT_CONTRAST
    assert contrast(selected, palette.colors["background"]) >= 1.8


@pytest.mark.parametrize("is_16", [True, False])
def test_marks_stand_out_among_few_colours(palette: Palette, is_16: bool) -> None:
    few = FewColoursFilter(is_16=is_16)
    derived = build_theme(palette, has_shades=False).to_color_system().generate()
    marks = ("block-cursor", "input-cursor", "input-selection", "screen-selection")
    ground, *blocks = [
        few.fit(Style(bgcolor=derived[name]), "  ").bgcolor
        for name in ("background", *(f"{mark}-background" for mark in marks))
    ]
    assert ground is not None
    for block in blocks:
        assert block is not None
        assert contrast(block.get_truecolor().hex, ground.get_truecolor().hex) >= EDGE


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


def test_a_theme_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    data = (shipped("themes") / "kimi-light.toml").read_bytes()
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbf" + data)
    assert load_theme(tmp_path / "x.toml").colors == load_theme(shipped("themes") / "kimi-light.toml").colors


def test_a_theme_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="cannot be read"):
        load_theme(tmp_path)
