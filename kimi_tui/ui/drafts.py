"""What the composer holds: a draft, or for a moment something else, behind which the draft waits.

A command that still needs its argument or has failed, and a question that is edited, take the composer's place of the
draft; sending them, or Escape, brings the draft back. A draft is never thrown away.
"""

from __future__ import annotations

from textual.widgets.text_area import Selection

from kimi_tui.core.actions import Action
from kimi_tui.ui.focus import take_keys
from kimi_tui.ui.slash import typed, typed_before
from kimi_tui.ui.widgets.composer import Composer

EDIT_TITLE = "Edit: sent, it becomes an alternative"
"""What stands above a question that is edited."""
MEND_TITLE = "Not done: mend it (Escape cancels)"
"""What stands above a command that failed."""


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
        take_keys(self._composer)
        end = self._composer.document.end
        self._composer.selection = Selection((0, len(command)), end)
        self._composer.border_title = f"{action.title} (Escape cancels)"

    def begin_command(self) -> None:
        """Let a command be typed, as with a slash in the empty composer; a draft waits behind it."""
        if not self._composer.is_empty:
            self._put_aside("/")
            self._composer.border_title = "Command (Escape cancels)"
        else:
            self._composer.draft = "/"
        take_keys(self._composer)

    def begin_edit(self, question_id: str, message: str) -> None:
        """Let a question be edited."""
        self._put_aside(typed(message))
        take_keys(self._composer)
        self._show_edited(question_id)

    def begin_mending(self, line: str, edited: str | None) -> None:
        """Let what could not be done be mended, while the draft waits behind it.

        Args:
            line: What was typed.
            edited: Id of the question that it stands for; None = for none.
        """
        self._put_aside(line)
        self._composer.border_title = MEND_TITLE
        if edited is not None:
            self._begun_with = ""  # what became of the question has to be kept
            self._show_edited(edited)

    def _show_edited(self, question_id: str) -> None:
        self.edited = question_id
        self._composer.border_title = EDIT_TITLE

    def _put_aside(self, text: str) -> None:
        if self._stash is None:
            self._stash = self._composer.draft
        self.edited = None
        self._begun_with = text
        self._composer.draft = text

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

    def bring_back(self, typed_since: str = "") -> bool:
        """Let the draft be typed on, with what was typed since behind it; whether one was waiting."""
        stash, self._stash, self.edited = self._stash, None, None
        self._composer.border_title = ""
        if stash is None:
            return False
        self._composer.draft = stash + typed_since
        return True

    def give_back(self, message: str) -> None:
        """Put a message that was not sent before the draft, wherever that is."""
        if self._stash is None:
            self._composer.draft = typed_before(message, self._composer.draft)
        else:
            self._stash = typed_before(message, self._stash)
