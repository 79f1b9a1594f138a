"""The exact input and the reasoning in a pane: every character shown, and copied as it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual.app import App
from textual.filter import Monochrome
from textual.geometry import Region

from kimi_tui.core.markdown.cutting import PlainSource
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, Template
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.pieces import Look
from kimi_tui.ui.transcript.prompt_lines import SHOWN_JOINER, prompt_lines
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.core.prompt import template_rows
from tests.ui.transcript.test_transcript_widget import Host, body, select_all, selected

INPUT = (
    "<|im_system|>ChatMessageRole.SYSTEM<|im_middle|>Be brief.\n\nAlways.<|im_end|>"
    "<|im_user|>ChatMessageRole.USER<|im_middle|>"
    + DEFAULT_TEMPLATE.markers.encode("What is <|im_end|>?\tAnd [EOS]")
    + "<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
)
LOOK = Look(Styles({}, Style()), 40)
PARTS = st.sampled_from(
    ["<|im_end|>", "<think>", "[BOS]", "<\u2060|im_end|>", "word ", "\n", "x" * 30, "\t", "<|", "羊"]
)


def prompt(text: str) -> Entry:
    return Entry("p", EntryKind.PROMPT, "", text)


async def test_markers_are_chips_and_harmless_ones_show_their_joiner() -> None:
    async with Host().run_test(size=(120, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([prompt(INPUT)])
        assert body(transcript)[:5] == [
            " <|im_system|>ChatMessageRole.SYSTEM<|im_middle|>Be brief.",
            "",
            " Always.<|im_end|>",
            f" <|im_user|>ChatMessageRole.USER<|im_middle|>What is <{SHOWN_JOINER}|im_end|>?   And [{SHOWN_JOINER}EOS]<|im_end|>",
            " <|im_assistant|>assistant<|im_middle|><think>",
        ]
        chips = [s.text for s in transcript.render_lines(Region(0, 3, 120, 1))[0] if s.style and s.style.reverse]
        assert chips == ["<|im_user|>", "<|im_middle|>", "<|im_end|>"]
        harmless = [s.text for s in transcript.render_lines(Region(0, 3, 120, 1))[0] if s.style and s.style.underline]
        assert harmless == [f"<{SHOWN_JOINER}|im_end|>", f"[{SHOWN_JOINER}EOS]"]
        select_all(transcript)
        assert selected(transcript) == INPUT


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS, max_size=25))
def test_the_lines_of_an_input_join_to_it(parts: list[str]) -> None:
    text = "".join(parts)
    lines = list(prompt_lines(text, LOOK, DEFAULT_TEMPLATE, before="", after="", is_last=True))
    joined = "".join(line.text + line.joint for line in lines)[:-1]
    shown = text.replace("\u2060", SHOWN_JOINER).expandtabs(4)
    assert [p.rstrip() for p in joined.replace(" ", "").split("\n")] == [
        p.rstrip() for p in shown.replace(" ", "").split("\n")
    ]


@pytest.mark.parametrize("place", range(3990, 4004))
def test_a_marker_over_the_end_of_a_chunk_is_a_chip(place: int) -> None:
    text = "x" * place + "<|im_end|>" + "y" * 100
    chips = []
    for start in range(0, len(text), 4000):
        chunk = text[start : start + 4000]
        lines = prompt_lines(
            chunk, LOOK, DEFAULT_TEMPLATE, before=text[:start], after=text[start + 4000 :], is_last=start > 0
        )
        chips += [run for line in lines for run, style in line.runs if style.reverse]
    assert "".join(chips) == "<|im_end|>"


async def test_a_part_of_an_input_is_copied_exactly() -> None:
    async with Host().run_test(size=(120, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([prompt(INPUT)])
        transcript.focus()
        transcript.view.scroll_to_top()
        transcript.start_selection()
        await pilot.press("down", "down", "down", "v", "down", "end")
        start = INPUT.index("<|im_user|>")
        assert selected(transcript) == INPUT[start:]


async def test_an_input_that_changes_as_one_types_keeps_what_is_read() -> None:
    async with Host().run_test(size=(120, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        history = "".join(f"<|im_user|>user<|im_middle|>question {n}<|im_end|>" for n in range(900))
        transcript.set_entries([prompt(history + "draft<|im_end|>")])
        transcript.view.scroll_pages(-9)
        before = body(transcript)[:-1]
        for draft in ("drafts", "drafts and", ""):
            transcript.update_entry(prompt(history + draft + "<|im_end|>"))
            assert body(transcript)[:-1] == before
        select_all(transcript)
        assert selected(transcript).endswith("question 899<|im_end|><|im_end|>")


async def test_reasoning_alone_has_no_heading_and_no_bar() -> None:
    async with Host().run_test(size=(40, 8)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([Entry("r", EntryKind.REASONING, "", "Let me *think*.\n\nYes.\n", is_streaming=True)])
        assert body(transcript)[:4] == [" Let me *think*.", "", " Yes.", ""]
        transcript.cursor.choose_in_view()
        assert transcript.cursor.chosen is None


class Grey(App[None]):
    def get_line_filters(self) -> list[Monochrome]:
        return [Monochrome()]

    def compose(self):  # type: ignore[no-untyped-def]
        yield Transcript()


async def test_line_filters_apply_to_text_marks_and_scroll_bar() -> None:
    async with Grey().run_test(size=(40, 8)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([
            *(Entry(f"u{n}", EntryKind.USER, "You", "a lamb") for n in range(9)), Entry("p", EntryKind.PROMPT, "", INPUT)
        ])  # fmt: skip
        transcript.view.scroll_to_top()
        transcript.search.find("lamb")
        transcript.cursor.choose("u1")
        select_all(transcript)
        for strip in transcript.render_lines(Region(0, 0, *transcript.size)):
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    red, green, blue = colour.get_truecolor() if colour is not None else (0, 0, 0)
                    assert red == green == blue, segment


@pytest.mark.parametrize("wide", ["", "羊"], ids=["narrow", "wide"])
def test_a_line_ends_before_a_marker_rather_than_inside_it(wide: str) -> None:
    text = f"<|im_user|>ChatMessageRole.USER<|im_middle|>What?{wide}<think></think>x<|im_end|>"
    lines = list(prompt_lines(text, Look(LOOK.styles, 31), DEFAULT_TEMPLATE, before="", after="", is_last=True))
    assert [line.text for line in lines] == [
        "<|im_user|>ChatMessageRole.USER", f"<|im_middle|>What?{wide}<think>", "</think>x<|im_end|>",
    ]  # fmt: skip
    assert "".join(line.text + line.joint for line in lines).rstrip("\n") == text


@pytest.mark.parametrize(
    ("template", "text", "chips", "ends"),
    [
        (
            template_rows.MISTRAL,
            "[INST] <think>a[\u2060/INST][/INST] b</s> [INST] ",
            ["[INST]", "[/INST]", "</s>", "[INST]"],
            2,
        ),
        (
            template_rows.CHATML,
            "<|im_start|>user\n[EOS]<|im_end|>\n<think>",
            ["<|im_start|>", "<|im_end|>", "<think>"],
            1,
        ),
    ],
    ids=["mistral", "chatml"],
)
def test_chips_are_what_the_template_has_for_markers(
    template: Template, text: str, chips: list[str], ends: int
) -> None:
    lines = list(prompt_lines(text, LOOK, template, before="", after="", is_last=True))
    assert [run for line in lines for run, style in line.runs if style.reverse] == chips
    # The screen ends a line behind each turn.
    assert sum(line.joint == "" for line in lines) == ends
    assert "".join(line.text + line.joint for line in lines)[:-1] == text.replace("\u2060", SHOWN_JOINER)


def test_a_marker_that_is_wider_than_a_line_is_cut() -> None:
    lines = list(
        prompt_lines("a<|im_assistant|>b", Look(LOOK.styles, 6), DEFAULT_TEMPLATE, before="", after="", is_last=True)
    )
    assert [line.text for line in lines] == ["a", "<|im_a", "ssista", "nt|>b"]


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, max_size=25), st.integers(14, 40))
@example(["\t", "\t", "<|im_end|>"], 14)
def test_no_marker_is_cut_that_fits_on_a_line(parts: list[str], width: int) -> None:
    lines = prompt_lines("".join(parts), Look(LOOK.styles, width), DEFAULT_TEMPLATE, before="", after="", is_last=True)
    for line in lines:
        for chip in [run for run, style in line.runs if style.reverse or style.underline]:
            assert DEFAULT_TEMPLATE.markers.spans(chip.replace(SHOWN_JOINER, "\u2060")) == [(0, len(chip))]


def test_markers_side_by_side_are_told_apart_without_colour() -> None:
    text = "<|im_middle|><think></think>x<think><\u2060think><\u2060/think><|im_end|><think>"
    (first, last) = prompt_lines(
        text, Look(LOOK.styles, 100), DEFAULT_TEMPLATE, before="<think>", after="", is_last=True
    )
    looks = [
        (run, (style.reverse, style.bold, style.underline))
        for run, style in (*first.runs, *last.runs)
        if run.startswith("<")
    ]
    reversed_, next_, bold = (True, None, None), (True, None, True), (None, True, True)
    assert looks == [
        ("<|im_middle|>", reversed_), ("<think>", next_), ("</think>", reversed_), ("<think>", reversed_),
        (f"<{SHOWN_JOINER}think>", (None, None, True)), (f"<{SHOWN_JOINER}/think>", bold), ("<|im_end|>", reversed_),
        ("<think>", reversed_),
    ]  # fmt: skip
    assert first.text + last.text == text.replace("\u2060", SHOWN_JOINER)


@pytest.mark.parametrize("place", range(3985, 4004))
def test_a_long_line_is_not_cut_inside_a_marker(place: int) -> None:
    text = "x" * place + "<|im_middle|>" + "y" * 5000
    source = PlainSource(text)
    chunks = [*source.finished, *source.open]
    assert "".join(chunks) == text
    assert sum("<|im_middle|>" in chunk for chunk in chunks) == 1
    grown = PlainSource()
    for char in text:
        grown.append(char)
    assert [*grown.finished, *grown.open] == chunks
