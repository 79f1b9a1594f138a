"""Colours for terminals that have few or none: every line is fitted as it is drawn, so that text stays readable."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast

EDGE_CONTRAST = 2.5
"""Least contrast of lines and blocks among 16 colours: what the darker grey has on black."""
SAME = 1.02
"""Contrast below which two colours are meant to be one."""
GREY_SPREAD = 40
"""Spread of red, green and blue, of 255, below which a colour is drawn as a grey."""
HUES = (0, 120, 40, 240, 300, 180)
"""Hues of the colours 1 to 6 and 9 to 14 of 16, in degrees; terminals draw number 3 as brown, orange or yellow."""
HUE_REACH = 60
"""How far, in degrees, the hue that is drawn may be from the one that was meant; beyond it a grey is taken."""
PALETTE_OF_16 = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255),
    (255, 255, 255),
)  # fmt: skip
"""The 16 colours as a PC shows them, which is how Rich finds their numbers again. Source: rich.color."""
WHITE = 15
"""Its number among the 16 colours; the others of the brighter 8 never stand behind text."""
DARK_GREY = 8
"""Its number; no text is drawn in it, since some terminals' schemes make it nearly black."""
_EDGES = re.compile("[\u2500-\u259f ]*")
_RGB = tuple[int, int, int]


