"""The guided tour: which words choose what the simulator says or does, and its first words to a newcomer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kimi_tui.adapters.endpoint.simulator import showpieces


class Break(StrEnum):
    ERROR = "error"
    """The stream reports an error."""
    CUT = "cut"
    """The connection closes."""
    LENGTH = "length"
    """The most tokens are reached inside the answer."""
    UNFINISHED = "unfinished"
    """The most tokens are reached inside the reasoning."""


@dataclass(frozen=True, slots=True)
class Topic:
    words: str
    """Any of them chooses it; the first is its name."""
    text: str
    thought: str
    see: str = ""
    """What the table of topics says about it; "" = it is not listed there."""

    @property
    def name(self) -> str:
        return self.words.split()[0]


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    """All of its words choose it."""
    see: str
    status: int | None = None
    """HTTP status before the stream; None = the reply begins."""
    message: str = ""
    breaks: Break | None = None


BROKEN = "inference failed in the middle, as you asked"
FAULTS = (
    Fault("stream error", "an error in the middle of a reply", breaks=Break.ERROR),
    Fault("cut", "a connection that is lost", breaks=Break.CUT),
    Fault("length", "a reply that reaches `max_new_tokens`", breaks=Break.LENGTH),
    Fault("unfinished", "the same inside the thinking: no answer", breaks=Break.UNFINISHED),
    Fault("error", "a failing endpoint, tried again three times", 500, "inference failed, as you asked"),
    Fault("busy", "a busy one (429)", 429, "model busy, try again later"),
    Fault("funds", "an account without funds (402)", 402, "not enough funds"),
)
"""The first whose words are all there is done."""

BREAKING = (
    "Here I begin to tell you about lamb. First it is seared, on all sides and over a high heat. Then it rests, longer "
    "than one would think. Then it is carved, across the grain and not too thin, and in the end it is shared.\n"
)
PROMPT = "prompt"
"""The topic whose answer is written from the prompt itself."""
_REQUESTS = frozenset({"show", "simulate", "give", "make", "try", "please", "demonstrate", "test", "see"})
SHORT_WORDS, REQUEST_WORDS = 3, 12
"""A message asks for a fault when it has at most so many words; more of them when it says "show" or the like."""


def fault_of(words: frozenset[str], count: int) -> Fault | None:
    """The fault that a message of `count` words asks for; a question that merely mentions one asks for none."""
    if count > (REQUEST_WORDS if words & _REQUESTS else SHORT_WORDS):
        return None
    fitting = (fault for fault in FAULTS if words.issuperset(fault.name.split()))
    return next((fault for fault in fitting if fault.breaks is not Break.ERROR or "before" not in words), None)


KEYS = """\
| key | what it does |
| --- | --- |
| **Enter** | sends; **Ctrl+J** begins a new line |
| **Up** | in an empty composer: your last prompt again |
| **Escape** | stops the reply, what arrived is kept |
| **Ctrl+T** | thinking or instant |
| **Alt+A** | while I think: answer now |
| **Shift+Tab**, then **m** | goes on with a reply that broke off |
| **Shift+Tab**, then **a** | another answer to the same thinking |
| **Shift+Tab**, then **e** or **E** | edits my answer or my thinking, and I go on from there |
| **Alt+K** | while you edit: keeps the edit, I do not go on |
| **Shift+Tab**, then **w** | lets me think longer |
| **F5**, then **d** | the exact prompt, and what is new in it since my last reply |
| **Shift+Tab**, then **T** or **I** | my reply token by token; when it came, and how fast |
| **Ctrl+R** | opens or folds every think block |
| **Alt+T** | the branches of this session, as a tree |
| **Ctrl+Home**, **Ctrl+End** | the beginning; the end, and follow it |
| **Ctrl+N** | a new session, this one is kept |
| **Ctrl+P**, **F1** | the command palette; help with every key |
| **Ctrl+Q** | leaves, and says how to come back |
"""

COMMANDS = """\
A line that begins with `/` is a command; it is never sent to the model.

