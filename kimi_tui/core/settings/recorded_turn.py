"""The turn behind a recording: the session and the settings that it began with, and the steps that it took.

The conversation is what the first input says: what was left out of the prompt, and the thinking of earlier replies, is
in no recording.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kimi_tui.core.errors import StorageError
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import PromptSyntaxError, PromptTurn, parse_prompt
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.prompt.template import Template, template_of
from kimi_tui.core.session import tree
from kimi_tui.core.session.growing_reply import ReplyView
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.session import Message, MessageState, Role, Session, ThinkingEnd
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.dialects import DIALECTS
from kimi_tui.core.wire.plans import Limits, RequestEnd, RequestStep
from kimi_tui.core.wire.recording import Recording

SESSION_ID = "replay"
LONGEST_SILENCE_S = 86_400.0
"""A recording says itself when nothing came for too long."""


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    session: Session
    """As it was before the turn, with the settings of its requests."""
    question: str
    """What was asked; "" = it went on with a reply, or answered its thinking again."""
    goes_on: Message | None
    """The reply that it went on with, the last of the session; None = it asked a question."""
    answers: bool
    """Whether another reply answered the thinking of that one."""
    start: ReplyStart | RawInput | None
    """Words of the user's that the reply to the question began with; None = it began with nothing."""
    is_stand_in: bool
    """Whether the question stands for an input that asks none."""
    steps: tuple[RequestStep, ...]
    template: Template
    dialect: Dialect
    neutralise: bool
    retries: int
    """How often a request was sent again at most."""

    def plan(self, reply: ReplyView, ends: Sequence[RequestEnd]) -> RequestStep | None:
        """The recorded steps, one after the other, whatever becomes of each."""
        del reply
        if len(ends) >= len(self.steps):
            return None
        step = self.steps[len(ends)]
        return replace(step, limits=Limits(step.limits.thinking_tokens, can_be_cut=True))

    def settings(self, base: Settings) -> Settings:
        """What the turn's requests say, and how the screen looks as `base` says."""
        api = replace(
            Settings().api, dialect=self.dialect.name, template=self.template.name, model=self.session.model,
            retries=self.retries, read_timeout_s=LONGEST_SILENCE_S,
        )  # fmt: skip
        chat = replace(Settings().chat, preset="endpoint", neutralise=self.neutralise)
        return Settings(api, chat, base.ui, keymap=base.keymap)


def recorded_turn(recording: Recording, name: str) -> RecordedTurn:
    """Raises StorageError where its dialect is not known here, or its first request cannot be read."""
    head, first = recording.head, recording.exchanges[0].sent
    dialect = DIALECTS.get(head.dialect)
    if dialect is None:
        raise StorageError(
            f"{name} is of an endpoint that this version does not know ({head.dialect[:40]!r}).",
            "A newer kimi-tui may replay it.",
        )
    body = _document(first.body)
    prompt, fields = dialect.twin.read_body(body)
    if not isinstance(prompt, str):
        raise StorageError(f"{name} holds a request without a prompt.")
    template = template_of(head.template)
    sent = {field: value for field, value in fields.items() if value is not None}
    extra = dialect.unreserved({field: value for field, value in body.items() if field not in dialect.own_names})
    session = replace(_blank(head.created, first.model), settings=_settings(recording, sent, extra, dialect))
    begun = head.begun
    raw = None if begun is None or begun.raw_input is None else RawInput(begun.raw_input, template)
    turns, open_turn = _conversation(prompt if raw is None else raw.text, template)
    said = [(turn.role, _plain(turn, template, neutralise=head.neutralise)) for turn in turns]
    asked = None if raw is None else raw.question(neutralise=head.neutralise)
    if raw is not None and open_turn is None:
        said = [(Role.USER, raw.title if asked is None else asked)]
    if said and said[0][0] is Role.SYSTEM:
        session = replace(session, system=said.pop(0)[1])
    is_asked_raw = raw is not None and begun is not None and begun.state is None and not _is_of_another(begun)
    start = raw if is_asked_raw else None if begun is None else _start(begun)
    is_begun = open_turn is not None and bool(open_turn.reasoning or open_turn.answer)
    goes_on = start is None and (raw is not None or is_begun)
    question = "" if goes_on else said.pop()[1]
    for role, text in said:
        session = session.with_message(_message(session, role, text))
    reply = None
    if goes_on:
        reply = replace(_taken_up(session, recording, open_turn or OpenTurn(), template), sent=sent)
        session = session.with_message(reply)
    title = next((tree.title_of(message.content) for message in session.messages), "")
    return RecordedTurn(
        replace(session, title=title), question, reply, _answers_again(begun), start, raw is not None and asked is None,
        recording.steps, template, dialect, head.neutralise,
        recording.most_attempts - (0 if recording.is_stopped_between else 1),
    )  # fmt: skip


