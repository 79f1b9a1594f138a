from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.markdown.blocks import parse
from kimi_tui.core.markdown.links import Link, addresses_in, links_in


def links_of(text: str) -> list[Link]:
    blocks, found = parse(text)
    references = {label: target for _, label, target in found}
    return [link for block in blocks for link in links_in(block.tokens, references)]


def test_links_come_in_order_wherever_they_stand() -> None:
    text = "\n".join(
        ["See [*a*\n`b`](https://a.example/) and https://b.example/x.", "", "- > [c][ref] ![pic](d.png)", "", "| h |", "|---|", "| <https://e.example> |",
         "", "```", "https://in.code/", "```", "", "`https://in.code/` [js](javascript:alert(1)) [none]()", "", "[ref]: https://c.example/"]
    )  # fmt: skip
    assert links_of(text) == [
        Link("a b", "https://a.example/"),
        Link("https://b.example/x", "https://b.example/x"),
        Link("c", "https://c.example/"),
        Link("pic", "d.png"),
        Link("https://e.example", "https://e.example"),
    ]


def test_addresses_of_plain_text() -> None:
    assert list(addresses_in("a http://a.example/b, (https://c.example) [x](https://d.example)")) == [
        Link(target, target) for target in ("http://a.example/b", "https://c.example", "https://d.example")
    ]


@given(
    st.lists(
        st.sampled_from(["[", "]", "(", ")", "<", ">", "!", "https://", "a.b", " ", "\n", "`", "*", "&#8238;", "\\"]),
        max_size=30,
    )
)
def test_any_text_gives_links_with_targets(parts: list[str]) -> None:
    assert all(link.target for link in links_of("".join(parts)))
