"""`kimi-tui ask`: one turn without a screen, through the same engine as on the screen."""

from __future__ import annotations

import asyncio
import contextlib
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli.ask_listener import AskListener, Order
from kimi_tui.cli.ask_options import (
    budget_of,
    going_on_with,
    parse_request_options,
    read_question,
    refuse_beside_continue,
    start_of,
    tell_doubt,
)
from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import DONE, FAILED
from kimi_tui.cli.fault_reports import FaultReports
from kimi_tui.cli.parts import Sessions, make_client, make_engine, make_recordings, new_session
from kimi_tui.cli.reply_output import choose_output
from kimi_tui.core.errors import StorageError
from kimi_tui.core.ports import Conflict, FileChange, Rewritten
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.settings.sampling import resolve_chat, resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.settings.turn_plan import resolve_plan
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.plans import single
from kimi_tui.core.wire.reply_plans import going_on
from kimi_tui.engine.open_session import OpenSession
from kimi_tui.engine.openings import Asking

if TYPE_CHECKING:  # the names of types only: importing the modules takes time that a refused call need not spend
    from kimi_tui.adapters.recording_files import Recordings


def run(options: Namespace, console: Console, config: Configuration, sessions: Sessions, reports: FaultReports) -> int:
    """Raises KimiError before anything is sent: the command line, config, key or session cannot be used."""
    settings = config.settings_or_refuse(console)
    request_options, errors = parse_request_options(options, settings.dialect)
    for error in errors[:-1]:
        console.tell_error(error)
    if errors:
        raise errors[-1]
    tell_doubt(request_options.set.get("response_format"), options, console)
    if options.goes_on:
        refuse_beside_continue(options, request_options)
    start = start_of(options)
    question = "" if options.goes_on else read_question(options, console)
    with _session(options, console, settings, sessions) as (found, is_new):
        # An empty system prompt is none.
        session = found if options.system is None else tree.with_system(found, replace_lone(options.system) or None)
        name = options.session or session.id
        opening = going_on_with(session, name) if options.goes_on else Asking(question, start=start)
        request_options = opening.options.over(request_options)
        request = resolve_request(settings, session, request_options)
        budget = budget_of(options.thinking_budget, request)
        if budget is None:
            budget = resolve_chat(settings, session).budget
        plan = resolve_plan(settings, session, request, going_on if options.goes_on else single, budget)
        is_kept = options.session is not None or options.save or options.goes_on
        order = Order(opening, plan, session, sessions.store if is_kept else None, is_new, request)
        return asyncio.run(_ask(order, options, console, config, reports))


@contextlib.contextmanager
def _session(
    options: Namespace, console: Console, settings: Settings, sessions: Sessions
) -> Iterator[tuple[Session, bool]]:
    """Open the session that is continued, or a new one; what is saved is kept from others meanwhile."""
    is_old = options.session is not None or options.goes_on
    new = None if is_old else new_session(settings)
    if new is not None and not options.save:
        yield new, True
        return
    store = sessions.store
    held = store.create(new, "ask") if new is not None else store.open(sessions.find(options.session), "ask")
    if held.recovered:
        console.tell(f"{held.path}: {held.recovered}")
    try:
        if held.read_only:
            raise StorageError(held.read_only, "Nothing was sent, since the reply could not be saved.")
        yield held.session, new is not None
    finally:
        held.release()


async def _ask(order: Order, options: Namespace, console: Console, config: Configuration, reports: FaultReports) -> int:
    client = make_client(config, reports.hide)
    try:
        open_session = OpenSession(order.session, order.store)
        with contextlib.ExitStack() as held:
            open_session.told = partial(_tell_change, console, held)
            recordings = await _recordings(options.record, order.session.id, console, config)
            engine = make_engine(client, recordings, order.store, reports.report)
            turn = engine.start(open_session, order.opening, order.request, order.plan)
            output = choose_output(options, console, has_alternatives=order.has_alternatives)
            listener = AskListener(order, console, output, turn)
            try:
                status = await listener.run()
                await asyncio.to_thread(_tell_misfits, listener.replies, console)
            finally:
                turn.stop()
                await turn.finished()
            has_failed = recordings is not None and recordings.has_failed
            return FAILED if has_failed and status == DONE else status
    finally:
        await client.aclose()


async def _recordings(path: str | None, session_id: str, console: Console, config: Configuration) -> Recordings | None:
    """What records the turn; None = nobody asked for that. Raises StorageError where the file cannot be made."""
    if path is None and not config.settings().sessions.record_streams:
        return None
    recordings = make_recordings(config)
    recordings.tell = console.tell
    if path is not None:
        await recordings.save_next(session_id, Path(os.path.expanduser(path)))
    return recordings


def _tell_misfits(replies: Sequence[Message], console: Console) -> None:
    """Say where a reply does not keep the form that was asked for; one that was cut cannot."""
    from kimi_tui.core.wire.answer_forms import form_name, form_of, is_to_be_checked

    for place, reply in enumerate(replies, 1):
        form = form_of(reply)
        if form is None or not is_to_be_checked(reply):
            continue
        from kimi_tui.adapters.forms.form_process import check

        found, which = check(form, reply.content), f"reply {place}" if len(replies) > 1 else "the reply"
        if found.findings:
            console.tell(f"{which} is not what was asked for ({form_name(form)}): {found.words}")
        elif found.unchecked:
            console.tell(f"{which} was not checked against {form_name(form)}: {found.unchecked}")


def _tell_change(console: Console, held: contextlib.ExitStack, change: FileChange) -> None:
    """Say what others did to the session's file; a copy that was made for it is held as long as the turn takes."""
    if isinstance(change, Conflict | Rewritten):
        console.tell(change.words)
    if isinstance(change, Conflict):
        held.callback(change.copy.release)
