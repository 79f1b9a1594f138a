"""The locator: the line of a key, however it is written."""

from __future__ import annotations

import json
import random
import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kimi_tui.core.settings.toml_lines import Key, locate

TOML = '''a.b = 1
[t]
"q.x" = 1  # [comment]
text = """
k = 1
[zzz]
"""
inline = { one = 1, two = { three = "}" } }
[[rows]]
id = 1
[[rows]]
[t.sub]  # key = 1
deep = [
  1,  # ]
  { here = 2 }, "[x]",
  [ 3, 4 ],
]
last = \'\'\'it's
last = 2\'\'\'
'single "q"' = 1
"esc\\u00e9\\"" = """a\\"""b""""
after = 2026-01-01 07:32:00
[[rows.inner]]
z . "y" = [{ q.w = 1 }]
[rows.more]
v = 1
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
        (("rows",), 9),
        (("rows", 0, "id"), 10),
        (("rows", 1), 11),
        (("rows", 1, "id"), 11),
        (("t", "sub"), 12),
        (("t", "sub", "deep"), 13),
        (("t", "sub", "deep", 0), 14),
        (("t", "sub", "deep", 1, "here"), 15),
        (("t", "sub", "deep", 2), 15),
        (("t", "sub", "deep", 3, 1), 16),
        (("t", "sub", "last"), 18),
        (("t", "sub", 'single "q"'), 20),
        (("t", "sub", 'escé"'), 21),
        (("t", "sub", "after"), 22),
        (("rows", 1, "inner", 0), 23),
        (("rows", 1, "inner", 0, "z", "y", 0, "q", "w"), 24),
        (("rows", 1, "more", "v"), 26),
        (("later",), 29),
        (("later", "on", "x"), 28),
        (("later", "quotes", 2), 32),
        (("later", "last"), 33),
        (("t", "sub", "deep", 4), 13),
        (("t", "none"), 2),
        (("t", "sub", "none", "deeper"), 12),
        (("zzz",), 1),
        ((), 1),
    ],
    ids=str,
)
def test_keys_of_every_form_are_found(key: Key, line: int) -> None:
    tomllib.loads(TOML)
    assert locate(TOML, key) == line
    assert locate(TOML.replace("\n", "\r\n"), key) == line


TEXTS = (
    "",
    "plain",
    "= 1",
    "a = 1\nb = 2",
    "[t]\n[[t]]",
    "#",
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    '\\"',
    "{x = 1",
    "]",
    "}",
    ",",
    "é\t",
)
NAMES = ("a", "b", "c-1", "2", "q.x", "", "sp ace", "=", "[t]", "#", 'd"q', "it's", "\\", "é", "n\nl", "\u2028")


class Writer:
    """Writes a document in forms drawn at random, and notes the line of everything it writes."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.text = ""
        self.lines: dict[Key, int] = {}

    def note(self, *keys: Key) -> None:
        for key in keys:
            self.lines.setdefault(key, self.text.count("\n") + 1)

    def blank(self) -> None:
        self.text += self.chance.choice(["", "", " ", "\t "])

    def gap(self) -> None:
        """What may stand between the elements of an array."""
        self.text += self.chance.choice(["", " ", "\n", ' # ] = [x] """ \'\n', "\n\n  "])

    def name(self, name: str) -> None:
        is_bare = name.isascii() and name.replace("-", "").isalnum()
        forms = [json.dumps(name)]
        forms += [name] if is_bare else []
        forms += [f"'{name}'"] if "'" not in name and name.isprintable() else []
        self.text += self.chance.choice(forms)

    def string(self) -> None:
        value = self.chance.choice(TEXTS)
        forms = [json.dumps(value)]
        if "'" not in value and "\n" not in value:
            forms.append(f"'{value}'")
        if "'" not in value:
            forms.append(f"'''\n{value}'''")
        if '"' not in value and "\\" not in value:
            forms += [f'"""{value}"""', f'"""\n{value}\\\n   \n\\""""', f'"""{value}x"""""']
        self.text += self.chance.choice(forms)

    def value(self, path: Key, depth: int) -> None:
        kind = self.chance.choice(("text", "scalar", "array", "table") if depth < 3 else ("text", "scalar"))
        if kind == "text":
            self.string()
        elif kind == "scalar":
            self.text += self.chance.choice(("1", "-1.5e3", "true", "nan", "2026-01-01 07:32:00.5", "0x1F", "07:32:00"))
        elif kind == "array":
            self.array(path, depth)
        else:
            self.inline(path, depth)

    def array(self, path: Key, depth: int) -> None:
        self.text += "["
        for index in range(self.chance.randrange(3)):
            self.gap()
            self.note((*path, index))
            self.value((*path, index), depth + 1)
            self.gap()
            self.text += ","
        self.gap()
        self.text += "]"

    def inline(self, path: Key, depth: int) -> None:
        self.text += "{"
        for place, name in enumerate(self.chance.sample(NAMES, self.chance.randrange(3))):
            self.text += "," if place else ""
            self.blank()
            self.pair(path, name, depth + 1)
        self.text += "}"

    def pair(self, path: Key, name: str, depth: int) -> None:
        inner = [self.chance.choice(NAMES) for _ in range(self.chance.choice((0, 0, 1, 2)))]
        whole: Key = (*path, name)
        self.note(whole)
        self.name(name)
        for part in inner:
            self.blank()
            self.text += "."
            self.blank()
            self.name(part)
            whole = (*whole, part)
            self.note(whole)
        self.blank()
        self.text += "="
        self.blank()
        self.value(whole, depth)
        self.blank()

    def body(self, path: Key, names: list[str]) -> None:
        for name in names:
            self.text += self.chance.choice(["", "", "\n", "# a = 1\n", "  "])
            self.pair(path, name, 0)
            self.text += self.chance.choice(["\n", "# [t]\n"])

    def heading(self, path: Key, *, is_array: bool) -> None:
        names = [part for part in path if isinstance(part, str)]
        self.text += "[[" if is_array else "["
        for place, part in enumerate(names):
            self.text += "." if place else ""
            self.blank()
            self.name(part)
            self.blank()
        self.text += ("]]" if is_array else "]") + self.chance.choice(["\n", " # x = 1\n"])

    def table(self, path: Key) -> None:
        names = self.chance.sample(NAMES, self.chance.randrange(6))
        self.body(path, names[:3])
        for name in names[3:]:
            if len(path) > 3:
                return
            if self.chance.random() < 0.5:
                self.note((*path, name))
                self.heading((*path, name), is_array=False)
                self.table((*path, name))
                continue
            self.note((*path, name))
            for index in range(self.chance.randrange(1, 3)):
                self.note((*path, name, index))
                self.heading((*path, name), is_array=True)
                self.table((*path, name, index))


def check(seed: int) -> None:
    writer = Writer(random.Random(seed))
    writer.table(())
    tomllib.loads(writer.text)
    found = {key: locate(writer.text, key) for key in writer.lines}
    assert found == writer.lines


@given(st.integers(0, 2**32))
def test_every_key_of_a_generated_document_is_found(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_every_key_of_many_generated_documents_is_found() -> None:
    for seed in range(5_000):
        check(seed)


PIECES = st.sampled_from([*"[]{}=.,\"'\\#\n\r ", '"""', "'''", "a", "[[", "\\u", "\\U00110000", "é", "\0"])


@given(st.lists(PIECES, max_size=40).map("".join), st.lists(st.sampled_from(["a", "é", 0]), max_size=3))
@example('"\\Uffffffff" = 1\na = 1', ["a"])
def test_any_text_gives_one_of_its_lines(text: str, key: list[str | int]) -> None:
    assert 1 <= locate(text, tuple(key)) <= text.count("\n") + 1
