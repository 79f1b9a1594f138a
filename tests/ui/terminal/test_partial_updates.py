"""Where some of the screen changed, the widgets that show there are asked for their lines, and no others."""

from __future__ import annotations

from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from kimi_tui.ui.terminal.textual_internals import patch_library, seen_widgets

patch_library()


class Asked(Static):
    times = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.times += 1
        return super().render_lines(crop)


class Rows(App[None]):
    CSS = """
    Screen { layers: below above; }
    #cover { layer: above; width: 10; height: 1; offset: 0 3; }
    #covered { width: 10; }
    """

    def compose(self) -> ComposeResult:
        for name in ("first", "middle", "last", "covered"):
            yield Asked(name, id=name)
        yield Asked("cover", id="cover")


def shown(app: App[None]) -> list[str]:
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()][:4]


async def test_what_stands_between_two_changes_is_left_alone() -> None:
    app = Rows()
    async with app.run_test(size=(20, 6)) as pilot:
        await pilot.pause()
        middle = app.query_one("#middle", Asked)
        before = middle.times
        app.query_one("#first", Asked).update("one", layout=False)
        app.query_one("#last", Asked).update("two", layout=False)
        await pilot.pause()
        assert middle.times == before
        assert shown(app) == ["one", "middle", "two", "cover"]


async def test_what_is_covered_is_left_alone_until_it_is_seen() -> None:
    app = Rows()
    async with app.run_test(size=(20, 6)) as pilot:
        await pilot.pause()
        cover, covered = app.query_one("#cover", Asked), app.query_one("#covered", Asked)
        before = covered.times
        covered.update("changed", layout=False)
        cover.update("front", layout=False)
        await pilot.pause()
        assert covered.times == before
        assert shown(app)[3] == "front"
        cover.display = False
        await pilot.pause()
        assert shown(app)[3] == "changed"


def regions(most: int) -> st.SearchStrategy[Region]:
    size = st.integers(0, most)
    return st.builds(Region, size, size, size, size)


@given(st.lists(st.tuples(regions(6), regions(8)), max_size=6), st.sets(regions(6), max_size=4))
def test_every_changed_cell_is_drawn_by_what_stands_in_front(
    placed: list[tuple[Region, Region]], changed: set[Region]
) -> None:
    widgets = {cast("Widget", number): place for number, place in enumerate(placed)}
    seen = seen_widgets(widgets, changed)
    assert list(seen.items()) == [item for item in widgets.items() if item[0] in seen]
    for part in changed:
        for x, y in ((x, y) for x in part.column_range for y in part.line_range):
            front = next(
                (widget for widget, (at, clip) in widgets.items() if at.intersection(clip).contains(x, y)), None
            )
            assert front is None or front in seen
