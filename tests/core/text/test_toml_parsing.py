"""Keys of many parts are refused before they are parsed; texts that look like them are not keys."""

from __future__ import annotations

import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text.toml_parsing import MAX_PARTS, check_keys, parse_toml

LONG = ".".join(["a"] * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"[{LONG}]",
        f"[[ {LONG} ]]",
        f"x = {{ {LONG} = 1 }}",
        f"x = '''\n'''\n{LONG} = 1",
        f'x = """a""""\n{LONG} = 1',
        f"x = ''''a'''''\n[{LONG}]",
        f'x = "\\""\n{LONG} = 1',
        f"# it's\n{LONG} = 1",
        " . ".join(['"b.c"', "'d'", "e"] * MAX_PARTS) + " = 1",
    ],
)
def test_a_key_of_many_parts_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="more than 100 parts"):
        parse_toml(text)


TEXTS = [LONG, f"{LONG} = 1", "." * 1000, f'"{LONG}', f"'''{LONG}", '"""', "a\n" + LONG + " = 1\nb"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("is_multiline", [True, False])
def test_what_stands_in_a_string_is_no_key(text: str, is_multiline: bool) -> None:
    assert parse_toml(tomli_w.dumps({"x": text, "y": [text]}, multiline_strings=is_multiline)) == {
        "x": text,
        "y": [text],
    }
    assert parse_toml(f"a = 1 # {LONG}\n") == {"a": 1}


def test_keys_of_some_parts_pass() -> None:
    assert parse_toml(".".join(["a"] * (MAX_PARTS - 1)) + " = 1")
    assert parse_toml("x = [" + "1.5, " * 500 + "]")


pieces = st.lists(
    st.sampled_from(
        ["'", '"', '"""', "'''", "\\", "#", "\n", ".", "a", "=", "[", "]", "{", "}", "a." * MAX_PARTS, " "]
    ),
    max_size=20,
)


@given(pieces.map("".join))
def test_valid_toml_is_read_as_ever_unless_a_key_is_long(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        return
    is_deep = depth(expected) > MAX_PARTS
    if is_deep:
        with pytest.raises(ValueError, match="parts"):
            check_keys(text)
    else:
        assert parse_toml(text) == expected


def depth(value: object) -> int:
    return 1 + max(map(depth, value.values()), default=0) if isinstance(value, dict) else 0


@given(st.text())
def test_any_string_survives(text: str) -> None:
    whole = text + LONG[:300]
    assert parse_toml(tomli_w.dumps({"x": whole})) == {"x": whole}
