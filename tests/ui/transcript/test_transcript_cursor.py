"""The message cursor, going to headings and code, clicks, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.events import Click
from textual.geometry import Region
from textual.message import Message

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.counting import chars_parsed, made
from tests.ui.transcript.parts import Parts, append, live
from tests.ui.transcript.test_transcript_widget import MARKDOWN, Host, body, reply, rows, user

CODE = """Before.

```python
x = 1
```

- an item

  ```
  plain
  ```

> ~~~sh
> ls
> ~~~

    indented

after"""


class Recorder(Host):
    def __init__(self) -> None:
        super().__init__()
        self.seen = list[Message]()

    def on_transcript_chosen(self, event: Transcript.Chosen) -> None:
        self.seen.append(event)

    def on_transcript_alternative_clicked(self, event: Transcript.AlternativeClicked) -> None:
        self.seen.append(event)


def marked(transcript: Transcript) -> list[int]:
    return [row for row, text in enumerate(rows(transcript)) if text.startswith("▌")]


def notice() -> Entry:
    return Entry("n", EntryKind.NOTICE, "", "a notice")


async def test_only_messages_are_chosen_and_marked_along_all_their_lines() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "one\ntwo"), notice(), reply(2, "three\n\nfour")])
        assert marked(transcript) == []
        transcript.cursor.choose_in_view()
        assert transcript.cursor.chosen == "r2"
        transcript.cursor.move(-1)
        assert transcript.cursor.chosen == "u1"
        assert marked(transcript) == [0, 1, 2]
        transcript.cursor.move(-1)
        assert transcript.cursor.chosen == "u1"
        transcript.cursor.choose_edge(False)
        assert marked(transcript) == [6, 7, 8, 9]
        transcript.cursor.choose("n")
        assert [transcript.cursor.chosen] == [None]
        assert marked(transcript) == []
        await pilot.pause()
        assert [event.key for event in app.seen if isinstance(event, Transcript.Chosen)] == ["r2", "u1", "r2", None]


async def test_the_chosen_message_comes_into_view_with_its_heading() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([
            *(user(n, f"message {n}") for n in range(20)), reply(1, "long\n\n" * 30), user(30, "last"),
        ])  # fmt: skip
        transcript.cursor.choose_edge(True)
        assert body(transcript)[:2] == ["▌You", "▌  message 0"]
        for _ in range(10):
            transcript.cursor.move(1)
        text = "\n".join(body(transcript))
        assert "▌You\n▌  message 10" in text
        transcript.cursor.choose("r1")
        assert body(transcript)[0] == "▌Kimi"
        transcript.cursor.choose("u30")
        assert "▌You\n▌  last" in "\n".join(body(transcript))
        transcript.cursor.move(-1)
        assert body(transcript)[0] == "▌Kimi"
        top = body(transcript)
        transcript.cursor.choose("r1")
        assert body(transcript) == top


async def test_the_choice_follows_its_message_and_goes_with_it() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1), live()])
        append(transcript, ReplyPart.REASONING, "thought\n" * 3)
        append(transcript, ReplyPart.ANSWER, "answer")
        transcript.folds.toggle("live")
        transcript.cursor.choose("live")
        before = body(transcript)
        transcript.update_entry(replace(reply(7, "answer and more", "thought\n" * 3), key="live"))
        assert transcript.cursor.chosen == "live"
        assert transcript.plain_text_of("live") == "answer and more"
        after = body(transcript)
        assert [a for a, b in zip(after, before, strict=True) if a != b] == [
            "▌  ▾ Thought for 1.0 s",
            "▌  answer and more",
        ]
        transcript.set_entries([user(1)])
        assert [transcript.cursor.chosen] == [None]
        await pilot.pause()
        assert [event.key for event in app.seen if isinstance(event, Transcript.Chosen)] == ["live", None]


async def test_clicks_choose_fold_and_ask_for_alternatives() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([
            Entry("r", EntryKind.ASSISTANT, "Kimi", "answer", "thought", "Thought", alternatives=(2, 3), detail="12:30"),
            notice(),
        ])  # fmt: skip
        head = rows(transcript)[0]
        for cell in (head.index("◂"), head.index("▸"), 3):
            await pilot.click(Transcript, offset=(cell, 0))
        await pilot.click(Transcript, offset=(6, 1))
        await pilot.click(Transcript, offset=(6, 6))
        await pilot.pause()
        assert [type(event).__name__ for event in app.seen] == [
            "AlternativeClicked", "AlternativeClicked", "Chosen",
        ]  # fmt: skip
        assert (transcript.cursor.chosen, "▾ Thought" in rows(transcript)[1]) == ("r", True)
        assert [event.step for event in app.seen if isinstance(event, Transcript.AlternativeClicked)] == [-1, 1]


@pytest.mark.parametrize(("alternatives", "shown"), [((1, 2), "1/2 ▸"), ((2, 2), "◂ 2/2"), ((2, 3), "◂ 2/3 ▸")])
async def test_arrows_point_to_alternatives_that_are_there_however_fast_they_are_clicked(
    alternatives: tuple[int, int], shown: str
) -> None:
    app = Recorder()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", "answer", alternatives=alternatives)])
        head = rows(transcript)[0]
        assert head.split("Kimi")[1].strip(" ┃╻╹") == shown
        slash = head.index("/")
        for cell in (slash - 1, slash + 1):
            await pilot.click(Transcript, offset=(cell, 0))
        for cell in (slash - 3, slash + 3):
            await pilot.double_click(Transcript, offset=(cell, 0))
        steps = [event.step for event in app.seen if isinstance(event, Transcript.AlternativeClicked)]
        assert (steps.count(-1), steps.count(1)) == (3 * ("◂" in shown), 3 * ("▸" in shown))


async def test_a_hand_that_trembles_within_a_cell_clicks() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", "answer", alternatives=(1, 2))])
        cell = rows(transcript)[0].index("▸")
        await pilot.mouse_down(Transcript, offset=(cell, 0))
        await pilot.mouse_up(Transcript, offset=(cell, 0))  # it moves the mouse to where it is first
        await pilot._post_mouse_events([Click], Transcript, (cell, 0), button=1)
        await pilot.pause()
        assert [type(event).__name__ for event in app.seen] == ["AlternativeClicked"]


async def test_headings_and_code_are_gone_to_one_after_the_other() -> None:
    async with Host().run_test(size=(60, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([
            entry for n in range(3) for entry in (user(n, "# no heading\n```\nno code\n```"), reply(n, MARKDOWN.replace("Lamb", f"Lamb {n}")))
        ])  # fmt: skip
        transcript.view.scroll_to_top()
        seen = []
        for _ in range(4):
            transcript.jumps.move_heading(1)
            seen.append(next(row for row in body(transcript) if row.startswith("›")))
        assert seen == ["›  Lamb 0", "›  Lamb 1", "›  Lamb 2", "›  Lamb 2"]
        transcript.jumps.move_heading(-1)
        assert body(transcript)[0] == "›  Lamb 1"
        transcript.jumps.move_code(1)
        assert body(transcript)[0] == "›   python"
        transcript.jumps.move_code(1)
        transcript.jumps.move_code(1)
        shown = body(transcript)
        assert any(row.startswith("›   python") for row in shown)
        transcript.jumps.move_code(-1)
        transcript.jumps.move_code(-1)
        transcript.jumps.move_code(-1)
        assert body(transcript)[0] == "›   python"
        transcript.view.scroll_lines(1)
        assert not any(row.startswith("›") for row in body(transcript))
        transcript.jumps.move_code(-1)
        assert body(transcript)[0] == "›   python"


async def test_code_in_a_later_item_of_a_list_is_gone_to() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, "text\n\n- a\n- b\n\n  ```py\n  x\n  ```\n- c\n\n" + "more\n\n" * 9)])
        transcript.view.scroll_to_top()
        transcript.jumps.move_code(1)
        assert body(transcript)[0] == "›  • b"


async def test_code_blocks_are_listed_and_numbered() -> None:
    async with Host().run_test(size=(60, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1), reply(1, CODE)])
        assert transcript.code.sources("r1") == ["x = 1\n", "plain\n", "ls\n", "indented\n"]
        assert transcript.code.sources("u1") == []
        assert transcript.code.sources("gone") == []
        assert [transcript.code.has_any(key) for key in ("r1", "u1", "gone")] == [True, False, False]
        before = body(transcript)
        transcript.code.show_numbers("r1")
        shown = [row for row in body(transcript) if "[" in row]
        assert [row.split()[0] for row in shown] == ["python", "plain", "▌", "indented"]
        assert [row.split()[-1] for row in shown] == ["[1]", "[2]", "[3]", "[4]"]
        transcript.code.hide_numbers()
        assert body(transcript) == before


async def test_code_that_is_markdown_is_one_block_with_its_own_code() -> None:
    inner = "# A\n\n```sh\n" + "ls\n" * 120 + "```\n\nend\n"
    async with Host().run_test(size=(60, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, f"```markdown\n{inner}```\n\n```py\nx\n```")])
        assert transcript.code.sources("r1") == [inner, "x\n"]


def test_whether_there_is_code_is_known_without_what_stands_behind_it() -> None:
    parts = Parts()
    parts.set_entries([reply(1, "Code:\n\n```py\n" + "x = 1\n" * 20_000 + "```")])
    with chars_parsed() as first:
        assert parts.code.has_any("r1")
    with chars_parsed() as rest:
        assert parts.code.sources("r1") == ["x = 1\n" * 20_000]
    assert 0 < 4 * first.total < rest.total


def test_a_reply_that_has_ended_is_laid_out_only_where_it_is_another_one() -> None:
    parts = Parts()
    parts.set_entries([user(1), live()])
    append(parts, ReplyPart.REASONING, "thought\n" * 3)
    append(parts, ReplyPart.ANSWER, "answer")
    parts.folds.toggle("live")
    parts.texts()
    with made(Line) as lines:
        parts.changed(parts.entries.update(replace(reply(7, "answer and more", "thought\n" * 3), key="live")))
        assert "  │ thought" in parts.texts()
    assert lines.total <= 8


async def test_a_block_that_was_cut_is_one_and_numbers_go_on_out_of_view() -> None:
    code = "".join(f"x{n} = {n}\n" for n in range(3000))
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, f"```py\na\n```\n\n```py\n{code}```\n\n```\nlast\n```")])
        assert transcript.code.sources("r1") == ["a\n", code, "last\n"]
        transcript.code.show_numbers("r1")
        assert [row.split()[-1] for row in body(transcript) if "[" in row] == ["[3]"]
        assert transcript.code.count_above("r1") == 2
        transcript.view.scroll_to_top()
        assert transcript.code.count_above("r1") == 0
        transcript.view.scroll_lines(3)
        assert transcript.code.count_above("r1") == 1


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("Some **bold** `code` and [a link](https://x.org).", "Some bold code and a link (https://x.org)."),
        ("# Head\n\n- a\n- b *c*\n\n1. d", "Head\n\n- a\n- b c\n\n1. d"),
        ("```py\nx = 1\n\n    y\n```\n\nend", "x = 1\n\n    y\n\nend"),
        ("word " * 100, ("word " * 100).strip()),
        ("> quoted", "> quoted"),
    ],
)
async def test_a_text_without_its_marks(source: str, plain: str) -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, source), user(2, "**kept**")])
        assert transcript.plain_text_of("r1") == plain
        assert transcript.plain_text_of("u2") == "**kept**"


async def test_an_excluded_message_says_so() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "text")])
        before = transcript.render_lines(Region(0, 1, 60, 1))
        transcript.set_entries([Entry("u1", EntryKind.USER, "You", "text", is_excluded=True)])
        assert body(transcript)[:2] == [" You · not in the prompt", "   text"]
        assert transcript.render_lines(Region(0, 1, 60, 1)) != before


def middle_of_a_long_reply(transcript: Transcript) -> list[str]:
    """Scroll to the middle of a reply that is longer than the screen, and say what is there."""
    text = "\n\n".join(f"paragraph {n}" for n in range(60))
    transcript.set_entries([user(1), reply(1, text), user(2), reply(2, text)])
    transcript.view.scroll_to_top()
    transcript.view.scroll_lines(40)
    shown = body(transcript)
    assert shown[0].startswith("   paragraph")
    return shown


async def test_a_click_on_a_message_marks_it_where_one_reads() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        before = middle_of_a_long_reply(transcript)
        await pilot.click(Transcript, offset=(6, 4))
        assert transcript.cursor.chosen == "r1"
        assert body(transcript) == [f"▌{row[1:]}" for row in before]


async def test_choosing_in_view_marks_only_and_moving_on_scrolls() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        before = middle_of_a_long_reply(transcript)
        transcript.cursor.choose_in_view()
        marked_rows = [f"▌{row[1:]}" for row in before]
        assert (transcript.cursor.chosen, body(transcript)) == ("r1", marked_rows)
        transcript.cursor.choose("u2", brings_into_view=False)
        assert (transcript.cursor.chosen, body(transcript)) == ("u2", before)
        transcript.cursor.choose("u2")
        assert "▌You" in body(transcript)
        transcript.cursor.move(-1)
        assert body(transcript)[0] == "▌Kimi"
        transcript.cursor.choose_edge(False)
        assert body(transcript)[0] == "▌Kimi"
        assert not transcript.is_following


async def test_following_goes_on_after_a_click() -> None:
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1), live()])
        append(transcript, ReplyPart.ANSWER, "paragraph\n\n" * 30)
        await pilot.click(Transcript, offset=(6, 4))
        transcript.cursor.choose_in_view()
        assert (transcript.cursor.chosen, transcript.is_following) == ("live", True)
        append(transcript, ReplyPart.ANSWER, "the end")
        assert "the end" in "\n".join(body(transcript))
        transcript.view.scroll_lines(-1)
        assert not transcript.is_following