class AttributeFilter(LineFilter):
    """Takes every colour out; what stood out by a block of colour is drawn in reverse."""

    def __init__(self, is_dark: Callable[[], bool]) -> None:
        super().__init__()
        self._is_dark = is_dark

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        is_dark = self._is_dark()
        return [
            Segment(text, None if style is None else colourless(style, is_dark), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def colourless(style: Style, is_dark: bool) -> Style:
    """A style without its colours: reversed where its background is a light block of a dark theme, or the opposite."""
    ground = style.bgcolor
    is_block = False
    if ground is not None and not ground.is_default:
        is_block = _is_light(_rgb(ground, foreground=False)) is is_dark
    return Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=bool(style.reverse) is not is_block,
        strike=style.strike,
        link=style.link,
        meta=style.meta or None,
    )


class FewColoursFilter(LineFilter):
    """Takes the nearest colours that the terminal has and that can be read on each other.

    They stay 24-bit values, of exactly those colours: so a line can be filtered twice, and blended in between.
    """

    def __init__(self, *, is_16: bool, has_bright_backgrounds: bool = True) -> None:
        """Fit lines into 16 colours, or into 256; only the first 8 may stand behind text in some terminals."""
        super().__init__()
        self._is_16 = is_16
        self._has_bright_backgrounds = has_bright_backgrounds

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [
            Segment(text, None if style is None else self.fit(style, text), control)
            for text, style, control in segments
        ]

    def fit(self, style: Style, text: str) -> Style:
        return _fitted(style, _EDGES.fullmatch(text) is not None, self._is_16, self._has_bright_backgrounds)


@lru_cache(4096)
def _fitted(style: Style, is_edge: bool, is_16: bool, has_bright_backgrounds: bool) -> Style:
    if style.bgcolor is None or style.bgcolor.is_default:
        return style
    ground = _rgb(style.bgcolor, foreground=False)
    text = None if style.color is None or style.color.is_default else _rgb(style.color)
    if style.reverse and text is not None:  # written as what one sees: few terminals have all colours on both sides
        text, ground = ground, text
        style += Style(reverse=False)
    behind = _ground_of_16(ground, has_bright_backgrounds) if is_16 else _nearest(ground, _palette_of_256())
    drawn = RichColor.from_rgb(*_on(behind, text, ground, is_edge, is_16)) if text is not None else None
    return style + Style(color=drawn, bgcolor=RichColor.from_rgb(*behind))


def _on(behind: _RGB, text: _RGB, ground: _RGB, is_edge: bool, is_16: bool) -> _RGB:
    """The colour that text is drawn in on `behind`, which is what became of `ground`."""
    meant = contrast(_hex(text), _hex(ground))
    if meant < SAME:
        return behind
    if is_16:
        return _nearest_of_16(text, _readable_of_16(behind, is_edge))
    return _nearest(text, _readable(behind, 1 if is_edge else min(TEXT_CONTRAST, meant), _palette_of_256()))


@cache
def _palette_of_256() -> tuple[_RGB, ...]:
    """Those that Rich writes as themselves; the first 16 look different in every terminal."""
    colours = {number: _rgb(RichColor.from_ansi(number)) for number in range(16, 256)}
    return tuple(
        colour
        for number, colour in colours.items()
        if RichColor.from_rgb(*colour).downgrade(ColorSystem.EIGHT_BIT).number == number
    )


@lru_cache(256)
def _readable(behind: _RGB, least: float, palette: Sequence[_RGB]) -> tuple[_RGB, ...]:
    return tuple(colour for colour in palette if contrast(_hex(colour), _hex(behind)) >= least)


@cache
def _readable_of_16(behind: _RGB, is_edge: bool) -> tuple[_RGB, ...]:
    if is_edge:
        return _readable(behind, EDGE_CONTRAST, PALETTE_OF_16)
    return tuple(c for c in _readable(behind, TEXT_CONTRAST, PALETTE_OF_16) if c != PALETTE_OF_16[DARK_GREY])


def _ground_of_16(ground: _RGB, has_bright_backgrounds: bool) -> _RGB:
    """The nearest colour that may stand behind text; what is dark stays dark, so that marks still stand out."""
    palette = (*PALETTE_OF_16[:8], PALETTE_OF_16[WHITE]) if has_bright_backgrounds else PALETTE_OF_16[:8]
    return _nearest(ground, [colour for colour in palette if _is_light(colour) is _is_light(ground)])


def _nearest_of_16(colour: _RGB, palette: Sequence[_RGB]) -> _RGB:
    """The nearest hue for a colour, the nearest grey for a grey."""
    if _spread(colour) >= GREY_SPREAD:
        far = {other: _hue_distance(colour, other) for other in palette if _spread(other)}
        near = [other for other, distance in far.items() if distance <= HUE_REACH]
        if near:
            return min(near, key=lambda other: (far[other], _distance(colour, other)))
    return _nearest(colour, [other for other in palette if not _spread(other)])


def _nearest(colour: _RGB, palette: Sequence[_RGB]) -> _RGB:
    """The colour that looks most like it; a grey stays one."""
    greys = [other for other in palette if not _spread(other)] if _spread(colour) < GREY_SPREAD else []
    return min(greys or palette, key=lambda other: _distance(colour, other))


def _distance(left: _RGB, right: _RGB) -> float:
    """How different two colours look, squared. Source: Thiadmer Riemersma, "Colour metric" (the low-cost formula)."""
    mean = (left[0] + right[0]) / 2
    red, green, blue = (a - b for a, b in zip(left, right, strict=True))
    return (2 + mean / 256) * red * red + 4 * green * green + (2 + (255 - mean) / 256) * blue * blue


def _is_light(colour: _RGB) -> bool:
    """Whether black is easier to read on it than white."""
    return contrast(_hex(colour), "#000000") > contrast(_hex(colour), "#ffffff")


def _spread(colour: _RGB) -> int:
    return max(colour) - min(colour)


def _hue_distance(colour: _RGB, other: _RGB) -> float:
    """How far a colour's hue is from that of one of the 16, in degrees."""
    hue = colorsys.rgb_to_hls(*colour)[0] * 360
    apart = abs(hue - HUES[PALETTE_OF_16.index(other) % 8 - 1])
    return min(apart, 360 - apart)


def _rgb(colour: RichColor, *, foreground: bool = True) -> _RGB:
    red, green, blue = colour.get_truecolor(foreground=foreground)
    return red, green, blue


def _hex(colour: _RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
