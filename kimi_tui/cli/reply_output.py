"""How `ask` puts a reply out: as it arrives, as one JSON object, as one event a line, or only its code.

Each output is fed the deltas of the turn and, when it has ended, the object that describes the reply.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Protocol

from kimi_tui.cli.console import Console
from kimi_tui.core.errors import CompletionError, KimiError
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message, MessageState, Timing, Usage
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.turn_events import TurnEnded

BETWEEN_REPLIES = "---"
FAILED_STATES = frozenset({MessageState.FAILED, MessageState.INTERRUPTED})
"""Ends that carry an error."""


class Output(Protocol):
    def delta(self, part: ReplyPart, text: str) -> None: ...

    def stopped(self, report: Mapping[str, object]) -> None: ...

    def end(self, report: Mapping[str, object], replies: Sequence[Message]) -> None:
        """The turn ended by itself; CompletionError where the reply does not hold what was asked for."""


def build_report(
    ended: TurnEnded,
    *,
    session_id: str | None,
    model: str,
    has_alternatives: bool,
    usage: Usage,
    request_id: str | None,
    replies: Sequence[Message],
) -> dict[str, object]:
    """Describe a reply as `--json` prints it.

    What was used is marked as estimated where nobody told what one of the requests took.
    `session_id` None = it was not to be saved. `usage` and `request_id` are told where no reply carries them.
    `replies` = those of the turn, or the one that it was to go on with and that is as it was.
    """
    first = replies[0] if replies else None
    timing = (first.timing if first else None) or Timing()
    used = (first.usage if first else None) or usage
    error = ended.error
    usage_table = {
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "cost_usd": used.cost_usd,
    }
    report: dict[str, object] = {
        "session": session_id,
        "model": model,
        "state": str(ended.state),
        "finish_reason": first.finish_reason if first else None,
        "content": first.content if first else "",
        "reasoning": first.reasoning if first else None,
        "request_id": (first.request_id if first else None) or request_id,
        "usage": usage_table,
        "timing": {
            "first_token_s": timing.first_token_s,
            "thinking_s": timing.thinking_s,
            "total_s": timing.total_s,
        },
    }
    if first is not None and first.is_partly_counted:
        report["usage"] = {**usage_table, "estimated": True}
    if has_alternatives:
        report["alternatives"] = [{"content": r.content, "reasoning": r.reasoning} for r in replies]
    if ended.state in FAILED_STATES:
        report["error"] = _describe(error)
    return report


def _describe(error: KimiError | None) -> dict[str, object]:
    if error is None:
        return {"kind": "error", "summary": "The reply did not end as it should.", "hint": "", "status": None}
    status = getattr(error, "status", None)
    hint = " ".join(filter(None, (error.quote, error.hint)))
    return {"kind": error.kind, "summary": error.summary, "hint": hint, "status": status}


class PlainOutput:
    """The answer as it arrives, reasoning on standard error where it is wanted."""

    def __init__(self, console: Console, *, show_reasoning: bool, has_alternatives: bool) -> None:
        """With alternatives nothing of an answer is written before all are there."""
        self._console = console
        self._show_reasoning = show_reasoning
        self._waits = has_alternatives
        self._last = dict.fromkeys(ReplyPart, "\n")

    def delta(self, part: ReplyPart, text: str) -> None:
        """Write it; the answer begins on a line of its own where reasoning is on the same screen."""
        if part is ReplyPart.REASONING:
            if self._show_reasoning:
                self._write(part, text)
        elif not self._waits:
            self._end_line(ReplyPart.REASONING)
            self._write(part, text)

    def _write(self, part: ReplyPart, text: str) -> None:
        if not text:
            return
        if part is ReplyPart.REASONING:
            self._console.write_aside(text)
        else:
            self._console.write(text)
        self._last[part] = text[-1]

    def _end_line(self, part: ReplyPart) -> None:
        if self._last[part] != "\n":
            self._write(part, "\n")

    def stopped(self, report: Mapping[str, object]) -> None:
        """What has been written stays, nothing more; on a terminal the shell's own line begins below it."""
        if self._console.stderr.isatty():
            self._end_line(ReplyPart.REASONING)
        if self._console.stdout.isatty():
            self._end_line(ReplyPart.ANSWER)

    def end(self, report: Mapping[str, object], replies: Sequence[Message]) -> None:
        if self._waits:
            for place, reply in enumerate(replies):
                if place:
                    self._write(ReplyPart.ANSWER, f"{BETWEEN_REPLIES}\n")
                self._write(ReplyPart.ANSWER, reply.content)
                self._end_line(ReplyPart.ANSWER)
        self._end_line(ReplyPart.REASONING)
        self._end_line(ReplyPart.ANSWER)


