"""The conversation on screen: a transcript whose keys are those of messages."""

from __future__ import annotations

from typing import ClassVar

from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.transcript.transcript_widget import Transcript


class Conversation(Transcript):
    scope: ClassVar[Scope] = Scope.TRANSCRIPT

    def on_focus(self) -> None:
        """A message is chosen, so that it is seen where the keys go."""
        if self.cursor.chosen is None:
            self.cursor.choose_in_view()