| command | what it does |
| --- | --- |
| `/set temperature 0.5` | sets a request field for this session |
| `/system Answer in verse.` | sets the system prompt |
| `/think off`, `/think on` | instant replies, or thinking first |
| `/answer-now`, `/budget 50` | ends my thinking at once, or after 50 tokens |
| `/continue`, `/auto-continue 2` | goes on with a reply that broke off; twice by itself |
| `/answers 3`, `/answers 3 next` | three answers to one thought: to this one, to the next |
| `/compare`, `/compare 1 3` | two replies side by side, word by word |
| `/regenerate 3`, `/sweep temperature 0 0.5 1` | whole replies side by side: three; one for each value |
| `/stop-at rest` | my next reply stops before that word |
| `/set response_format {"type": "json_object"}` | I think first, then answer in JSON; so does `/schema FILE` |
| `/free-thinking off` | thinking and answer in JSON, in one request |
| `/prefill Dear cook,`, `/seed First,` | my next answer, or my thinking, begins with your words |
| `/think-longer` | takes my thinking up again, to another answer |
| `/record bug.jsonl` | writes my raw stream to a file, which **kimi-tui replay** shows again |
| `/kept-thinking 2` | sends the thinking of my last two turns along |
| `/raw` | opens all that reaches me in an editor; **Ctrl+S** there sends it as it stands, once |
| `/diff`, `/diff 2` | what is new in the next prompt since the last request, or the one before |
| `/copy-python` | the next request as a Python script |
| `/over-budget keep-pinned` | leaves old turns out when there is no room; **p** pins a message |
| `/tokens`, `/timeline` | my last reply token by token; when it came, and how fast |
| `/resume lamb` | opens another session by its title |
| `/rename Cooking lamb` | gives this one another title |
| `/tree`, `/name Stew`, `/branch` | the tree of branches; names one; makes it a session of its own |
| `/export lamb.md` | writes it to a file; `/import FILE` opens a copy of one |
| `/theme kimi-light` | changes the colours |
| `/stop`, `/new`, `/help`, `/quit` | what the keys do, too |

Begin with `//` to send a line that starts with a slash.
"""

_LONG_THOUGHT = (
    "They want to watch me think, so I take my time. First: what is a thought here? It is text like any other, which "
    "arrives before a closing mark and is shown folded. One line with the time and the number of tokens stands for "
    "it.\n\nSecond: can it be read while it grows? Yes: a click on that line opens it, Ctrl+R opens all of them, and "
    "the same closes them again.\n\nThird: what if it takes too long? Escape stops it. Then there is reasoning and no "
    "answer, and the program says so, instead of showing an empty reply.\n\nFourth: is my thinking sent back with the "
    "next message? No. Past answers go behind an empty think block, as the reference shows; what I thought stays in "
    "the session file.\n\nThat is enough. I should say it in two sentences now."
)
_THINKING_ANSWER = """\
That took a moment: open the line above (**click** it, or press **Ctrl+R**) to read how I came to it.

Next time press **Alt+A** while I think (or click *answer now*): I answer from what I have until then. `/budget 50` does
that by itself. Was it too little? **Shift+Tab**, then **w**: I think longer and answer anew; **E** lets you edit what I
thought first. With **Ctrl+T** you switch to *instant*, and I answer without thinking first.

Press **Shift+Tab** and then **a** for another answer to the same thinking: it is not thought, nor paid, again.
`/answers 3` brings three of them side by side; look at each with **Left** and **Right**, even while they run.

To see how two of them differ press **Shift+Tab** and then **c**, or type `/compare 1 3`: word by word, with settings
and figures above. **Left** and **Right** show others there, **r** compares the thinking, **Enter** goes on with one.

Whole replies, thinking included, come with `/regenerate 3`, and one for each value of a field with
`/sweep temperature 0 0.5 1`. **Alt+S** shows all of them in columns, with a table of what each took.

`/tokens` shows this reply token by token, tinted where I was not sure: **n** goes to the next such token, **c** cuts
before the one under the cursor, and I go on from there. `/timeline` shows when I thought and answered, and how fast.
"""


_BRANCHES = """\
Press **Shift+Tab** and then **r**: I answer once more, and both answers stay. There the conversation forks, and *2/2*
beside my name says so; **Left** and **Right** choose.

