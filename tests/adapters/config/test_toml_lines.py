"""The line of a key, however it is written."""

from __future__ import annotations

import json
import random
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.adapters.config.toml_lines import lines_of
from kimi_tui.core.settings.layers import Key

TOML = '''a.b = 1
[t]
"q.x" = 1  # [comment]
text = """
k = 1
[zzz]
"""
inline = { one = 1, two = { three = "}" } }

[t.sub]  # key = 1
# a comment
deep = [
  1,  # ]
  { here = 2 }, "[x]",
]
last = \'\'\'it's
last = 2\'\'\'
'single "q"' = 1
"esc\\u00e9\\"" = """a\\"""b""""
after = 2026-01-01 07:32:00
[later.on]
x = 1
[later]
y = 1
quotes = ["""a"""", "[",
  2]
last = 1
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("a", "b"), 1),
        (("a",), 1),
        (("t",), 2),
        (("t", "q.x"), 3),
        (("t", "text"), 4),
        (("t", "inline", "one"), 8),
        (("t", "inline", "two", "three"), 8),
        (("t", "sub"), 10),
        (("t", "sub", "deep"), 12),
        (("t", "sub", "last"), 16),
        (("t", "sub", 'single "q"'), 18),
        (("t", "sub", 'escé"'), 19),
        (("t", "sub", "after"), 20),
        (("later", "on", "x"), 22),
        (("later", "y"), 24),
        (("later", "quotes"), 25),
        (("later", "last"), 27),
        (("t", "none"), 2),
        (("t", "sub", "none", "deeper"), 10),
        (("t", "text", "deeper"), 4),
        (("zzz",), 1),
        ((), 1),
    ],
    ids=str,
)
def test_keys_of_every_form_are_found(key: Key, line: int) -> None:
    assert lines_of(TOML, [key]) == [line]
    assert lines_of(TOML.replace("\n", "\r\n"), [key]) == [line]


TEXTS = ("", "plain", "= 1", "a = 1\nb = 2", "[t]\n[[t]]", "#", '"', "'", '"""', "\\", "{x = 1", "]", "é\t")
NAMES = ("a", "b", "c-1", "2", "q.x", "sp ace", "=", "[t]", "#", 'd"q', "\\", "é", "n\nl", "\u2028")


def written(chance: random.Random) -> tuple[str, dict[Key, int]]:
    """A document in forms drawn at random, and the line of everything in it."""
    text = ""
    lines: dict[Key, int] = {}
    for table in chance.sample(NAMES, 4):
        lines[(table,)] = text.count("\n") + 1
        text += f"[{json.dumps(table)}]" + chance.choice(["\n", " # x = 1\n", "\n\n# a = 1\n"])
        for name in chance.sample(NAMES, 4):
            string = chance.choice(TEXTS)
            value = chance.choice(
                [json.dumps(string), "1", "2026-01-01 07:32:00", f"[ # ]\n 1, {json.dumps(string)},\n]", "{ a = [\n] }"]
                + ([f'"""{string}\\\n   \n"""'] if '"' not in string and "\\" not in string else [])
            )
            lines[table, name] = text.count("\n") + 1
            text += f"{json.dumps(name)} = {value}" + chance.choice(["\n", "# [t]\n", "\n\n"])
    return text, lines


@given(st.integers(0, 2**32))
def test_every_key_of_a_generated_document_is_found(seed: int) -> None:
    text, lines = written(random.Random(seed))
    tomllib.loads(text)
    assert lines_of(text, lines) == list(lines.values())
