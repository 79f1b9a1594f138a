"""What was typed in a session and is in no message yet, and what of it is kept beside its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kimi_tui.core.errors import KimiError
from kimi_tui.ui.state.slash import typed_before

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.core.session.raw_draft import RawDraft


@dataclass(slots=True, eq=False)
class UnsentText:
    draft: str = ""
    """What is being typed, while the session is not on screen."""
    kept_draft: str | None = ""
    """What is kept of what is being typed; None = perhaps something that was typed very early."""
    queued: list[str] = field(default_factory=list)
    """The messages that are sent one after the other, each when the reply before is complete."""
    raw_draft: RawDraft | None = None
    """A raw input that was not sent; None = there is none."""
    kept_raw_draft: RawDraft | None = None
    typed_raw: Callable[[], RawDraft | None] | None = None
    """Gives what stands in its editor, None = what the editor began with; None = it is not open."""
    error: KimiError | None = None
    """Why it could not be kept when that was tried last; None = it could."""

    def with_queued(self, draft: str) -> str:
        """What waits to be sent, and a draft behind it."""
        return typed_before("\n\n".join(self.queued), draft) if self.queued else draft

    def take_typed_raw(self) -> RawDraft | None:
        """Note what stands in the raw input's editor, where it is open, and give what there is to be kept."""
        if self.typed_raw is not None:
            self.raw_draft = self.typed_raw()
        return self.raw_draft

    def note_raw_sent(self, text: str) -> None:
        """A raw input brought a reply: it is kept there."""
        if self.raw_draft is not None and self.raw_draft.text == text:
            self.raw_draft = None
