"""What the screen knows of a running turn: counts and moments, and the words made of them.

Every time is passed in, so that tests move it by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kimi_tui.core.prompt.token_estimate import rough_tokens
from kimi_tui.core.session.endings import TAKEN_OVER, marks
from kimi_tui.core.session.growing_reply import ReplyPart, ReplyView
from kimi_tui.core.text.growing_text import TextView
from kimi_tui.core.wire.answer_forms import JSON_FENCE
from kimi_tui.core.wire.thinking_budget import NO_BUDGET, Budget
from kimi_tui.core.wire.turn_events import ReplyDelta, ReplyShortened, Retrying
from kimi_tui.ui.state.entries import ASSISTANT_NAME, thought_tokens
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.text import words


@dataclass(slots=True, eq=False)
class ToldText:
    """What has been told of a growing text: the reply itself may be ahead of what is still to be shown."""

    whole: TextView
    opening: str
    """What stands before it on screen."""
    told: int

    def __len__(self) -> int:
        return len(self.opening) + self.told if self.told else 0

    def __str__(self) -> str:
        return self.between(0, len(self))

    def between(self, start: int, end: int) -> str:
        before = len(self.opening)
        text = self.whole.between(max(start - before, 0), min(max(end - before, 0), self.told))
        return f"{self.opening[start:end]}{text}" if start < before and self.told else text


@dataclass(slots=True)
class LiveTurn:
    """Its moments are what the user waits: from Enter on, over all requests; each one's own stand in its trace."""

    reply: ReplyView
    """What has come."""
    started_s: float
    """When it was sent, on the clock's own scale."""
    budget: Budget = NO_BUDGET
    """How much may be thought."""
    is_json: bool = False
    """Whether its answer is to be JSON, which is shown as code."""
    told: str = ""
    """What is told when it has begun; "" = nothing."""
    first_token_s: float | None = None
    """Moment of the first token."""
    thinking_end_s: float | None = None
    """Moment the reasoning ended."""
    retry: Retrying | None = None
    """The attempt that waits; None = none does."""
    retry_s: float = 0.0
    """Moment at which it is made."""
    footer: str = ""
    """What stands below the reply: the countdown to the attempt that waits."""
    label: str = ""
    _told: dict[ReplyPart, ToldText] = field(init=False)
    _takes_over: bool = field(init=False)
    _before: tuple[float, int] = field(init=False)  # seconds and tokens that had been thought

    def __post_init__(self) -> None:
        openings = {ReplyPart.REASONING: "", ReplyPart.ANSWER: JSON_FENCE if self.is_json else ""}
        self._told = {part: ToldText(text, openings[part], len(text)) for part, text in self.reply.texts.items()}
        beginning = self.reply.beginning
        self._takes_over = beginning.state is None and bool(beginning.reasoning) and not self.reply.is_thinking
        thinking_s = beginning.timing.thinking_s if beginning.timing is not None else None
        has_thought = bool(beginning.reasoning) and not beginning.is_unasked
        self._before = (thinking_s or 0.0, thought_tokens(beginning)) if has_thought else words.NOTHING_BEFORE
        if self._takes_over:
            self.update_label(self.started_s)

    @property
    def key(self) -> str:
        """Key of its entry in the transcript: the id of the message that it will be."""
        return self.reply.id

    @property
    def tokens(self) -> int:
        return sum(self.reply.tokens.values())

    @property
    def reasoning_tokens(self) -> int:
        return self.reply.tokens[ReplyPart.REASONING]

    @property
    def is_thinking(self) -> bool:
        """Before the first token it waits."""
        return self.first_token_s is not None and self.reply.is_thinking

    def note(self, delta: ReplyDelta, now_s: float) -> None:
        self._told[delta.part].told = delta.end
        if self.first_token_s is None:
            self.first_token_s = now_s
        if delta.part is ReplyPart.ANSWER and self.thinking_end_s is None:
            self.thinking_end_s = now_s

    def note_shortened(self, event: ReplyShortened) -> None:
        """What lost its end is another text to whoever shows it."""
        before = self._told[event.part]
        self._told[event.part] = replace(before, told=min(before.told, event.end))

    def note_retry(self, retry: Retrying | None, now_s: float) -> None:
        """Count down to an attempt; None = it has begun."""
        self.retry = retry
        if retry is not None:
            self.retry_s = now_s + retry.delay_s

    def retry_words(self, now_s: float) -> str:
        """The countdown to the attempt that waits; "" = none does."""
        return "" if self.retry is None else words.retrying(self.retry, max(self.retry_s - now_s, 0.0))

    def text(self, part: ReplyPart) -> str:
        """What has been told of a part."""
        return self.reply.texts[part].between(0, self._told[part].told)

    def shown(self, part: ReplyPart) -> TextView:
        """What is shown of a part: it goes on saying what has been told."""
        return self._told[part]

    def entry(self) -> Entry:
        return Entry(
            key=self.key,
            kind=EntryKind.ASSISTANT,
            heading=ASSISTANT_NAME,
            text=self.shown(ReplyPart.ANSWER),
            reasoning=self.shown(ReplyPart.REASONING),
            thought_label=self.thought_line,
            footer=self.footer,
            is_streaming=True,
            is_thinking=self.is_thinking,
            remark=marks(self.reply.beginning),
            written=self.reply.written,
        )

    @property
    def thought_line(self) -> str:
        return words.with_answer_now(self.label) if self.label and self.is_thinking else self.label

    def update_footer(self, now_s: float) -> bool:
        """Make the countdown anew; whether it is another one."""
        old, self.footer = self.footer, self.retry_words(now_s)
        return self.footer != old

    def update_label(self, now_s: float) -> bool:
        """Make the think block's line anew; whether it is another one."""
        old, self.label = self.label, self.thought_label(now_s)
        return self.label != old

    def thought_label(self, now_s: float) -> str:
        if self._takes_over:
            tokens = rough_tokens(self.reply.beginning.reasoning or "")
            return words.thought_label(None, tokens, is_estimated=True, ended_by=TAKEN_OVER)
        if self.first_token_s is None:
            return ""
        is_running = self.thinking_end_s is None and self.is_thinking
        end_s = now_s if self.thinking_end_s is None else self.thinking_end_s
        before_s, before_tokens = self._before
        return words.thought_label(
            before_s + end_s - self.first_token_s,
            before_tokens + self.reasoning_tokens,
            is_running=is_running,
            is_estimated=bool(before_tokens) and self.reply.beginning.thinking_tokens is None,
            budget=self.budget,
            before=self._before,
        )

    def thinking_rate(self, now_s: float) -> float | None:
        """Tokens per second of reasoning; None = too little has come to tell."""
        if self.first_token_s is None:
            return None
        end_s = now_s if self.thinking_end_s is None else self.thinking_end_s
        return words.rate(self.reasoning_tokens, end_s - self.first_token_s)

    def figures(self, now_s: float, before: Figures) -> Figures:
        """What the status line tells of the turn at this moment; `before` = what it told before the turn."""
        if retry := self.retry_words(now_s):
            return Figures(retry)
        cost = Figures("", session_usd=before.session_usd, is_session_estimated=before.is_session_estimated)
        if self.first_token_s is None:
            return replace(cost, state=f"waiting {words.seconds(now_s - self.started_s)}")
        return replace(
            cost,
            state="thinking" if self.is_thinking else "answering",
            rate=words.rate(self.tokens, now_s - self.first_token_s),
            first_token_s=self.first_token_s - self.started_s,
            output_tokens=self.tokens,
        )
