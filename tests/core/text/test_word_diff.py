"""The word diff: joined it is both texts, what is equal is equal, and as much is as can be."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.text import word_diff as module
from kimi_tui.core.text.word_diff import WordDiff, longest_common, tokens, word_diff

FEW_WORDS = st.lists(st.sampled_from(["lamb", "the", "a", "rests", ",", "."]), max_size=14)
"""So few that they come again and again."""
SPACES = st.sampled_from([" ", "  ", "\n", "\n\n", "\t"])
PROSE = st.lists(st.tuples(st.sampled_from(["lamb", "the", "a", "it's", "(", "羊肉", "é", "e\u0301"]), SPACES), max_size=20).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)  # fmt: skip
ANY_TEXT = st.text() | PROSE | st.text(alphabet="a b\nc.\u0301\u200d👩💻羊")


def optimum(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence, by the textbook's table."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if x == y else max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]


def words(text: str) -> list[str]:
    return [token for token in tokens(text) if not token.isspace()]


def check(diff: WordDiff, left: str, right: str) -> None:
    """What holds for every two texts."""
    assert "".join(left[span.left_start : span.left_end] for span in diff.spans) == left
    assert "".join(right[span.right_start : span.right_end] for span in diff.spans) == right
    equal = 0
    for span in diff.spans:
        ours, theirs = left[span.left_start : span.left_end], right[span.right_start : span.right_end]
        assert (ours == theirs) is span.is_equal
        assert ours or theirs
        equal += len(words(ours)) if span.is_equal else 0
    assert all(a.is_equal is not b.is_equal for a, b in pairwise(diff.spans))
    assert (diff.left_words, diff.right_words) == (len(words(left)), len(words(right)))
    assert diff.equal_words <= optimum(words(left), words(right))


@given(ANY_TEXT, ANY_TEXT)
def test_joined_it_is_both_texts_and_equal_parts_are_equal(left: str, right: str) -> None:
    check(word_diff(left, right), left, right)


@given(ANY_TEXT, ANY_TEXT)
def test_the_other_way_round_it_is_its_mirror(left: str, right: str) -> None:
    assert word_diff(right, left) == word_diff(left, right).mirrored


@given(FEW_WORDS, FEW_WORDS)
def test_as_many_words_are_equal_as_can_be(a: list[str], b: list[str]) -> None:
    diff = word_diff(" ".join(a), " ".join(b))
    assert not diff.is_coarse
    assert diff.equal_words == optimum(words(" ".join(a)), words(" ".join(b)))


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_the_longest_common_subsequence_is_one(a: list[str], b: list[str]) -> None:
    found = longest_common(a, b)
    assert len(found) == optimum(a, b)
    assert all(a[i] == b[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))


@given(PROSE, PROSE, st.integers(0, 40))
def test_with_less_room_for_work_it_is_coarser_and_still_right(left: str, right: str, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_PAIRS", most)
        diff = word_diff(left, right)
        check(diff, left, right)
        assert word_diff(right, left) == diff.mirrored


@given(ANY_TEXT)
def test_a_text_equals_itself(text: str) -> None:
    diff = word_diff(text, text)
    assert all(span.is_equal for span in diff.spans)
    assert diff.equal_words == diff.left_words == diff.right_words


@given(ANY_TEXT)
def test_joined_tokens_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't, now!", ["Don't", ",", " ", "now", "!"]),
        ("a  b\n\n\tc", ["a", "  ", "b", "\n", "\n", "\t", "c"]),
        ("羊肉を焼く", ["羊", "肉", "を", "焼", "く"]),
        ("Kimi羊2", ["Kimi", "羊", "2"]),
        ("re\u0301sume\u0301s!", ["re\u0301sume\u0301s", "!"]),
        ("👩\u200d💻👍🏽.", ["👩\u200d💻", "👍🏽", "."]),
        ("---|---", ["---", "|", "---"]),
        (" \u0301x", [" ", "\u0301", "x"]),
    ],
)
def test_words_spaces_and_punctuation(text: str, expected: list[str]) -> None:
    assert list(tokens(text)) == expected


def marked(left: str, right: str) -> str:
    """Both in one line: what only the left has in [-…-], what only the right has in {+…+}."""
    parts = []
    for span in word_diff(left, right).spans:
        ours, theirs = left[span.left_start : span.left_end], right[span.right_start : span.right_end]
        parts.append(ours if span.is_equal else (f"[-{ours}-]" if ours else "") + (f"{{+{theirs}+}}" if theirs else ""))
    return "".join(parts)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("Roast it slowly.", "Roast it gently.", "Roast it [-slowly-]{+gently+}."),
        ("Roast it.", "Roast it well.", "Roast it{+ well+}."),
        ("a b", "a\nb", "a[- -]{+\n+}b"),
        ("# A\n\n# C\n", "# A\n\n# B\n\n# C\n", "# A\n\n{+# B\n\n+}# C\n"),
        ("- a\n- b\n- c\n", "- a\n- c\n", "- a\n[-- b\n-]- c\n"),
        ("", "new", "{+new+}"),
        ("羊肉を焼く", "羊肉を煮る", "羊肉を[-焼く-]{+煮る+}"),
    ],
)
def test_what_is_different_is_marked_as_one_would(left: str, right: str, expected: str) -> None:
    assert marked(left, right) == expected


def rewritten(count: int, seed: int, vocabulary: int) -> list[str]:
    chance = random.Random(seed)
    return chance.choices([f"w{n}" for n in range(vocabulary)], [1 / (n + 1) for n in range(vocabulary)], k=count)


def test_long_texts_are_compared_within_the_bound() -> None:
    a, b = (" ".join(rewritten(20_000, seed, 2)) for seed in (1, 2))  # two words: 200 million pairs
    assert word_diff(a, b).is_coarse
    a, b = ("\n".join(f"{prefix}{n}" for n in range(20_000)) for prefix in "xy")
    diff = word_diff(a, b)
    assert (diff.equal_words, diff.is_coarse) == (0, False)


@pytest.mark.slow
def test_a_long_text_that_was_edited_is_compared_word_by_word() -> None:
    a = rewritten(20_000, 1, 4_000)
    b = [word if place % 20 else f"{word}x" for place, word in enumerate(a)]
    for joint in (" ", "\n"):
        diff = word_diff(joint.join(a), joint.join(b))
        assert not diff.is_coarse
        assert diff.equal_words == 19_000


@pytest.mark.skipif(which("git") is None, reason="git is not installed")
def test_git_finds_no_more_equal_words(tmp_path: Path) -> None:
    """An outside check: git's words are those between blanks."""
    for seed in range(5):
        a, b = (rewritten(300, seed + other, 60) for other in (0, 100))
        for name, text in (("a", a), ("b", b)):
            (tmp_path / name).write_text(" ".join(text) + "\n")
        command = ("git", "diff", "--no-index", "--word-diff=porcelain", "--unified=1000", "a", "b")
        lines = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout.splitlines()
        body = lines[next(n for n, line in enumerate(lines) if line.startswith("@@")) + 1 :]
        theirs = sum(len(line.split()) for line in body if line.startswith(" "))
        assert 0 < theirs <= word_diff(" ".join(a), " ".join(b)).equal_words