def _start(begun: Message) -> ReplyStart | None:
    """The words of the user's that a new reply began with; None = it is none, or begins with a thought of another."""
    if begun.state is not None or not begun.written or _is_of_another(begun):
        return None
    return ReplyStart.prefill(begun.content) if begun.content else ReplyStart.seed(begun.reasoning or "")


def _is_of_another(begun: Message) -> bool:
    return begun.begun is not None and begun.begun.of is not None


def _answers_again(begun: Message | None) -> bool:
    """Whether a reply began with the thinking of another one, and nothing behind it."""
    return begun is not None and begun.took_thinking and begun.state is None and not begun.content


def _document(body: bytes) -> Mapping[str, object]:
    document = json.loads(body)
    return document if isinstance(document, dict) else {}


def _blank(created: str, model: str) -> Session:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        moment = datetime.fromisoformat("1970-01-01T00:00:00Z")
    return Session(SESSION_ID, moment, moment, model)


def _settings(
    recording: Recording, sent: Mapping[str, object], extra: Mapping[str, object], dialect: Dialect
) -> dict[str, object]:
    """A session's own, which send what was sent, but what only the first step said, and nothing else."""
    replaced, head = recording.steps[0].fields, recording.head
    sent = {**{field: value for field, value in sent.items() if field not in replaced}, **head.fields}
    form = sent.get("response_format")
    fields = {**sent, **({} if form is None else {"response_format": json.dumps(form, ensure_ascii=False)})}
    budget = recording.steps[0].limits.thinking_tokens
    return {
        **fields,
        "unset": [name for name in dialect.fields if name not in sent],
        "extra": extra,
        "thinking": head.thinking,
        **({} if budget is None else {"thinking_budget": budget}),
    }


def _conversation(prompt: str, template: Template) -> tuple[list[PromptTurn], OpenTurn | None]:
    """The turns of an input; one that follows no template is one question, as it stands."""
    prompt = replace_lone(prompt)
    try:
        parsed = parse_prompt(prompt, [template])
    except PromptSyntaxError:
        return [PromptTurn(Role.USER, prompt)], None  # type: ignore[arg-type]  # shown, and sent nowhere
    turns = list(parsed.turns)
    if not turns or turns[-1].role is not Role.USER:
        return [PromptTurn(Role.USER, prompt)], None  # type: ignore[arg-type]
    return turns, parsed.open_turn


def _plain(turn: PromptTurn, template: Template, *, neutralise: bool) -> str:
    """A text as it was before its markers were made harmless."""
    markers = template.control if turn.role is Role.ASSISTANT else template.markers
    return markers.decode(turn.text) if neutralise else str(turn.text)


def _message(session: Session, role: Role, text: str) -> Message:
    (id_,) = session.next_message_ids(1)
    state = MessageState.COMPLETE if role is Role.ASSISTANT else None
    return Message(id_, role, text, session.head, session.created, state=state)


def _taken_up(session: Session, recording: Recording, open_turn: OpenTurn, template: Template) -> Message:
    """The reply that the turn went on with, or whose thinking it answered again."""
    begun = recording.head.begun
    content = template.control.decode(open_turn.answer)
    is_ended = open_turn.is_closed and recording.head.thinking and not content
    reply = replace(
        _message(session, Role.ASSISTANT, content),
        reasoning=template.reasoning_ends.decode(template.control.decode(open_turn.reasoning)) or None,
        state=MessageState.INTERRUPTED,
        model=recording.exchanges[0].sent.model,
        template=template.name,
        thinking=recording.head.thinking,
        thinking_end=ThinkingEnd.USER if is_ended else None,
    )
    answers = _answers_again(begun)
    if begun is not None and (answers or begun.state is not None):
        reply = replace(begun, id=reply.id, parent=reply.parent, created=reply.created)
    if answers:  # a raw input holds that thinking, which is what that reply began with
        reply = replace(reply, begun=reply.begun if reply.raw_input is not None else None, state=MessageState.COMPLETE)
    return reply