**Alt+T** shows all forks as a tree, folded where nothing branches: **Enter** goes to a message, **g** goes on from it,
**n** gives its branch a name, **d** deletes with all below (**u** brings it back), **b** takes it into a session of its
own, and **/** finds words. From here `/name Stew` and `/branch` do the same to the branch that you see.
"""


_SHOWN = (
    Topic(
        "keys key shortcuts",
        KEYS,
        "A table of the keys will do, the most useful ones first.",
        "the keys that matter most",
    ),
    Topic("commands slash", COMMANDS, "They ask what can follow a slash; I list it.", "what can follow a slash"),
    Topic(
        "markdown headings lists list quote",
        showpieces.MARKDOWN,
        "Headings, a nested list, tasks, a quotation, a link: one of each.",
        "headings, lists, tasks, quotes, links",
    ),
    Topic(
        "code python rust bash json diff",
        showpieces.CODE,
        "Several short blocks are better than one long one: Python, Rust, a shell line, JSON and a diff.",
        "code in five languages",
    ),
    Topic("table tables", showpieces.TABLE, "A table with columns of all three alignments, then.", "a wide table"),
    Topic(
        "cjk emoji chinese japanese korean unicode",
        showpieces.CJK,
        "Wide characters: 中文, 日本語, 한국어, and a few emoji 🙂. A table of them shows whether cells line up.",
        "wide characters and emoji",
    ),
    Topic("math formula formulas", showpieces.MATH, "Two formulas about heat fit the kitchen.", "formulas"),
    Topic("think thinking reasoning", _THINKING_ANSWER, _LONG_THOUGHT, "a longer thought"),
    Topic(
        "branches branch tree",
        _BRANCHES,
        "They want to see where a conversation parts. A fork comes of asking again, so I say how, and how to find it.",
        "a conversation that forks",
    ),
    Topic(
        PROMPT,
        "",
        "They want to see my side of it: every turn that my prompt holds.",
        "what reached me of this conversation",
    ),
    Topic("long", showpieces.long_text(), "It has to be long: many steps, with headings.", "a reply to scroll in"),
    Topic("slow", showpieces.LAMB, "I shall speak slowly, ten tokens a second or so.", "a reply without hurry"),
    Topic(
        "control escapes",
        showpieces.CONTROL,
        "They want to know what happens to control characters. I write some and nothing may happen.",
        "control characters, made visible",
    ),
)

WELCOME = """\
# Welcome to kimi-tui

You are talking with the **offline simulator**: no key, no network, no model. All the rest is the real program.

- I *thought* before I answered. That is folded to one line above: **click** it, or press **Ctrl+R**, to read it.
- **Enter** sends, **Ctrl+J** begins a new line, **Up** in an empty composer brings your last prompt back.
- **Escape** stops me and keeps what arrived. **Ctrl+T** switches between thinking and instant.
- **Ctrl+P** finds a command, **F1** helps. **Ctrl+N** begins a new session.
- **Ctrl+Q** leaves, and says how to go on here tomorrow.

## Say one of these words

1. How it works: `keys`, `commands`, `think`, `branches`, `prompt`
2. How replies look: `markdown`, `code`, `table`, `cjk`, `math`, `long`, `slow`, `control`
3. What happens when a request fails: `error`, `busy`, `funds`
4. What happens when a reply breaks off: `stream error`, `cut`, `length`, `unfinished`

`topics` says more about each. I also remember: ask *what did I say first?*
"""


def _row(say: str, see: str) -> str:
    return f"| `{say}` | {see} |"


_TOPICS_TABLE = """\
| say | and see |
| --- | --- |
{topics}

Something can also go wrong, if you like; what had arrived is kept:

| say | and see |
| --- | --- |
{faults}
"""
TABLE_OF_TOPICS = _TOPICS_TABLE.format(
    topics="\n".join(_row(topic.name, topic.see) for topic in _SHOWN),
    faults="\n".join(_row(fault.name, fault.see) for fault in FAULTS),
)

TOPICS = (
    Topic("lamb", showpieces.LAMB, "Lamb! I know two ways: a slow leg and quick chops."),
    *_SHOWN,
    Topic("topics topic words", TABLE_OF_TOPICS, "A table of all the words that I know will help."),
    Topic(
        "tour help hello hi hey start welcome",
        WELCOME,
        "That is somebody who wants to look round. I say who I am, which keys matter, and which words I know.",
    ),
)
"""The first of which a message holds a word is answered."""


def topic_of(words: frozenset[str]) -> Topic | None:
    return next((topic for topic in TOPICS if not words.isdisjoint(topic.words.split())), None)


SUGGESTED = ", ".join(f"`{topic.name}`" for topic in _SHOWN if topic.name in {"code", "table", "long", "keys"})
