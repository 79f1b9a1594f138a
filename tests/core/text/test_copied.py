"""What is said of a copied text: only what is known."""

from __future__ import annotations

import pytest

from kimi_tui.core.text.copied import TO_TERMINAL, Delivery, copied_words


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (Delivery("xclip"), "The message is copied: 5 characters."),
        (Delivery("xclip", is_in_tmux=True), "The message is copied: 5 characters."),
        (Delivery(is_in_tmux=True), "The message is in tmux's buffer and sent to the terminal: 5 characters."),
        (TO_TERMINAL, "The message is sent to the terminal: 5 characters."),
        (Delivery(failed="xsel"), "The message is sent to the terminal: 5 characters; xsel failed."),
    ],
)
def test_a_text_is_copied_where_a_program_said_so(delivery: Delivery, words: str) -> None:
    assert copied_words("The message", "Roast", delivery)[0] == words


@pytest.mark.parametrize(
    "delivery", [Delivery("x"), Delivery(is_in_tmux=True), TO_TERMINAL, Delivery(failed="clip.exe")]
)
def test_there_is_a_form_for_narrow_terminals_that_claims_no_more(delivery: Delivery) -> None:
    forms = copied_words("The curl command", "x" * 1_000_000, delivery)
    assert [len(form) for form in forms] == sorted((len(form) for form in forms), reverse=True)
    assert len(forms[-1]) <= 43
    assert len({"is copied" in form for form in forms}) == 1
