"""The screen in pictures: each pane and each state that a person meets, in the sizes and colours that matter.

A test's words say what to look for. A picture that changed is looked at before it is accepted:
`pytest tests/ui/test_snapshots.py` writes `snapshot_report.html` with the old and the new one side by side, and
`--snapshot-update` accepts what is there. What can be asserted as a value is tested elsewhere.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kimi_tui.core.errors import AuthenticationError, BrokenStreamError, KeyMissingError, RateLimitedError
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from tests.fakes.scripted_client import DONE, Script, Step, end, frame, streaming, think_end, token
from tests.svg import PicturedApp
from tests.ui.program import NOW, Prepared, Program, Steps, prepare, prompts, sees, settle, talk

Shot = Callable[..., bool]

WIDE, NARROW, SMALL, TINY = (120, 40), (80, 24), (60, 20), (40, 12)
DARK, LIGHT = "kimi-dark", "kimi-light"


def looks(*pairs: tuple[tuple[int, int], str]) -> pytest.MarkDecorator:
    """Take a picture in each of these sizes and themes."""
    names = [f"{columns}x{rows}-{theme.removeprefix('kimi-')}" for (columns, rows), theme in pairs]
    return pytest.mark.parametrize(("size", "theme"), pairs, ids=names)


WIDE_AND_NARROW = looks((WIDE, DARK), (NARROW, DARK))
WIDE_NARROW_AND_LIGHT = looks((WIDE, DARK), (NARROW, DARK), (WIDE, LIGHT))
NARROW_ONLY = looks((NARROW, DARK))
NARROW_AND_LIGHT = looks((NARROW, DARK), (NARROW, LIGHT))
SMALL_ONLY = looks((SMALL, DARK))


@pytest.fixture
def shot(snap_compare: Callable[..., bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shot]:
    """Run the program as far as some steps lead, and compare what is on screen with the accepted picture."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def compare(
        *steps: str | Steps,
        size: tuple[int, int],
        scripts: Sequence[Script] = (),
        before: Callable[[Prepared], None] = lambda _: None,
        **program: Any,
    ) -> bool:
        prepared = prepare(tmp_path, *scripts, app_type=PicturedApp, **program)
        prepared.app.animation_level = "none"
        before(prepared)

        async def run(pilot: Pilot[str]) -> None:
            running = prepared.run_by(pilot)
            await pilot.pause()
            for step in steps:
                await (running.type(step) if isinstance(step, str) else step(running))
            await settle(running)

        return snap_compare(prepared.app, terminal_size=size, run_before=run)

    yield compare
    monkeypatch.undo()
    time.tzset()


def later(seconds: float, *gates: asyncio.Event) -> Steps:
    """Let time pass, then let what waits at these gates go on."""

    async def pass_time(running: Program) -> None:
        running.clock.time_s += seconds
        running.screen.bars.tick()
        for gate in gates:
            gate.set()
        await running.pilot.pause()

    return pass_time


def asks(text: str) -> Steps:
    """Send a message, without a keystroke for every letter of it."""

    async def ask(running: Program) -> None:
        running.screen.composer.draft = text
        await running.type("<enter>")

    return ask


def choose(action: str) -> Steps:
    """Do an action, whatever its key is."""

    async def do(running: Program) -> None:
        running.screen.dispatcher.choose(action)
        await running.pilot.pause()

    return do


async def idle(running: Program) -> None:
    await running.idle()


def keyed(session: Session) -> Session:
    """With a cache key that is the same every time."""
    return replace(session, prompt_cache_key="5f2b0c9d41e8a7360f1d2c3b4a596877")


# -- what is talked about

