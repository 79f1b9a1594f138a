"""The conversation as a document: texts are exact, and none of them reaches out of its place."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kimi_tui.core.prompt.documents import render_markdown, render_text
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.session.written import WrittenRange
from kimi_tui.core.text.visible import visible_line

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = Session("id", NOW, NOW, "m", "Lamb", "Be\r\nbrief.").with_message(Message("m1", Role.USER, " Hi \r\n"))
SESSION = SESSION.with_message(Message("m2", Role.ASSISTANT, "other", "m1"))
SESSION = SESSION.with_message(Message("m3", Role.ASSISTANT, "Yo", "m1", reasoning="why"))


def test_the_active_branch_with_exact_texts() -> None:
    markdown, text = render_markdown(SESSION), render_text(SESSION)
    assert markdown.startswith("# Lamb\n")
    for part in ("Be\r\nbrief.", " Hi \r\n", "Yo"):
        assert part in markdown
        assert part in text
    assert "<details><summary>Reasoning</summary>\n\nwhy\n\n</details>" in markdown
    assert "other" not in markdown + text


PIECES = [
    "# Big\n", "## You\n", "Kimi\n---\n", "You\n===\n", "```py\n", "```\n", "````\n", "~~~\n", "text ", "more\n", "\n", "\n\n", "- item\n",
    "  - in\n", "1. one\n", "> quote\n", "</details>", "<details>\n", "<!-- ", "-->", "<pre>\n", "<b>", "</b>", "<br>", "<div>\n", "\r", "\r\n",
    "\t", "    code\n", "| a | b |\n|---|---|\n", "[x]: /u\n", "`", "*", "\\", "#", "---\n", "&#35; x\n", "<?", "<![CDATA[", "<script>\n",
    "羊", "\0", "\u2028", "<https://e.org>", "  ", "[^1]: n\n", "$$\n", "<x-y a='b\n", "'>", "\x0c", "+ ", "2) ", "[stopped]: /u\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
TITLES = st.lists(st.sampled_from([*PIECES, "*a*", "_b_", "2*3", "C#", " #", "[a](b)", "<b>", "~~x~~", "a"])).map(
    "".join
)


def turn(role: Role, text: str, reasoning: str | None = None, **values: Any) -> Message:
    return Message("m", role, text, reasoning=reasoning, **values)


def exported(title: str, system: str | None, *messages: Message) -> str:
    session = Session("id", NOW, NOW, "m", title, system)
    for number, message in enumerate(messages):
        parent = f"m{number - 1}" if number else None
        session = session.with_message(replace(message, id=f"m{number}", parent=parent))
    return render_markdown(session)


def quoted(text: str) -> str:
    return "".join(
        f"> {line}" if line.strip() else f">{line}" for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|.+", text)
    )


@pytest.mark.parametrize("parser", [MarkdownIt("commonmark"), MarkdownIt("js-default")], ids=["html", "no html"])
def test_no_text_reaches_out_of_its_place(parser: MarkdownIt) -> None:
    @settings(max_examples=150, deadline=None)
    @given(TITLES, st.none() | TEXTS, st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), st.sampled_from(list(MessageState)))
    def check(title: str, system: str | None, texts: tuple[str, str, str, str], state: MessageState) -> None:
        question, reasoning, answer, after = texts
        document = exported(
            title,
            system,
            turn(Role.USER, question),
            turn(Role.ASSISTANT, answer, reasoning, state=state, finish_reason=answer),
            turn(Role.USER, after),
        )
        tokens = parser.parse(document)
        headings = [
            tokens[at + 1] for at, token in enumerate(tokens) if token.type == "heading_open" and not token.level
        ]
        heads = ["You", "Kimi", "You"] if system is None else ["System prompt", "You", "Kimi", "You"]
        assert [token.content for token in headings[1:]] == heads
        title = " ".join(visible_line(title).split()) or "id"
        assert [(t.type, t.content) for t in headings[0].children or []] in ([("text", title)], [("text", "id")])
        lines = re.split(r"\r\n|\r|\n", document)
        bounds = [*(token.map[0] for token in headings if token.map), len(lines)]
        shown = [*([] if system is None else [system]), question, answer, after]
        for text, (begin, end) in zip(shown, pairwise(bounds[1:]), strict=True):
            section = "\n".join(lines[begin:end])
            plain = re.sub(r"\r\n|\r", "\n", text)
            assert plain in section or quoted(plain) in section
        html = [token.content.strip() for token in tokens if token.type == "html_block"]
        ours = ["<details><summary>Reasoning</summary>", "</details>"] if reasoning else []
        assert html == (ours if parser.options["html"] else [])

    check()


def test_html_that_a_quote_would_bring_to_life_stands_in_a_fence() -> None:
    document = exported("t", None, turn(Role.USER, "\t</details># Big\n# Big\n"))
    assert not [token for token in MarkdownIt("commonmark").parse(document) if token.type == "html_block"]


@pytest.mark.parametrize(
    "text",
    [
        "Some *words* and `code`.",
        "```py\n# a comment\n```\nand `</details>`",
        "| a | b |\n|---|---|\n| x<br>y | H<sub>2</sub>O |",
        "- item\n\n  ```\n  # code\n\n> # quoted",
        "5 < 6, <https://example.org>",
    ],
)
def test_a_harmless_text_is_written_as_it_is(text: str) -> None:
    assert f"## Kimi\n\n{text}\n" in exported("t", None, turn(Role.ASSISTANT, text))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("# Steps\n\n1. one", "> # Steps\n>\n> 1. one"),
        ("Look:\n```py\nx = 1", "> Look:\n> ```py\n> x = 1"),
        ("a </details> b", "```markdown\na </details> b\n```"),
        ("<!-- a\n````\n", "`````markdown\n<!-- a\n````\n`````"),
        ("<b>open", "```markdown\n<b>open\n```"),
    ],
)
def test_a_text_that_would_reach_out_is_quoted_or_fenced(text: str, written: str) -> None:
    assert f"## You\n\n{written}\n" in exported("t", None, turn(Role.USER, text))


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Lamb, *slow*\nand `low`", "# Lamb\\, \\*slow\\* and \\`low\\`"),
        ("2 * 3, C# and snake_case", "# 2 * 3, C# and snake_case"),
        ("a #", "# a \\#"),
        (" \n", "# id"),
    ],
)
def test_a_title_is_one_line_without_markup(title: str, line: str) -> None:
    assert exported(title, None).splitlines() == [line]


def test_a_target_of_links_counts_in_its_own_text_alone() -> None:
    first, second = "see [docs]\n\n[docs]: /first", "press [Docs]"
    own = exported("t", None, turn(Role.USER, "hi"), turn(Role.ASSISTANT, first))
    assert f"## Kimi\n\n{first}\n" in own
    document = exported("t", None, turn(Role.ASSISTANT, first), turn(Role.USER, second))
    assert "<a " not in MarkdownIt("commonmark").render(document)
    assert first in document
    assert second in document


def test_how_a_reply_ended_is_no_link_of_a_text() -> None:
    document = exported("t", None, turn(Role.ASSISTANT, "a\n\n[stopped]: /u", state=MessageState.CANCELLED))
    assert "<p>[stopped]</p>" in MarkdownIt("commonmark").render(document)
    document = exported("t", None, turn(Role.ASSISTANT, "a", finish_reason="a*b*c [d](e)\n# f"))
    assert "<p>[ended by a*b*c [d](e) # f]</p>" in MarkdownIt("commonmark").render(document)


def test_a_few_words_say_what_the_user_wrote() -> None:
    reply = Message("m3", Role.ASSISTANT, "Yo there", "m1", state=MessageState.CANCELLED)
    reply = replace(reply, written=(WrittenRange("content", 0, 2),))
    session = replace(SESSION, messages=(SESSION.messages[0], reply), head="m3")
    for document in (render_markdown(session), render_text(session)):
        assert "[begins with your words · stopped]" in document


@given(TITLES)
def test_the_name_of_a_branch_stands_in_the_heading_where_it_begins_and_is_no_markup(name: str) -> None:
    document = exported("t", None, turn(Role.USER, "Hi"), turn(Role.ASSISTANT, "Yo", name=name))
    tokens = MarkdownIt("commonmark").parse(document)
    headings = [tokens[at + 1].children or [] for at, token in enumerate(tokens) if token.type == "heading_open"]
    line = " ".join(visible_line(name).split())
    assert ["".join(part.content for part in parts) for parts in headings[1:]] == [
        "You",
        f"Kimi · branch “{line}”" if line else "Kimi",
    ]
    assert all(part.type == "text" for parts in headings for part in parts)


def test_a_plain_text_names_the_branch_too() -> None:
    session = SESSION.with_message(Message("m4", Role.ASSISTANT, "Hm", "m1", name="Lamb\nstew"))
    assert "\nKimi · branch “Lamb stew”:\nHm\n" in render_text(session)
