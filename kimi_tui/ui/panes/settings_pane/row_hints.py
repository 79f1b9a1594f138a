"""What the settings pane says about the row under the cursor, and about what keys do there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.content import Content

from kimi_tui.core.settings.actions import key_label
from kimi_tui.ui.panes.settings_pane.editor import Editor, TextEditor
from kimi_tui.ui.panes.settings_pane.row import ALERT
from kimi_tui.ui.panes.settings_pane.row_values import Row, RowKind, pending_help
from kimi_tui.ui.text.safe_text import content

BETWEEN_HINTS = " · "
"""What stands between two hints."""


def editor_hints(editor: Editor) -> str:
    """How an editor is ended."""
    words = (f"{key_label(editor.ACCEPT_KEY)} {editor.ACCEPT_WORD}", f"{key_label('escape')} leave")
    return BETWEEN_HINTS.join(words)


def row_hints(row: Row, keys: Mapping[str, tuple[str, ...]]) -> str:
    """What can be done with a row; "" = nothing.

    Args:
        row: The row.
        keys: Keys by action id; an action that has none is left out.
    """
    return BETWEEN_HINTS.join(_row_hints(row, keys))


def _row_hints(row: Row, keys: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    is_action = row.kind is RowKind.ACTION
    if is_action and not row.is_unset:
        yield f"{key_label('enter')} do it"
    elif not is_action and row.kind not in {RowKind.EXTRA, RowKind.PROBLEM}:
        yield f"{key_label('enter')} change"
    own_keys = (
        ("reset-field", row.is_own or row.is_pending, "reset"),
        ("unset-field", row.can_be_unset, "not sent"),
    )
    for action_id, is_possible, words in own_keys:
        if is_possible and (action_keys := keys.get(action_id)):
            yield f"{key_label(action_keys[0])} {words}"


def help_content(row: Row, said: str, editor: Editor | None) -> Content:
    """The help of a row.

    Args:
        row: The row.
        said: A word on what was just tried, which comes first; "" = none.
        editor: The editor that is open; None = none is. Where it takes text its keys are told, as Enter may begin a
            line.
    """
    alerts = [
        content(f"{ALERT} {words}").stylize(style)
        for words, style in ((row.error, "$error"), (row.warning, "$warning"))
        if words
    ]
    first = [content(said).stylize("bold")] if said else []
    keys = [content(editor_hints(editor))] if isinstance(editor, TextEditor) else []
    pending = pending_help(row) if editor is None else ()
    lines = [*first, *keys, *alerts, *(content(line) for line in (*pending, *row.help))]
    return Content("\n").join(lines)
