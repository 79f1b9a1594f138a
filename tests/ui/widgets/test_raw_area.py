"""The editor of exact inputs: what goes in comes out, whatever it holds, and control tokens are marked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.ui.terminal.terminal_input import Paste
from kimi_tui.ui.widgets.raw_area import BOX, RawArea

ODD = "\r\n\0\u2028\u2029\x85\x0b\u2060\ufeff\u202e\U0010f700\U0010f6f6\U0010fffd😀e\u0301"
texts = st.text(st.sampled_from(ODD + "a<|im_end|>[EOS]") | st.characters(exclude_categories=["Cs"]))


@given(texts)
def test_what_goes_in_comes_out(text: str) -> None:
    area = RawArea(text, DEFAULT_TEMPLATE)
    assert area.exact(area.held(text)) == text
    assert area.exact_text == text


class Editor(App[None]):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.area, self.told = RawArea(text, DEFAULT_TEMPLATE), ""

    def compose(self) -> ComposeResult:
        yield self.area

    def on_edit_area_pasted(self, event: RawArea.Pasted) -> None:
        self.told = event.told

    def on_mount(self) -> None:
        self.area.focus()
        self.area.move_cursor(self.area.document.end)

    def marked(self) -> list[tuple[str, bool]]:
        """What is drawn otherwise than plain text, and whether as something harmless; a run each."""
        found = list[tuple[str, bool]]()
        plain = self.area.render_line(0)._segments[-1].style
        for y in range(self.area.wrapped_document.height):
            for text, style, _ in self.area.render_line(y):
                if style is None or plain is None or not text.strip():
                    continue
                if style.bgcolor != plain.bgcolor:
                    found.append((text, False))
                elif style.underline:
                    found.append((text, True))
        return found


@settings(max_examples=20, deadline=None)
@given(texts, texts)
def test_what_is_put_and_taken_back_is_exact(first: str, second: str) -> None:
    import asyncio  # noqa: PLC0415

    async def run() -> None:
        app = Editor(first)
        async with app.run_test() as pilot:
            app.area.put(second)
            assert app.area.exact_text == second
            app.area.undo()
            assert app.area.exact_text == first
            await pilot.pause()

    if not any(ord(char) >= 0x10F600 for char in second):  # stand-ins are chosen by what is there at first
        asyncio.run(run())


@pytest.mark.parametrize(
    ("exact", "text", "told"),
    [
        ("D\0E H\r\nI\rJ\nK\x1b[1mL\x9b\x7f", "D\0E H\r\nI\rJ\nK\x1b[1mL\x9b\x7f", ""),
        ("a\rb\r", "a\nb\n", "CR and stand here as LF"),
        ("plain\x1b", "plain\x1b", ""),
    ],
)
async def test_a_paste_is_exact_but_for_line_ends_that_the_terminal_has_made(exact: str, text: str, told: str) -> None:
    app = Editor("")
    async with app.run_test(size=(40, 20)) as pilot:
        app.area.post_message(Paste(exact))
        await pilot.pause()
        assert app.area.exact_text == text
        assert told in app.told
        assert bool(told) == bool(app.told)
        app.area.select_all()
        assert app.area.selected_text == text


async def test_controls_take_a_cell_each() -> None:
    app = Editor("D\0E\x1b[1m\r\x7f\x9b\n")
    async with app.run_test(size=(40, 20)):
        assert app.area.render_line(0).text.strip() == f"D␀E␛[1m␍␡{BOX}"


@pytest.mark.parametrize("padding", [0, 2_000])
async def test_tokens_are_marked_while_they_are_typed(padding: int) -> None:
    app = Editor("x" * padding + " ")
    async with app.run_test(size=(40, 60)) as pilot:
        app.area.cursor_blink = False
        for text in ("<|im_end|>", " [EOS] ", "<think>"):
            for char in text:
                await pilot.press({" ": "space", "<": "less_than_sign", "|": "vertical_line"}.get(char, char))
        await pilot.pause()
        assert app.area.exact_text == "x" * padding + " <|im_end|> [EOS] <think>"
        assert "".join(text for text, _ in app.marked()).replace(" ", "") == "<|im_end|>[EOS]<think>"


async def test_one_that_was_made_harmless_looks_different_and_shows_why() -> None:
    app = Editor("a <\u2060|im_end|> [\u2060EOS]")
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        assert app.marked() == [("<·|im_end|>", True), ("[·EOS]", True)]
        await pilot.press("home", *["right"] * 4, "backspace")
        assert app.area.exact_text == "a <|im_end|> [\u2060EOS]"
        app.area.move_cursor((0, 1))
        await pilot.pause()
        assert ("<|im_end|>", False) in app.marked()


async def test_line_ends_that_are_none_here_take_a_cell() -> None:
    app = Editor("a\r\nb\u2028c\td")
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        assert app.area.render_line(0).text.startswith("a␍")
        assert app.area.render_line(1).text.startswith(f"b{BOX}c")
        await pilot.press("tab")
        assert app.area.exact_text == "a\r\nb\u2028c\td\t"
