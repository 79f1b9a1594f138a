"""Commands of the composer."""

from __future__ import annotations

from functools import partial

from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.prompt_history import PromptHistory
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.composer import Composer


def composer_rows(composer: Composer, drafts: Drafts, history: PromptHistory, transcript: Transcript) -> Rows:
    def new_line() -> None:
        composer.begin_line()
        take_keys(composer)

    return {
        "send": composer.submit,
        "new-line": new_line,
        "type-command": lambda: drafts.begin_command(transcript.cursor.chosen),
        "last-prompt": partial(history.recall, 1),
        "delete-word": composer.action_delete_word_right,
        "yank": composer.action_yank,
        "undo-edit": composer.action_undo,
        "redo-edit": composer.action_redo,
    }