THOUGHT = """\
The user wants two ways of cooking lamb. A roast takes time and forgives much; chops are quick.

1. The leg: low heat, garlic, rosemary.
2. The chops: high heat, and a rest.

I should give times and temperatures, and keep it short."""
LAMB = """\
Two ways that never fail:

1. **Roast a leg slowly.** Rub it with garlic, rosemary and salt, and give it about two hours at 160 °C.
2. **Grill chops fast.** Four minutes a side over *high* heat, then five minutes of rest.

> Patience is an ingredient.
"""
PROSE = """\
# A roast in three steps

A paragraph may hold **bold**, *emphasised*, ~~struck out~~ and `inline code`, and a [link](https://example.org/lamb).

1. Sear the lamb.
2. Let it rest:
   - ten minutes for chops,
   - twenty for a leg.
3. Carve it across the grain.

- [x] salt
- [ ] rosemary

> Patience is an ingredient.
>
> > And so is garlic.

---

```python
@dataclass(frozen=True)
class Chop:
    weight_g: int = 180

    def minutes(self) -> float:
        # four a side, longer for a heavy one
        return 8 + max(self.weight_g - 200, 0) / 50
```
"""
TABLE = """\
| Cut | Technique | Temperature | Minutes | A word about it |
| :--- | :---: | ---: | ---: | --- |
| Chops | grill | 230 °C | 8 | quick; a hot pan does as well |
| Leg | roast | 160 °C | 110 | the classic: garlic, rosemary, **patience** |
| 羊肉 🍖 | braise | 140 °C | 210 | とても美味しい |

Heat flows as $q = -k \\nabla T$, so the time grows with the square of the thickness $d$:

$$
t \\approx \\frac{d^2}{\\pi^2 \\alpha}
$$
"""
SHORT = keyed(talk(("Name two ways to cook lamb.", LAMB), ("And fish?", "Steam it."), reasoning=THOUGHT))
LONG = keyed(
    talk(
        *((f"Step {n}?", f"## Step {n}\n\nTurn the meat, baste it, and wait.\n\n- garlic\n- salt") for n in range(1, 9))
    )
)


def answer(text: str, *, reasoning: str = "The user asks.") -> Session:
    return keyed(talk(("Tell me about lamb.", text), reasoning=reasoning))


def spoken(text: str) -> list[bytes]:
    """A text as it streams, a token a word."""
    return [token(word) for word in re.findall(r"\S+\s*", text)]


def reply(*steps: Step) -> Script:
    return streaming(*spoken(THOUGHT), think_end(), *steps, end(), DONE)


def refused(error: Exception) -> Script:
    return Script([], refuse=error)  # type: ignore[arg-type]


# -- the conversation


