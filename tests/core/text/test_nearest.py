"""The names that a wrong one may have meant, however it is spelled."""

from __future__ import annotations

import pytest

from kimi_tui.core.text.nearest import nearest

KNOWN = ["temperature", "top_p", "top_k", "My Preset"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("top", "top_p or top_k"),
        ("TOP_", "top_p or top_k"),
        ("my pre", "My Preset"),
        ("pres", "My Preset"),
        ("temprature", "temperature"),
        ("TEMPRATURE", "temperature"),
        ("my_preset", "My Preset"),
        ("xyz", "temperature, top_p, top_k, My Preset"),
        ("", "temperature, top_p, top_k, My Preset"),
        (7, "temperature, top_p, top_k, My Preset"),
    ],
)
def test_what_begins_alike_then_holds_it_then_is_alike(name: object, near: str) -> None:
    assert nearest(name, KNOWN) == near


def test_a_place_that_lists_them_stands_for_the_list() -> None:
    assert nearest("xyz", KNOWN, "see the manual") == "see the manual"
