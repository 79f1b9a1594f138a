"""The prompt pane: what it shows of an input, and how little a keystroke costs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Input, Static

from kimi_tui.core.prompt.past_requests import sent_input
from kimi_tui.core.prompt.prompt_view import PromptViewer
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.session import Usage
from kimi_tui.core.text.dotted import SEPARATOR
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.core.prompt.test_context_budget import talk
from tests.core.prompt.test_conversation import reply, session_of, user
from tests.counting import calls_in
from tests.prompts import next_prompt, past_view
from tests.ui.resizing import resize
from tests.ui.transcript.test_transcript_reading import new_strips
from tests.ui.transcript.test_transcript_widget import select_all, selected

REQUEST = RequestSettings(template=TEMPLATES["kimi"])
SENT = {"temperature": 1.0, "stop": ["<|im_end|>"], "response_format": {"type": "json_object"}, "user": "a\nb[/]\x1b"}
SESSION = session_of(
    user("m1", "Name <think> two ways."), reply("m2", "Roast it.", "m1", sent=SENT, usage=Usage(37)),
    replace(user("m3", "secret", "m2"), excluded=True), system="Be brief.",
)  # fmt: skip


class Host(App[None]):
    def __init__(self, width: str = "100%") -> None:
        super().__init__()
        self.pane_width = width

    def compose(self) -> ComposeResult:
        with Horizontal(id="side"):
            yield PromptPane(id="prompt-pane")
        yield Input()

    def on_mount(self) -> None:
        self.pane.styles.width = self.pane_width
        self.query_one(Input).focus()

    @property
    def pane(self) -> PromptPane:
        return self.query_one(PromptPane)

    @property
    def lines(self) -> Transcript:
        return self.query_one(Transcript)

    def shown(self) -> str:
        """All text that can be copied from the lines, in view or not, without headings and line ends."""
        select_all(self.lines)
        lines = selected(self.lines).splitlines()
        return "".join(line for line in lines if not re.fullmatch(r"[a-z ]+ · ~\d+ tok", line))

    def rows(self) -> list[str]:
        """The rows on screen, without the scroll bar."""
        width, strips = self.lines.size.width, self.strips()
        assert {strip.cell_length for strip in strips} <= {width}
        return [strip.text[:-1].strip() for strip in strips]

    def strips(self) -> list[Strip]:
        return self.lines.render_lines(Region(0, 0, *self.lines.size))

    def sizes(self) -> list[str]:
        return str(self.query_one("#prompt-sizes", Static).content).split("\n")


@pytest.mark.parametrize(
    ("size", "width"), [((120, 40), "28"), ((120, 40), "60"), ((60, 20), "100%"), ((20, 12), "100%")]
)
async def test_the_lines_hold_the_exact_input(size: tuple[int, int], width: str) -> None:
    async with Host(width=width).run_test(size=size) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.pane.show(PromptViewer().view(SESSION, REQUEST, "Hello [/] </think>"))
        await pilot.pause()
        sent = next_prompt(SESSION, REQUEST, "Hello [/] </think>")
        assert app.shown() == sent.replace("\n", "")
        app.rows()
        assert "secret" not in app.shown()


async def test_each_part_is_headed_by_what_it_is_and_its_size() -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.pane.show(PromptViewer().view(SESSION, REQUEST, "Hello"))
        await pilot.pause()
        rows = [" ".join(row.split()) for row in app.rows()]
        headings = [
            "system · ~13 tok",
            "user · ~20 tok m1",
            "assistant · ~11 tok m2",
            "draft · ~6 tok",
            "open turn · ~4 tok",
        ]
        assert [row for row in rows if " tok" in row and not row.startswith("(")] == headings
        assert rows.count("(1 neutralised · 33 tok up to here, counted)") == 1
        assert app.sizes() == ["~54 tok to send, of 256k · 1 neutralised · 37 counted"]


@pytest.mark.parametrize(
    ("width", "sizes"),
    [
        ("60", ["Request of m2 · 37 tok of 256k · 1 neutralised"]),
        ("40", ["Request of m2 · 37 tok of 256k", "1 neutralised"]),
        ("28", ["Request of m2", "37 tok of 256k", "1 neutralised"]),
        ("20", ["Request of m2", "37 tok of 256k", "1 neutralised"]),
    ],
)
async def test_the_sizes_of_a_past_request_fit_the_pane(width: str, sizes: list[str]) -> None:
    async with Host(width=width).run_test(size=(120, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.pane.show(past_view(SESSION, "m2", 262_144), "Request of m2")
        await pilot.pause()
        assert app.sizes() == sizes
        assert app.query_one("#prompt-sizes").size.height == len(sizes)


async def test_a_past_request_lists_what_was_sent_with_it() -> None:
    async with Host().run_test(size=(60, 40)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.pane.show(past_view(SESSION, "m2", 262_144), "Request of m2")
        await pilot.pause()
        rows = app.rows()
        at = rows.index("sent with it")
        assert rows[at + 1 : at + 5] == [
            "ⓘ temperature = 1.0",
            'stop = ["<|im_end|>"]',
            'response_format = {"type": "json_object"}',
            r'user = "a\nb[/]\u001b"',
        ]
        app.pane.show(past_view(session_of(user("m1", "a"), reply("m2", "b", "m1")), "m2", 9), "Request of m2")
        await pilot.pause()
        assert "ⓘ not known" in app.rows()
        app.pane.show(PromptViewer().view(SESSION, REQUEST))
        await pilot.pause()
        assert "sent with it" not in app.rows()


async def test_a_past_request_says_what_the_first_one_sent_in_another_way() -> None:
    form = '{"type": "json_object"}'
    first = {"response_format": form, "top_p": 1, "seed": 7, "user": "a", "prompt_cache_key": "x"}
    sent = {"response_format": {"type": "json_object"}, "top_p": 1.0, "user": "b", "prompt_cache_key": "y", "top_k": 3}
    async with Host().run_test(size=(60, 40)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        past = replace(past_view(SESSION, "m2", 262_144), sent=sent, sent_first=first)
        for view, shown in (
            (past, [f"response_format = {form}", "top_p = 1.0", 'user = "b"  (first: "a")', 'prompt_cache_key = "y"',
                    "top_k = 3  (first: not sent)", "seed is not sent  (first: 7)"]),
            (replace(past, sent={"response_format": form}), [f"response_format = {form}"]),
        ):  # fmt: skip
            app.pane.show(view, "Request of m2")
            await pilot.pause()
            rows = app.rows()
            at = rows.index("sent with it")
            assert rows[at + 1 : at + 1 + len(shown)] == [f"ⓘ {shown[0]}", *shown[1:]]


async def test_more_than_the_window_is_marked() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        for window_tokens, mark in ((47, "⚠ "), (48, "")):
            app.pane.show(PromptViewer().view(SESSION, replace(REQUEST, context_tokens=window_tokens)))
            await pilot.pause()
            end = " · ⚠ the window ends in: open turn" if mark else ""
            shown = SEPARATOR.join(app.sizes())
            assert shown == f"{mark}~48 tok to send, of {window_tokens}{end} · 1 neutralised · 37 counted"
            assert ("⚠ the window ends here" in "\n".join(app.rows())) is (mark != "")


async def test_the_end_stays_in_view_while_typing_and_reading_stays_where_it_is() -> None:
    viewer = PromptViewer()
    async with Host().run_test(size=(60, 14)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        for draft in ("h", "hello", "hello\nthere\n" * 20):
            app.pane.show(viewer.view(talk(20), REQUEST, draft))
            await pilot.pause()
            assert "open turn" in "\n".join(app.rows())
        app.pane.focus()
        await pilot.press("home")
        top = app.rows()[:-1]
        assert "question 1" in "\n".join(top)
        await pilot.press("down", "down")
        assert app.rows()[:-3] == top[2:]
        await pilot.press("up", "up")
        assert app.rows()[:-1] == top
        app.pane.show(viewer.view(talk(20), REQUEST, "more"))
        await pilot.pause()
        assert app.rows()[:-1] == top
        await pilot.press("pagedown", "down")
        assert app.rows()[:-1] != top
        await pilot.press("end")
        assert "open turn" in "\n".join(app.rows())


async def test_a_keystroke_costs_the_same_in_a_long_conversation() -> None:
    costs = []
    for turns in (5, 1000):
        session, viewer = talk(turns), PromptViewer()
        last = sent_input(session, session.messages[-1], 0)
        async with Host().run_test(size=(60, 30)) as pilot:
            app = pilot.app
            assert isinstance(app, Host)
            app.pane.show(viewer.view(session, REQUEST, "draft ", last=last))
            await pilot.pause()
            frames, calls = [app.strips()], 0
            for number in range(1, 11):
                view = viewer.view(session, REQUEST, "draft " + "x" * number, last=last)
                calls += calls_in(partial(app.pane.show, view))
                frames.append(app.strips())
            assert sum(map(new_strips, frames, frames[1:])) <= 2 * 10
            costs.append(calls)
    assert costs[1] < 1.5 * costs[0]


@pytest.mark.parametrize("hidden", ["#prompt-pane", "#side"])
async def test_a_hidden_pane_draws_when_it_comes_into_view(hidden: str) -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.query_one(hidden).display = False
        app.pane.show(PromptViewer().view(SESSION, REQUEST, "Hello"))
        await pilot.pause()
        assert app.shown() == ""
        app.query_one(hidden).display = True
        await pilot.pause()
        assert "Hello" in app.shown()


async def test_what_was_given_before_the_screen_is_drawn() -> None:
    class Early(App[None]):
        def compose(self) -> ComposeResult:
            pane = PromptPane()
            pane.show(PromptViewer().view(SESSION, REQUEST, "Hello"))
            yield pane

    async with Early().run_test(size=(60, 20)) as pilot:
        shown = [strip.text for strip in pilot.app.query_one(Transcript).render_lines(Region(0, 0, 60, 19))]
        assert sum(" · ~" in row for row in shown) == 5


async def test_another_width_writes_the_sizes_anew() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.pane.show(PromptViewer().view(SESSION, REQUEST))
        await pilot.pause()
        assert app.sizes() == ["~48 tok to send, of 256k · 1 neutralised · 37 counted"]
        await resize(pilot, 40, 20)
        await pilot.pause()
        assert app.sizes() == ["~48 tok to send, of 256k", "1 neutralised · 37 counted"]
        assert app.query_one("#prompt-sizes").size.height == 2


async def test_another_request_is_shown_from_its_end() -> None:
    async with Host().run_test(size=(60, 14)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        app.pane.show(PromptViewer().view(talk(20), REQUEST))
        app.pane.focus()
        await pilot.press("home")
        app.pane.show(past_view(talk(20), "r9", 9), "Request of r9")
        await pilot.pause()
        assert "sent with it" in app.rows()
