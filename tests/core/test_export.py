from __future__ import annotations

from datetime import UTC, datetime

from kimi_tui.core.export import render_markdown, render_text
from kimi_tui.core.session import Message, Role, Session

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