class CodeOutput:
    """Only one fenced code block of each answer, when it is complete."""

    def __init__(self, console: Console, *, which: str, show_reasoning: bool) -> None:
        """Begin; `which` is "first" or "last"."""
        self._console = console
        self._which = which
        self._reasoning = PlainOutput(console, show_reasoning=show_reasoning, has_alternatives=True)

    def delta(self, part: ReplyPart, text: str) -> None:
        self._reasoning.delta(part, text)

    def stopped(self, report: Mapping[str, object]) -> None:
        """Write nothing."""

    def end(self, report: Mapping[str, object], replies: Sequence[Message]) -> None:
        """Raises CompletionError where there is no block, and nothing else went wrong."""
        self._reasoning.end(report, ())
        from kimi_tui.core.markdown.blocks import fenced_code

        found = [blocks for reply in replies if (blocks := fenced_code(reply.content))]
        chosen = [blocks[0] if self._which == "first" else blocks[-1] for blocks in found]
        self._console.write(f"{BETWEEN_REPLIES}\n".join(chosen))
        if "error" in report:
            return
        if not found:
            raise CompletionError("The answer has no code block.", "Without -x the whole answer is printed.")
        if len(found) < len(replies):
            without, all_ = len(replies) - len(found), counted(len(replies), "reply", "replies")
            self._console.tell(f"{without} of {all_} {'has' if without == 1 else 'have'} no code block")


def json_line(value: object) -> str:
    """Write plain data as JSON on one line, in the eyes of every reader: some take more than LF for its end."""
    text = json.dumps(value, ensure_ascii=False)
    return text.translate({ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"})


class JsonOutput:
    def __init__(self, console: Console, *, show_reasoning: bool) -> None:
        self._console = console
        self._reasoning = PlainOutput(console, show_reasoning=show_reasoning, has_alternatives=True)

    def delta(self, part: ReplyPart, text: str) -> None:
        self._reasoning.delta(part, text)

    def stopped(self, report: Mapping[str, object]) -> None:
        self.end(report, ())

    def end(self, report: Mapping[str, object], replies: Sequence[Message]) -> None:
        self._reasoning.end(report, ())
        self._console.write_line(json_line(report))


class EventOutput(JsonOutput):
    def delta(self, part: ReplyPart, text: str) -> None:
        super().delta(part, text)
        self._write({"type": str(part), "text": text})

    def end(self, report: Mapping[str, object], replies: Sequence[Message]) -> None:
        self._reasoning.end(report, ())
        self._write({"type": "error" if "error" in report else "done", **report})

    def _write(self, event: Mapping[str, object]) -> None:
        self._console.write_line(json_line(event))


def choose_output(options: Namespace, console: Console, *, has_alternatives: bool) -> Output:
    if options.json:
        return JsonOutput(console, show_reasoning=options.show_reasoning)
    if options.stream_json:
        return EventOutput(console, show_reasoning=options.show_reasoning)
    if options.extract is not None:
        return CodeOutput(console, which=options.extract, show_reasoning=options.show_reasoning)
    return PlainOutput(console, show_reasoning=options.show_reasoning, has_alternatives=has_alternatives)