@WIDE_AND_NARROW
def test_empty_start(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """A welcome that says how to begin, the composer with the focus, footer hints, a quiet status line."""
    assert shot(sees("Type a message"), size=size, theme=theme)


@NARROW_ONLY
def test_no_key(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Says that there is no key, how to set one, and how to go on without."""
    problem = KeyMissingError("There is no API key.", "Set DEEPINFRA_TOKEN.")
    assert shot(sees("no API key"), size=size, theme=theme, key_problem=problem)


@NARROW_ONLY
def test_waiting(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The question stands there, the composer is empty, the status line counts the seconds."""
    steps = (asks("Name two ways to cook lamb."), sees("waiting"), later(2.4))
    assert shot(*steps, size=size, theme=theme, scripts=[streaming(asyncio.Event())])


@looks((NARROW, DARK), (WIDE, LIGHT))
def test_thinking_unfolded(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The reasoning streams below its line, apart from an answer in look, with seconds and tokens counted."""
    scripts = [streaming(*spoken(THOUGHT), asyncio.Event())]
    steps = (asks("Name two ways to cook lamb."), sees("Thinking"), later(3.2), choose("fold"), sees("keep it short"))
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


@NARROW_ONLY
def test_answering_folded(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The reasoning is one line with its time; the answer grows below it; rate and cost in the status line."""
    gate = asyncio.Event()
    scripts = [streaming(*spoken(THOUGHT), gate, think_end(), *spoken(LAMB), asyncio.Event())]
    steps = (asks("Name two ways to cook lamb."), sees("Thinking"), later(4.1, gate), sees("Grill chops"), later(2.0))
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


@WIDE_NARROW_AND_LIGHT
def test_answer_with_prose_and_code(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Heading, emphasis, lists, tasks, quotes, a rule and highlighted code: each its own look, nothing cut."""
    assert shot(sees("def minutes"), size=size, theme=theme, session=answer(PROSE))


@NARROW_ONLY
def test_answer_with_table_and_math(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The table's columns line up, wide characters too, and fit the width; math is readable."""
    assert shot(sees("Heat flows"), size=size, theme=theme, session=answer(TABLE))


@NARROW_ONLY
def test_reasoning_unfolded(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The whole reasoning below its line, set back and quieter than the answer."""
    session = keyed(talk(("Name two ways to cook lamb.", "Roast the leg; grill the chops."), reasoning=THOUGHT))
    assert shot("<ctrl+r>", sees("I should give times"), size=size, theme=theme, session=session)


@NARROW_ONLY
def test_stopped(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """What arrived is kept and marked as stopped; the status line says so too."""
    scripts = [reply(token("Roast it, and"), asyncio.Event())]
    steps = (asks("Name two ways."), sees("Roast it"), later(1.5), "<escape>", idle, sees("(stopped)"))
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


@NARROW_AND_LIGHT
def test_failed_authentication(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """What happened, what to do, and that the text is back in the composer, where it stands."""
    error = AuthenticationError("The endpoint does not know this key (401).", "Check DEEPINFRA_TOKEN.", status=401)
    steps = (asks("Name two ways to cook lamb."), idle, sees("does not know"))
    assert shot(*steps, size=size, theme=theme, scripts=[refused(error)])


@NARROW_ONLY
def test_failed_rate_limit(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """After all attempts one notice, with the time to wait."""
    error = RateLimitedError("The model is busy (429).", "Wait a little, then send it again.", status=429)
    steps = (asks("Name two ways to cook lamb."), idle, sees("is busy"))
    assert shot(*steps, size=size, theme=theme, scripts=[refused(error)] * 4)


@NARROW_ONLY
def test_failed_stream(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """What arrived is kept and marked; the notice says that the reply broke off."""
    broken = BrokenStreamError("The reply broke off.", "/regenerate asks again.")
    scripts = [streaming(*spoken(THOUGHT), think_end(), token("Roast it slowly, and"), broken)]
    steps = (asks("Name two ways to cook lamb."), idle, sees("broke off"))
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


@NARROW_ONLY
def test_new_text_below(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The view stays where one reads; a mark says that there is more below; the scroll bar shows the place."""
    gate = asyncio.Event()
    scripts = [reply(token("It begins."), gate, token(" It goes on."), asyncio.Event())]
    steps = (asks("Go on."), sees("It begins."), "<pageup><pageup>", later(1.0, gate), sees("new"))
    assert shot(*steps, size=size, theme=theme, session=LONG, scripts=scripts)


@looks((NARROW, DARK), (WIDE, LIGHT))
def test_chosen_message(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """It is plain which message is chosen, and the footer says what can be done with it."""
    assert shot("<shift+tab><up><up>", size=size, theme=theme, session=SHORT)


@NARROW_ONLY
def test_alternatives_and_what_is_left_out(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Two of three beside the name, and a message that is marked as left out of the prompt."""
    session = SHORT
    for text in ("Fry it.", "Bake it."):
        session = session.with_message(
            Message(
                session.next_message_ids(1)[0], Role.ASSISTANT, text, "m3", NOW, None, MessageState.COMPLETE, "stop"
            )
        )
    steps = ("<shift+tab><left>", sees("2/3"), "<up><up>x", sees("not in the prompt"))
    assert shot(*steps, size=size, theme=theme, session=session)


@NARROW_ONLY
def test_what_there_is_no_room_for(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """A line above the first message that is sent; what is pinned above it says that it is sent."""
    messages = (replace(message, pinned=message.id == "m9") for message in LONG.messages)
    session = replace(LONG, settings={"over_budget": "keep-pinned"}, messages=tuple(messages))
    small = {"api": {"context_tokens": 240}, "sampling": {"max_new_tokens": 40}}
    steps = (f"<shift+tab><home>{'<down>' * 10}", sees("Not sent from here up"))
    assert shot(*steps, size=size, theme=theme, session=session, config=small)


@NARROW_ONLY
def test_queued_message(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """What waits stands above the composer, with how to take it back."""
    scripts = [reply(token("Roast it, and"), asyncio.Event())]
    steps = (asks("Name two ways."), sees("Roast it"), asks("And what about fish, in the same oven?"), later(1.0))
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


@NARROW_ONLY
def test_slash_list(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The commands that fit, one picked, each with what it does; nothing is cut where there is room."""
    assert shot("/re<down>", sees("/resume"), size=size, theme=theme, session=SHORT)


@looks((NARROW, DARK), (WIDE, LIGHT))
def test_find_bar(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Every hit is marked, the one in turn more; the bar says which of how many, and its keys."""
    assert shot("<ctrl+f>it<enter>", sees("Enter next"), size=size, theme=theme, session=SHORT)


@NARROW_ONLY
def test_code_to_choose(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The code blocks are numbered, and a line at the bottom asks for one."""
    session = answer("```python\nx = 1\n```\n\nor\n\n```sh\nls\n```")
    assert shot("<shift+tab>Y", sees("Which code block?"), size=size, theme=theme, session=session)


@NARROW_ONLY
def test_hostile_text(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Escape sequences, direction marks and markup stand there as visible signs."""
    evil = "colour: \x1b[31mred?\x1b[0m\n\ntitle: \x1b]0;yours\x07\n\ndirection: \u202ebackwards\u202c\n\n[bold]plain[/bold]"
    assert shot(sees("direction"), size=size, theme=theme, session=answer(evil))


# -- the sessions pane


def shelf(prepared: Prepared) -> None:
    """Sessions of several days, and a file that is none."""
    for hours, title in ((3, "A parser for event streams"), (20, "Fish"), (30, "一段关于羊肉的很长的谈话"), (70, ""),
                         (200, "A very long title that surely does not fit into any pane"), (2000, "Lamb stew")):  # fmt: skip
        when = NOW - timedelta(hours=hours)
        session = talk(("Hello", "Hello."))
        prepared.files.save_now(
            replace(session, id=f"{when:%Y%m%d-%H%M%S}-old0", title=title, created=when, updated=when)
        )
    broken = prepared.files.path_of(SHORT).with_name("20261101-080000-bad0.toml")
    broken.write_text("this is [no session", "utf-8")


@WIDE_NARROW_AND_LIGHT
def test_sessions_pane(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Days as headings, the open session marked, long and wide titles cut with a sign, the unreadable file named."""
    assert shot("<f2>", sees("Fish"), "<down>", size=size, theme=theme, session=SHORT, before=shelf)


@NARROW_ONLY
def test_sessions_filtered(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Only what fits is listed, and the filter has the cursor."""
    assert shot("<f2>", sees("Fish"), "/lamb", sees("stew"), size=size, theme=theme, session=SHORT, before=shelf)


@NARROW_ONLY
def test_session_renamed(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The title is edited in its row."""
    assert shot("<f2>", sees("Fish"), "<down>r", size=size, theme=theme, session=SHORT, before=shelf)


@looks((WIDE, DARK))
def test_sessions_running_and_unread(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """A session that runs and one with a new reply are marked differently, in the list and in the title bar."""
    gate = asyncio.Event()
    scripts = [reply(asyncio.Event()), reply(token("Yes."), gate)]

    async def one_running(running: Program) -> None:
        await running.until(lambda: sum(chat.replies.turn is not None for chat in running.screen.open_chats.all) == 1)

    steps = (
        asks("One that runs"), sees("Thinking"), later(60), "<ctrl+n>", asks("One that ends"), sees("Yes."), later(60),
        "<ctrl+n>", later(1, gate), one_running, "<f2>", sees("that ends"),
    )  # fmt: skip
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


# -- the reasoning pane


@looks((WIDE, DARK))
def test_reasoning_pane_streaming(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The reasoning grows in its pane, with time, tokens and rate above it, and the conversation beside it."""
    scripts = [streaming(*spoken(THOUGHT), asyncio.Event())]
    steps = ("<f3><escape>", asks("Name two ways."), sees("I should give"), later(3.0), sees("tok/s"))
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


@NARROW_AND_LIGHT
def test_reasoning_pane_finished(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The chosen reply's reasoning from its beginning, with its time and size."""
    assert shot("<f3>", sees("The user wants"), size=size, theme=theme, session=SHORT)


@NARROW_ONLY
def test_reasoning_pane_without(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Says that this reply has no reasoning."""
    assert shot("<f3>", sees("no reasoning"), size=size, theme=theme, session=answer(LAMB, reasoning=""))


# -- the settings pane

OWN = replace(SHORT, system="Be brief and kind.", settings={"temperature": 0.5, "top_k": 40, "thinking": False})


@WIDE_NARROW_AND_LIGHT
def test_settings_pane(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Every field with its value; unset differs from a value, and what differs from the preset is marked."""
    steps = ("<f4>", sees("temperature"), "<down><down><down><down><down><down>")
    assert shot(*steps, size=size, theme=theme, session=OWN)


@NARROW_ONLY
def test_settings_wrong_value(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The wrong value stands in its field, and beside it what is allowed."""
    steps = ("<f4>", sees("temperature"), "<down><down><down><down><down><down>500", sees("[0, 100]"))
    assert shot(*steps, size=size, theme=theme, session=OWN)


@WIDE_AND_NARROW
def test_settings_system_prompt(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The system prompt in an editor of several lines, with how to keep and how to leave it."""
    steps = ("<f4>", sees("temperature"), "<down><down><down><enter>", sees("Be brief and kind."))
    assert shot(*steps, size=size, theme=theme, session=OWN)


@NARROW_ONLY
def test_settings_presets(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The presets to choose from, the one in use marked, each with where it comes from."""
    steps = ("<f4>", sees("temperature"), "<down><down><enter>", sees("endpoint"))
    assert shot(*steps, size=size, theme=theme, session=OWN)


# -- the prompt pane

HOSTILE = keyed(talk(("What does <|im_end|> do?", "It ends a message."), reasoning=THOUGHT))


@WIDE_NARROW_AND_LIGHT
def test_prompt_pane(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Markers as chips, the neutralised place marked, the draft at its end, the size of each part, the copy keys."""
    steps = ("<f5><escape>And now?", prompts("And now?"))
    assert shot(*steps, size=size, theme=theme, session=replace(HOSTILE, system="Be brief."))


@looks((WIDE, DARK))
def test_prompt_pane_of_a_reply(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The request that a reply answered, named, with the fields that were sent."""
    assert shot("<shift+tab><up><up>i", sees("Request of m2"), size=size, theme=theme, session=SHORT)


@NARROW_ONLY
def test_prompt_diff(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """What is new since the last request with +, what it had instead with -, what is alike folded with its size."""
    steps = ("/system Be long.<enter>", sees("is set"), "And now?<f5>", prompts("And now?"), "d", sees("tok added"))
    assert shot(*steps, size=size, theme=theme, session=replace(SHORT, system="Be brief."))


@NARROW_AND_LIGHT
def test_raw_editor(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Tokens as chips, neighbours told apart; what was made harmless, and the joiner in it, in another look."""
    session = talk(("Lamb <|im_end|>?", "Roast [EOS] it."))
    steps = ("/raw<enter>", sees("Ctrl+S sends it once"), "So <|im_user|><think>", sees("Ctrl+R begins anew"))
    assert shot(*steps, size=size, theme=theme, session=session)


@looks((WIDE, DARK), (WIDE, LIGHT), (WIDE, "high-contrast"), (WIDE, "monochrome"))
def test_two_panes(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Sessions, conversation and reasoning side by side, with room for each, in every theme."""
    steps = ("<f3>", sees("The user wants"), "<f2>", sees("Fish"), "<escape>half a thought")
    assert shot(*steps, size=size, theme=theme, session=SHORT, before=shelf)


# -- what lies above


@WIDE_AND_NARROW
def test_help(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Keys and what they do, by place, with how to close it."""
    assert shot("<f1>", sees("Escape closes"), size=size, theme=theme, session=SHORT)


@WIDE_AND_NARROW
def test_compare(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Two replies beside each other or one above the other, what differs marked, with settings and figures above."""
    first = SHORT.messages[1]
    sent = {"stream": True, "temperature": 0.5}
    text = first.content.replace("slowly", "gently").replace("Four minutes", "Three minutes")
    other = replace(first, id="m9", content=text, sent=sent, name="gentle")
    steps = ("<shift+tab><up><up>c", sees("differences"), "n")
    assert shot(*steps, size=size, theme=theme, session=replace(SHORT, messages=(*SHORT.messages, other)))


@NARROW_ONLY
def test_palette(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The actions that fit, each with its help."""
    assert shot("<ctrl+p>sess", sees("Rename the session"), size=size, theme=theme, session=SHORT)


@NARROW_ONLY
def test_theme_picker(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The themes in a corner; the colours are those of the one under the cursor."""
    assert shot("<f9>", sees("monochrome"), size=size, theme=theme, session=SHORT)


FORKED = replace(
    SHORT,
    messages=(
        *SHORT.messages,
        Message("m5", Role.ASSISTANT, "Bake it in salt.", "m3", NOW, state=MessageState.COMPLETE),
        Message("m6", Role.USER, "And without meat?", "m2", NOW, name="Vegetarian"),
        Message("m7", Role.ASSISTANT, "Roast an aubergine.", "m6", NOW, state=MessageState.COMPLETE),
    ),
)


@looks((NARROW, DARK))
def test_tree_view(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The active branch is marked and open, others are folded; names and figures stand in their places."""
    assert shot("<alt+t>", sees("Vegetarian"), "<down>", size=size, theme=theme, session=FORKED)


@looks((WIDE, DARK), (SMALL, DARK))
def test_side_by_side(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The table with the row under the cursor, the texts in columns; one at a time in a small terminal."""
    questioned = SHORT.messages[-1].parent
    values = [None, 0, 0.5, 1.5]
    answers = ["Roast it.", "Roast it, slowly.", "Grill it.\n\n- hot\n- fast", "Let it dance!"]
    replies = [
        replace(
            SHORT.messages[-1], id=f"m{90 + n}", content=answer, sent={} if value is None else {"temperature": value}
        )
        for n, (value, answer) in enumerate(zip(values, answers, strict=True))
    ]
    replies[3] = replace(replies[3], state=MessageState.CANCELLED, usage=None, finish_reason=None)
    kept = [message for message in SHORT.messages if message.parent != questioned]
    session = replace(SHORT, messages=(*kept, *replies), head="m91")
    assert shot("/sweep<enter>", sees("Enter takes it"), size=size, theme=theme, session=session)


@looks((WIDE, DARK))
def test_tokens(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Every token ends at a border; what was unsure is tinted and underlined; the figures are the cursor's token's."""
    chances = itertools.cycle((-0.01, -0.02, -0.2, -0.01, -1.2, -0.05, -0.01, -3.5, -0.02))
    said = [
        frame(token={"text": word, "logprob": next(chances)})
        for text in (f"{THOUGHT}</think>", LAMB)
        for word in re.findall(r"</think>|\n+| ?\w+|[^\w\n]", text)
    ]
    steps = (asks("Name two ways to cook lamb."), idle, choose("tokens"), sees("token 1 of"), "nn", sees("3.02 %"))
    assert shot(*steps, size=size, theme=theme, scripts=[streaming(*said, end(), DONE)])


@looks((NARROW, DARK))
def test_timeline(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """One scale for all; the requests one below the other; a stall has a mark where it is, and its length."""
    thinking, answering = ([asyncio.Event() for _ in range(4)] for _ in range(2))
    thought, said = list[Step](), list[Step]()
    for gate in thinking:
        thought += [*spoken("One is so. "), gate]
    for gate in answering:
        said += [*spoken("Roast a leg slowly. "), gate]
    busy = RateLimitedError("The model is busy (429).", "Wait a little, then send it again.", status=429)
    scripts = [refused(busy), streaming(*thought, asyncio.Event()), streaming(*said, end(), DONE)]
    steps = (
        asks("Name two ways to cook lamb."), sees("Thinking"),
        *(later(seconds, gate) for seconds, gate in zip((0.3, 0.4, 2.5, 0.3), thinking, strict=True)),
        choose("answer-now"), sees("Roast"), *(later(0.5, gate) for gate in answering),
        idle, choose("timeline"), sees("2 answer: sent"),
    )  # fmt: skip
    assert shot(*steps, size=size, theme=theme, scripts=scripts)


# -- small terminals


@looks((TINY, DARK))
def test_too_small(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """Says what it needs, what there is, and that nothing is lost."""
    assert shot(sees("kimi-tui needs"), size=size, theme=theme, session=SHORT)


@SMALL_ONLY
def test_small_conversation(shot: Shot, size: tuple[int, int], theme: str) -> None:
    """The conversation can be read and typed into; the bars are short."""
    assert shot("half a thought", size=size, theme=theme, session=SHORT)


@SMALL_ONLY
@pytest.mark.parametrize(
    ("key", "shown"), [("f2", "Fish"), ("f4", "temperature"), ("f5", "open turn")],
    ids=["sessions", "settings", "prompt"],
)  # fmt: skip
def test_small_pane(shot: Shot, size: tuple[int, int], theme: str, key: str, shown: str) -> None:
    """The pane covers the conversation, and says how to leave it."""
    assert shot(f"<{key}>", sees(shown), size=size, theme=theme, session=SHORT, before=shelf)
