"""Which characters of a reply are the user's can be seen, in Markdown, code, thinking and beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.style import Style

from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.session.written import Begun, WrittenRange
from kimi_tui.ui.state.entries import message_entry
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.entry_chrome import own_style
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.pieces import Look, Section

STYLES = Styles({"user-name": "#ff8800"}, Style(color="white", bgcolor="black"))


def marked(text: str, *own: str, section: Section = Section.BODY, width: int = 60) -> list[str]:
    """What is marked of a reply, a stretch each, with these parts of it the user's."""
    field = "content" if section is Section.BODY else "reasoning"
    written, at = list[WrittenRange](), 0
    for part in own:
        at = text.index(part, at)
        written.append(WrittenRange(field, at, at + len(part)))
        at += len(part)
    entry = Entry("m", EntryKind.ASSISTANT, "Kimi", text, written=tuple(written))
    if section is Section.REASONING:
        entry = replace(entry, text="", reasoning=text)
    item = Item(entry, is_folded=False)
    look, colour = Look(STYLES, width), own_style(STYLES).color
    found, was_own = list[str](), False
    for chunk in range(len(item.section(section).chunks)):
        for place in range(len(item.chunk(section, chunk, look).pieces)):
            for line in item.lines(section, chunk, place, look):
                for run, style in line.runs:
                    is_own = style.color == colour and bool(style.underline)
                    if is_own and was_own:
                        found[-1] += run
                    elif is_own:
                        found.append(run)
                    was_own = is_own
                was_own = False
    return found


@pytest.mark.parametrize(
    ("text", "own", "shown"),
    [
        ("Roast it with fire, then rest.", ("with fire",), ["with fire"]),
        ("Roast **it with** fire.", ("it with", "re."), ["it with", "re."]),
        ("- one\n- two\n\n## Head line\n", ("two", "Head"), ["two", "Head"]),
        ("See [the page](https://e.org/with/it) with it.", ("with it.",), ["with it."]),
        ("```py\nx = 1\ny = 2\n```\nDone.", ("y = 2",), ["y = 2"]),
        ("| a | b |\n| - | - |\n| lamb | x |\n", ("lamb",), ["lamb"]),
        ("A 👍🏽 and 羊肉.", ("👍🏽", "羊肉"), ["👍🏽", "羊肉"]),
        ("first\n\nsecond\n\nthird", ("cond\n\nth",), ["cond", "th"]),
        ("nothing here", (), []),
    ],
)
def test_the_users_characters_are_marked_and_no_others(text: str, own: tuple[str, ...], shown: list[str]) -> None:
    assert marked(text, *own) == shown


def test_in_the_thinking_too_and_wrapped() -> None:
    assert marked("Hm so\nWait, it is", "Wait,", section=Section.REASONING) == ["Wait,"]
    assert marked("aa bb cc dd", "bb cc", section=Section.REASONING, width=9) == ["bb", "cc"]


@pytest.mark.parametrize("place", range(0, 60_000, 7_001))
def test_far_into_a_long_text(place: int) -> None:
    text = "".join(f"Paragraph {number} says so.\n\n" for number in range(3_000))
    start = text.index("Paragraph", place)
    assert marked(f"{text[:start]}MINE {text[start:]}", "MINE") == ["MINE"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message("m", Role.ASSISTANT, "Ab", written=(WrittenRange("content", 0, 1),)), "begins with your words"),
        (Message("m", Role.ASSISTANT, "", reasoning="Ab", written=(WrittenRange("reasoning", 0, 1),)),
         "thinking begins with your words"),
        (Message("m", Role.ASSISTANT, "", reasoning="Ab", begun=Begun(2, of="m1"),
                 written=(WrittenRange("reasoning", 1, 2),)), "thought longer with your words"),
        (Message("m", Role.ASSISTANT, "Ab", written=(WrittenRange("content", 1, 2),)), "holds your words"),
        (Message("m", Role.ASSISTANT, "Ab", edited=True), "edited by you"),
        (Message("m", Role.ASSISTANT, "Ab", written=(WrittenRange("content", 7, 9),)), ""),
    ],
)  # fmt: skip
def test_the_title_says_it_in_a_few_words(message: Message, words: str) -> None:
    entry = message_entry(message)
    assert entry.remark == words
    (head,) = Item(entry, is_folded=True).lines(Section.HEAD, 0, 0, Look(STYLES, 60))[:1]
    assert head.text == f"Kimi{f' · {words}' if words else ''}"
