"""What the composer holds: a draft, or for a moment something else, behind which the draft waits.

A command that still needs its argument or has failed, and a question that is edited, take the composer's place of what
was typed there; sending them, or Escape, brings that back, with the question that it was an edit of. Nothing that was
typed is thrown away by what takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.widgets.text_area import Selection

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.settings.actions import Action
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.state.slash import Text, parse_line, typed, typed_before
from kimi_tui.ui.text.safe_text import content
from kimi_tui.ui.widgets.composer import Composer

EDIT_TITLE = "Edit: sent, it becomes an alternative"
EDIT_REPLY_TITLE = "Edit: the reply goes on from its end"
COMMAND_TITLE = "Command (Escape cancels)"
MEND_TITLE = "Not done: mend it (Escape cancels)"


@dataclass(frozen=True, slots=True)
class _Held:
    text: str = ""
    """What it began with; what it was left with, while it waits."""
    title: str = ""
    """What stands above it."""
    edited: str | None = None
    """Id of the message that it is an edit of; None = of none."""
    part: ReplyPart | None = None
    """Which text of a reply it is an edit of; None = of none."""
    about: str | None = None
    """Key of the message that a command in it is about; None = of none that was chosen."""
    is_typed: bool = True
    """Whether any of it was typed; else it is worth nothing unless it is changed."""


class Drafts:
    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._now = _Held()
        self._behind: list[_Held] = []  # what waits, the draft first
        self._left_edits: dict[str, list[_Held]] = {}
        """What was held of sessions that were left with an edit of a reply, by their ids."""

    def begin(self, draft: str, session_id: str) -> None:
        """Hold the draft of a session; what was typed into a reply of it is that edit again, and no question."""
        held = self._left_edits.pop(session_id, [])
        own = self._own(held)
        if not own or not draft.endswith(own):
            self._behind = []
            self._hold(_Held(draft))
            return
        *self._behind, last = held
        self._hold(last)
        self.prepend(draft.removesuffix(own).rstrip("\n"))  # what was given back meanwhile

    def leave(self, session_id: str) -> None:
        held = [*self._behind, self._left]
        if any(it.part is not None and self._worth(it) for it in held):
            self._left_edits[session_id] = held

    def begin_argument(self, action: Action, suggestion: str = "", about: str | None = None) -> None:
        """`about` = the message with the message cursor; None = none has it."""
        command, title = f"/{action.id} ", f"{action.title} (Escape cancels)"
        self._push(_Held(command + suggestion, title, about=about, is_typed=False))
        take_keys(self._composer)
        end = self._composer.document.end
        self._composer.selection = Selection((0, len(command)), end)

    def begin_command(self, about: str | None = None) -> None:
        """A draft waits behind it; `about` = the message with the message cursor, None = none has it."""
        if not self._composer.is_empty or self.is_aside or about is not None:
            self._push(_Held("/", COMMAND_TITLE, about=about, is_typed=False))
        else:
            self._composer.draft = "/"
        take_keys(self._composer)

    def begin_edit(self, message_id: str, text: str, part: ReplyPart | None = None, title: str = EDIT_TITLE) -> None:
        """`part` = which text of a reply it is; None = it is a question."""
        self._push(_Held(typed(text), title, message_id, part, is_typed=False))
        take_keys(self._composer)

    def begin_mending(self, line: str, edited: str | None, part: ReplyPart | None = None) -> None:
        """Let a line that could not be done be mended, while the draft waits behind it.

        `edited` is the id of the message that it stands for, and `part` which text of it; None = for none.
        """
        title = MEND_TITLE if edited is None else EDIT_TITLE if part is None else EDIT_REPLY_TITLE
        self._push(_Held(line, title, edited, part))

    def _push(self, held: _Held) -> None:
        """What was held waits, unless it can be had again and nothing was typed into it."""
        if not self.is_aside or self._worth(self._left):
            self._behind.append(self._left)
        self._hold(held)

    def _hold(self, held: _Held) -> None:
        self._now = held
        self._composer.draft = held.text
        self._show_title()

    def _show_title(self) -> None:
        title = content(self._now.title)
        if self._composer.border_title != title:
            self._composer.border_title = title

    @property
    def _left(self) -> _Held:
        text = self._composer.draft
        return replace(self._now, text=text, is_typed=self._now.is_typed or text != self._now.text)

    @staticmethod
    def _worth(held: _Held) -> str:
        """What of it has to be kept; "" = nothing."""
        return held.text if held.is_typed else ""

    @property
    def edited(self) -> str | None:
        """Id of the message that is edited; None = none is."""
        return self._now.edited

    @property
    def edited_part(self) -> ReplyPart | None:
        """Which text of a reply is edited; None = none is."""
        return self._now.part

    @property
    def about(self) -> str | None:
        """Key of the message that the command in the composer is about; None = of none that was chosen."""
        return self._now.about

    @property
    def exact_edit(self) -> str:
        """What is edited, as it would be kept."""
        line = parse_line(self._composer.draft)
        return line.text if isinstance(line, Text) else self._composer.draft

    @property
    def is_aside(self) -> bool:
        """Whether a draft waits behind something else."""
        return bool(self._behind)

    @property
    def texts(self) -> tuple[str, ...]:
        """What waits, the draft first, then what the composer holds."""
        return (*(held.text for held in self._behind), self._composer.draft)

    @property
    def next_message(self) -> tuple[str, str | None]:
        """What would be sent next, commands left aside, and the id of the question it would stand for."""
        held = self._left
        for behind in reversed(self._behind):
            if held.edited is not None:
                break
            held = behind
        return held.text, held.edited

    @property
    def own(self) -> str:
        """What has to be kept when the session is left: the draft, and what was typed into an edit or a command."""
        return self._own((*self._behind, self._left))

    def _own(self, held: Sequence[_Held]) -> str:
        texts = [text for it in held if (text := self._worth(it))]
        messages = [text for text in texts if isinstance(parse_line(text), Text)]
        return "\n\n".join(messages or texts[-1:])  # a command joined with a text would be sent as one

    def bring_back(self, typed_since: str = "") -> bool:
        """Let what waits be typed on, with what was typed since behind it; False = nothing was waiting."""
        if not self._behind:
            return False
        held = self._behind.pop()
        self._hold(replace(held, text=held.text + typed_since))
        return True

    def prepend(self, draft: str) -> None:
        """Let another draft stand before the one that is typed, or waits."""
        if self._behind:
            waiting = self._behind[0]
            self._behind[0] = replace(waiting, text=_joined(draft, waiting.text))
        elif draft:
            self._composer.draft = _joined(draft, self._composer.draft)

    def give_back(self, message: str, edited: str | None = None, part: ReplyPart | None = None) -> None:
        """Bring a message that was not sent back: before the draft, or to be mended where it was an edit.

        `edited` is the id of the message that it is an edit of, and `part` which text of it; None = of none.
        """
        if edited is not None:
            self.begin_mending(typed(message), edited, part)
        elif not self._behind and self._composer.draft and not isinstance(parse_line(self._composer.draft), Text):
            self._behind.append(_Held(typed(message)))  # joined with it the command would be sent as text
            self._now = replace(self._left, title=COMMAND_TITLE)
            self._show_title()
        elif self._behind:
            draft = self._behind[0]
            self._behind[0] = replace(draft, text=typed_before(message, draft.text))
        else:
            self._composer.draft = typed_before(message, self._composer.draft)


def _joined(*drafts: str) -> str:
    return "\n\n".join(filter(None, drafts))
