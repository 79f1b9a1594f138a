"""What the options of `ask` ask for: the question, how the reply begins and ends, and its request's fields."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from kimi_tui.cli.console import Console
from kimi_tui.core.errors import FieldError, KimiError, UsageError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.reply_edits import ReplyStart
from kimi_tui.core.session.session import Role, Session
from kimi_tui.core.settings.sampling import RequestOptions
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.reply_plans import refusal_to_continue
from kimi_tui.core.wire.thinking_budget import ALLOWED, Budget, parse_budget
from kimi_tui.engine.openings import GoingOn


def budget_of(text: str | None, request: RequestSettings) -> Budget | None:
    """Read the option; raises UsageError where it is wrong, or the reply comes in one piece, which nobody can cut."""
    if text is None:
        return None
    try:
        budget = parse_budget(text)
    except ValueError:
        raise UsageError(f"--thinking-budget: found {text!r}, allowed {ALLOWED}.") from None
    if request.fields.get("stream") is not True:
        raise UsageError("--thinking-budget needs a reply that is streamed.", _leave_out_to_stream(request))
    return budget


def _leave_out_to_stream(request: RequestSettings) -> str:
    """What keeps a reply from being streamed, as an advice."""
    several = ["-n or num_responses"] if request.fields.get("num_responses", 1) != 1 else []
    webhook = ["the webhook"] if "webhook" in request.fields else []
    return f"Leave out {' and '.join(several + webhook) or 'stream = false'}."


def refuse_beside_continue(options: Namespace, request_options: RequestOptions) -> None:
    """Raise UsageError where an option asks for another reply than the one that is there."""
    others = {
        "a PROMPT": options.prompt is not None,
        "-s": options.system is not None,
        "-n": request_options.set.get("num_responses") is not None,
        "--no-think": options.no_think,
        "--prefill": options.prefill is not None,
        "--think-prefill": options.think_prefill is not None,
    }
    for name, is_there in others.items():
        if is_there:
            raise UsageError(
                f"--continue goes on with the last reply and takes no {name.removeprefix('a ')}.",
                "Leave one of them out; nothing was sent.",
            )


def start_of(options: Namespace) -> ReplyStart | None:
    """What the reply begins with; raises UsageError where it says nothing, or thinks although it is not to."""
    for option, text in (("--prefill", options.prefill), ("--think-prefill", options.think_prefill)):
        if text is not None and not text.strip():
            raise UsageError(f"{option}: found nothing, allowed a text to begin with.")
    if options.think_prefill is not None:
        if options.no_think:
            raise UsageError("--think-prefill begins the thinking, and --no-think has none.", "Leave one of them out.")
        return ReplyStart.seed(options.think_prefill)
    return None if options.prefill is None else ReplyStart.prefill(options.prefill)


def going_on_with(session: Session, name: str) -> GoingOn:
    """Raises UsageError where the last message is no reply that broke off; `name` is what the session is found by."""
    messages, ask = tree.branch(session), f'`kimi-tui ask --session {quote(name)} "…"` asks'
    if not messages:
        raise UsageError("--continue: the session has no message yet.", f"{ask} the first question.")
    if messages[-1].role is Role.USER:
        raise UsageError(
            "--continue: the session ends with a question that has no reply.",
            f"Nothing was sent. `kimi-tui -r {quote(name)}` opens it, and /regenerate there asks again.",
        )
    if refusal := refusal_to_continue(messages[-1]):
        raise UsageError(
            f"--continue: {refusal[0].lower()}{refusal[1:]}", f"Nothing was sent. {ask} the next question."
        )
    return GoingOn(messages[-1])


def tell_doubt(form: object, options: Namespace, console: Console) -> None:
    """Say what may be wrong with a pattern; it is sent all the same, since the endpoint has rules of its own."""
    if isinstance(form, dict) and isinstance(pattern := form.get("regex"), str):
        from kimi_tui.core.settings.field_text import regex_doubt

        if doubt := regex_doubt(pattern):
            console.tell(f"{'--set response_format' if options.regex is None else '--regex'}: {doubt}")


def read_question(options: Namespace, console: Console) -> str:
    """PROMPT, an empty line, piped standard input; either may be missing, but UsageError where nothing was asked."""
    prompt = replace_lone(options.prompt or "")
    piped = console.read_stdin() if console.has_piped_stdin else ""
    question = f"{prompt}\n\n{piped}" if prompt and piped else prompt or piped
    if not question.strip():
        raise UsageError("There is nothing to ask.", 'Such as: kimi-tui ask "Name two ways to cook lamb."')
    return question


def parse_request_options(options: Namespace, dialect: Dialect) -> tuple[RequestOptions, list[KimiError]]:
    """The options that hold for this request alone, and what is wrong with any; UsageError for an unreadable schema."""
    fields: dict[str, object | None] = {}
    errors = list[KimiError]()
    for field, text, option in _assignments(options, errors):
        try:
            fields[field] = dialect.parse_text(field, text)
        except FieldError as error:
            errors.append(FieldError(option, error.found, error.allowed) if option else error)
    form = fields.get("response_format")
    if options.schema is None and isinstance(form, dict) and form.get("type") == "json_schema":
        from kimi_tui.adapters.forms.form_process import check

        if words := check(form, None).words:
            errors.append(UsageError(f"--set response_format: {words}.", "Nothing was sent."))
    return RequestOptions(set=fields, preset=options.preset, thinking=False if options.no_think else None), errors


def _assignments(options: Namespace, errors: list[KimiError]) -> Iterator[tuple[str, str, str]]:
    """Every request field that the command line sets, its value as typed, and the option's name if it has its own."""
    for assignment in options.set:
        name, equals, text = replace_lone(assignment).partition("=")
        if equals:
            yield name.strip(), text, ""
        else:
            errors.append(UsageError(f"--set {name}: FIELD=VALUE is needed.", "Such as --set temperature=0.5."))
    if options.count is not None:
        yield "num_responses", options.count, "-n"
    form = _response_format(options)
    if form is not None:
        yield "response_format", json.dumps(form), ""


def _response_format(options: Namespace) -> dict[str, object] | None:
    if options.schema is not None:
        return {"type": "json_schema", "json_schema": _load_schema(Path(options.schema))}
    if options.regex is not None:
        return {"type": "regex", "regex": replace_lone(options.regex)}
    return {"type": "json_object"} if options.json_object else None


def _load_schema(path: Path) -> object:
    """Raises UsageError where it cannot be read, or is no schema."""
    from kimi_tui.adapters.forms.form_process import check
    from kimi_tui.adapters.forms.schema_file import load_schema

    try:
        schema = load_schema(path)
    except UsageError as error:
        error.reword(f"--schema {error.summary}")
        raise
    if words := check({"type": "json_schema", "json_schema": schema}, None).words:
        raise UsageError(f"--schema {path}: {words}.", "Nothing was sent.")
    return schema
