"""The transcript: what is on screen, what stays where it is, and how little is laid out."""

from __future__ import annotations

import random

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.events import Key
from textual.filter import LineFilter
from textual.geometry import Region

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.text.safe_text import SafeFilter
from kimi_tui.ui.transcript.highlight import highlight
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.ui.transcript.parts import append, live

MARKDOWN = """# Lamb

Some **bold** prose with `code` and a [link](https://example.org) that goes on for more than one line, surely.

- one
  - two
1. first
2. second

> quoted

| a | b |
| - | -: |
| x | 1 |

```python
def f(x: int) -> int:
    return x
```

The end.
"""


class Host(App[None]):
    def get_line_filters(self) -> list[LineFilter]:
        return [SafeFilter(), *super().get_line_filters()]

    def compose(self) -> ComposeResult:
        yield Transcript()


def user(number: int, text: str = "Hello") -> Entry:
    return Entry(f"u{number}", EntryKind.USER, "You", text)


def reply(number: int, text: str, reasoning: str | None = None) -> Entry:
    return Entry(f"r{number}", EntryKind.ASSISTANT, "Kimi", text, reasoning, "Thought for 1.0 s" if reasoning else "")


def select_all(transcript: Transcript) -> None:
    """Select everything with the keyboard."""
    transcript.start_selection()
    for key in ("ctrl+home", "v", "ctrl+end"):
        transcript.on_key(Key(key, None))


def selected(transcript: Transcript) -> str:
    """What would be copied."""
    return transcript.screen.get_selected_text() or ""


def rows(transcript: Transcript) -> list[str]:
    width, height = transcript.size
    return [strip.text.rstrip() for strip in transcript.render_lines(Region(0, 0, width, height))]


def body(transcript: Transcript) -> list[str]:
    return [row.rstrip("┃╹╻").rstrip() for row in rows(transcript)]


@pytest.mark.parametrize("size", [(120, 40), (60, 20), (20, 10)])
async def test_every_row_has_the_screens_width(size: tuple[int, int]) -> None:
    async with Host().run_test(size=size) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "羊肉 👩\u200d💻 " * 20), reply(1, MARKDOWN + "\n羊" * 50, "hm\n" * 3)])
        transcript.folds.toggle("r1")
        width, height = transcript.size
        strips = transcript.render_lines(Region(0, 0, width, height))
        assert [strip.cell_length for strip in strips] == [width] * height


async def test_markdown_is_shown_as_what_it_is() -> None:
    async with Host().run_test(size=(60, 40)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, MARKDOWN)])
        text = "\n".join(body(transcript))
        for part in (
            "Lamb",
            "Some bold prose with code and a link",
            "(https://example.org)",
            "• one",
            "  ◦ two",
            "2. second",
            "▌ quoted",
            "a │ b",
            "x │ 1",
            "python",
            "def f(x: int)",
        ):
            assert part in text
        assert "**" not in text


async def test_streaming_ends_as_loading_at_once() -> None:
    chance = random.Random(7)
    async with Host().run_test(size=(60, 40)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, MARKDOWN)])
        whole = body(transcript)
        transcript.set_entries([live()])
        place = 0
        while place < len(MARKDOWN):
            size = chance.randint(1, 9)
            append(transcript, ReplyPart.ANSWER, MARKDOWN[place : place + size])
            rows(transcript)
            place += size
        assert body(transcript) == whole


async def test_reading_stays_where_it_is_while_text_arrives() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        entries = [user(n, f"message {n}\nline") for n in range(50)]
        transcript.set_entries([*entries, live()])
        assert [transcript.is_following] == [True]
        transcript.view.scroll_pages(-2)
        assert [transcript.is_following] == [False]
        before = body(transcript)
        append(transcript, ReplyPart.ANSWER, "text\n\n" * 20)
        after = body(transcript)
        assert after[:-1] == before[:-1]
        assert "↓ new" in after[-1]
        transcript.view.follow_tail()
        assert "text" in "\n".join(body(transcript))
        transcript.view.scroll_to_top()
        assert "message 0" in "\n".join(body(transcript))


async def test_reasoning_folds_and_unfolds() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, "answer", "secret thought")])
        assert "▸ Thought for 1.0 s" in "\n".join(body(transcript))
        await pilot.click(Transcript, offset=(5, 1))
        assert "secret thought" in "\n".join(body(transcript))
        transcript.folds.toggle("r1")
        assert "secret thought" not in "\n".join(body(transcript))


async def test_no_control_character_gets_onto_the_screen() -> None:
    evil = "\x1b]52;c;eA==\x07 \x9b31m \u202e &#27; [/] [bold]x"
    async with Host().run_test(size=(60, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([
            user(1, evil), reply(1, f"{evil}\n\n`{evil}`\n\n```{evil}\n{evil}\n```\n\n[{evil}](http://x/{evil})", evil),
            Entry("n", EntryKind.NOTICE, "", evil, severity="error"), Entry("h", EntryKind.USER, evil, "", footer=evil, detail=evil),
        ])  # fmt: skip
        transcript.folds.toggle("r1")
        text = "\n".join(rows(transcript))
        assert not [
            char for char in text if (char < " " and char != "\n") or "\x7f" <= char <= "\x9f" or char == "\u202e"
        ]
        assert "[bold]x" in text


def test_the_last_line_of_a_diff_has_its_own_colour() -> None:
    styles = Styles({"syntax-inserted": "#00ff00", "syntax-error": "#ff0000"}, Style())
    *_, last = highlight("-salt = 1\n+salt = 2", "diff", styles)
    colours = {style.color.name for text, style in last if text and style.color}
    assert colours == {"#00ff00"}
