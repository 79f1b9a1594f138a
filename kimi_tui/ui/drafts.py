"""What the composer holds: a draft, or for a moment something else, behind which the draft waits.

A command that still needs its argument, and a question that is edited, take the composer's place of the draft; sending
them, or Escape, brings the draft back. A draft is never thrown away.
"""

from __future__ import annotations

from textual.widgets.text_area import Selection

from kimi_tui.core.actions import Action
from kimi_tui.ui.focus import take_keys
from kimi_tui.ui.widgets.composer import Composer


class Drafts:
    """Exchanges what the composer holds."""

    def __init__(self, composer: Composer) -> None:
        """Work on that composer."""
        self._composer = composer
        self._stash: str | None = None
        self._begun_with = ""
        self.edited: str | None = None
        """Id of the question that is edited; None = none is."""

    def begin_argument(self, action: Action, suggestion: str = "") -> None:
        """Let the argument of a command be typed."""
        command = f"/{action.id} "
        self._put_aside(command + suggestion)
        end = self._composer.document.end
        self._composer.selection = Selection((0, len(command)), end)
        self._composer.border_title = f"{action.title} (Escape cancels)"

    def begin_command(self) -> None:
        """Let a command be typed, as with a slash in the empty composer; a draft waits behind it."""
        if self._composer.draft:
            self._put_aside("/")
            self._composer.border_title = "Command (Escape cancels)"
        else:
            self._composer.draft = "/"
            take_keys(self._composer)

    def begin_edit(self, question_id: str, text: str) -> None:
        """Let a question be edited."""
        self._put_aside(text)
        self.edited = question_id
        self._composer.border_title = "Edit: sent, it becomes an alternative (Escape cancels)"

    def _put_aside(self, text: str) -> None:
        if self._stash is None:
            self._stash = self._composer.draft
        self.edited = None
        self._begun_with = text
        self._composer.draft = text
        take_keys(self._composer)

    @property
    def is_aside(self) -> bool:
        """Whether a draft waits behind something else."""
        return self._stash is not None

    @property
    def waiting(self) -> str:
        """The draft that waits behind something else; "" = none does."""
        return self._stash or ""

    @property
    def own(self) -> str:
        """What has to be kept when the session is left: the draft, and what was typed into an edit or a command."""
        typed = self._composer.draft
        if self._stash is None:
            return typed
        typed = "" if typed == self._begun_with else typed
        return "\n\n".join(text for text in (self._stash, typed) if text)

    def take_edited(self) -> str | None:
        """The id of the question that was edited, at the moment it is sent."""
        edited, self.edited = self.edited, None
        return edited

    def bring_back(self) -> bool:
        """Let the draft be typed on; whether one was waiting."""
        stash, self._stash, self.edited = self._stash, None, None
        self._composer.border_title = ""
        if stash is None:
            return False
        self._composer.draft = stash
        return True

    def give_back(self, text: str) -> None:
        """Put a text before what is being typed."""
        draft = self._composer.draft
        self._composer.draft = f"{text}\n\n{draft}" if draft else text
