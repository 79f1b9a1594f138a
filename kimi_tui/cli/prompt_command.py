"""`kimi-tui prompt`: the exact input of a conversation's next turn, and nothing else.

It is called by scripts and in loops, so it imports neither the network nor the event loop.
"""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import DONE
from kimi_tui.cli.parts import Sessions
from kimi_tui.core.errors import KimiError, StorageError, UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.prompt.next_cuts import next_parts
from kimi_tui.core.prompt.prompt_syntax import Prompt, write_prompt
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.file_formats import likely_formats
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.sampling import RequestOptions, resolve_request
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire.message_list import is_message_list, read_message_list


def run(options: Namespace, console: Console, config: Configuration, sessions: Sessions) -> int:
    """Raises KimiError where there is no such session, file or template, or it cannot be read."""
    if options.template is not None and options.template not in TEMPLATES:
        raise UsageError(f"--template: found {options.template}, allowed {' or '.join(TEMPLATES)}.")
    settings = config.settings_or_tell(console)
    conversation, name = _read(options.source, console, sessions)
    session = conversation if isinstance(conversation, Session) else None
    thinking = False if options.no_think else None
    with _naming(f"{name}: settings: "):
        request = resolve_request(settings, session, RequestOptions(set={}, preset=None, thinking=thinking))
    if options.template:
        request = replace(request, template=TEMPLATES[options.template])
    if isinstance(conversation, Session):
        parts, left_out = next_parts(conversation, request)
        prompt = "".join(part.text for part in parts)
        if left_out:
            console.tell(f"{name}: not sent, for want of room: {counted(len(left_out), 'older message')}")
    else:
        with _naming(f"{name}: "):
            listed = read_message_list(conversation)
        if listed.words_for_rest:
            console.tell(f"{name}: {listed.words_for_rest}")
        prompt = write_prompt(
            Prompt(listed.turns(request.door, request.kept_thinking), request.open_turn, request.template)
        )
    console.write(prompt)
    return DONE


@contextlib.contextmanager
def _naming(place: str) -> Iterator[None]:
    """Put the place before what is wrong inside."""
    try:
        yield
    except KimiError as error:
        error.reword(f"{place}{error.summary}")
        raise


def _read(source: str | None, console: Console, sessions: Sessions) -> tuple[object, str]:
    if source == "-":
        return _understand(console.read_stdin(), "standard input"), "standard input"
    if source is None or not is_file(source):
        found = sessions.store.read_only(sessions.find(source))
        return found, found.path
    from kimi_tui.adapters.files import read_file
    from kimi_tui.adapters.store.session_places import has_unrecovered

    if has_unrecovered(Path(source)):
        with contextlib.suppress(StorageError):  # it may be a list of messages all the same
            return sessions.store.read_only(Path(source)), source
    try:
        text = read_file(Path(source), is_pipe_allowed=True).decode("utf-8")
    except OSError as error:
        raise UsageError(f"{source}: {reason_of(error)}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: not UTF-8 at byte {error.start}.") from error
    return _understand(text, source), source


def is_file(source: str) -> bool:
    """Whether an argument names a file and no session: it is one, or says in which folder it should be."""
    from kimi_tui.adapters.store.session_places import is_file_name

    return "/" in source or is_file_name(source)


def _understand(text: str, name: str) -> object:
    """A session, or the plain data of a list; UsageError says why the likeliest format cannot read it.

    Raises StorageError where it is a session that cannot be read.
    """
    from kimi_tui.core.session.codec import decode_session

    data = _parse(text.removeprefix("\ufeff"), name)
    if is_message_list(data):
        return data
    with _naming(f"{name} cannot be read: "):
        return decode_session(data)


def _parse(text: str, name: str) -> object:
    problems = list[str]()
    for form in likely_formats(text):
        try:
            return form.decode(text)
        except (ValueError, RecursionError) as error:
            problems.append(f"{form.title}: {error}")
    raise UsageError(f"{name}: neither a session nor a list of messages ({problems[0]}).")
