"""`kimi-tui sessions`: what can be done with sessions as files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.console import Console
from kimi_tui.cli.exit_status import BAD_USAGE, DONE
from kimi_tui.cli.parts import Sessions
from kimi_tui.cli.session_health import check, repair
from kimi_tui.core.errors import KimiError, StorageError, UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.session.listing import NO_SESSION, UNTITLED, Listing, SessionSummary, names_of

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.store.session_files import SessionFiles


def run(options: Namespace, console: Console, config: Configuration, sessions: Sessions) -> int:
    """Raises KimiError where a session cannot be found, read or written."""
    settings = config.settings_or_tell(console)
    if options.action == "check":
        return check(options, console, sessions, settings)
    return ACTIONS[options.action](options, console, sessions)


def _list(options: Namespace, console: Console, sessions: Sessions) -> int:
    listing = sessions.store.list()
    if options.json:
        from kimi_tui.cli.reply_output import json_line

        console.write_line(json_line([_plain_summary(summary) for summary in listing.summaries]))
        _tell_unreadable(listing, console)
    else:
        _put_table(listing, NO_SESSION, console)
    return DONE


def _put_table(listing: Listing, words_for_none: str, console: Console) -> None:
    if listing.summaries:
        console.write("".join(f"{line}\n" for line in _table(listing.summaries)))
    elif not listing.unreadable:
        console.tell(words_for_none)
    _tell_unreadable(listing, console)


def _tell_unreadable(listing: Listing, console: Console) -> None:
    for unreadable in listing.unreadable:
        console.tell(unreadable.words)


def _plain_summary(summary: SessionSummary) -> dict[str, object]:
    return {
        "id": summary.id,
        "title": summary.title,
        "created": summary.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated": summary.updated.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "messages": summary.messages,
        "model": summary.model,
        "tags": list(summary.tags),
        "path": summary.path,
    }


def _table(summaries: tuple[SessionSummary, ...]) -> list[str]:
    """Lay the sessions out in columns, times in the local zone."""
    rows = [("ID", "UPDATED", "MESSAGES", "TITLE")]
    rows += [
        (name, f"{s.updated.astimezone():%Y-%m-%d %H:%M}", str(s.messages), " ".join(s.title.split()) or UNTITLED)
        for name, s in zip(names_of(summaries), summaries, strict=True)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        f"{id_:<{widths[0]}}  {updated:<{widths[1]}}  {messages:>{widths[2]}}  {title}".rstrip()
        for id_, updated, messages, title in rows
    ]


def _show(options: Namespace, console: Console, sessions: Sessions) -> int:
    from kimi_tui.core.prompt.documents import render_text

    console.write(render_text(sessions.store.read_only(sessions.find(options.session))))
    return DONE


def _path(options: Namespace, console: Console, sessions: Sessions) -> int:
    store = sessions.store
    console.write_line(str(store.folder if options.session is None else sessions.find(options.session)))
    return DONE


def _export(options: Namespace, console: Console, sessions: Sessions) -> int:
    from kimi_tui.core.prompt.export_forms import EXPORT_FORMS, export_form_of

    output = None if options.output in {None, "-"} else Path(options.output)
    suffix = "" if output is None else output.suffix
    form = EXPORT_FORMS[options.format] if options.format else export_form_of(suffix, str(output))
    store = sessions.store
    path = sessions.find(options.session)
    data = form.render(store.read_only(path))
    if output is None:
        console.write(data.decode())
    else:
        _refuse_session_file(output, path, store)
        _write_file(output, data)
    return DONE


def _refuse_session_file(output: Path, exported: Path, store: SessionFiles) -> None:
    """Raises UsageError where an export would replace a session."""
    target = output.resolve()
    if target == exported.resolve() or target.parent in {store.folder.resolve(), store.trash.resolve()}:
        raise UsageError(f"{output} is a session, or lies among them; nothing was written.", "Name another file.")


def _write_file(path: Path, data: bytes) -> None:
    """What is no ordinary file, such as /dev/stdout, is written to and not replaced; raises StorageError."""
    from kimi_tui.adapters.files import write_atomic

    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            write_atomic(path, data)
    except OSError as error:
        raise StorageError(f"{path}: {reason_of(error)}.") from error


def _import(options: Namespace, console: Console, sessions: Sessions) -> int:
    status = DONE
    for name in options.files:
        try:
            imported, rest = sessions.store.import_file(Path(name), is_pipe_allowed=True)
            if rest:
                console.tell(rest)
            console.write_line(imported.id)
        except KimiError as error:
            console.tell_error(error)
            status = BAD_USAGE
    return status


def _convert(options: Namespace, console: Console, sessions: Sessions) -> int:
    console.write_line(str(sessions.store.convert(sessions.find(options.session), options.to)))
    return DONE


def _delete(options: Namespace, console: Console, sessions: Sessions) -> int:
    in_trash = sessions.store.delete(sessions.find(options.session))
    console.write_line(str(in_trash))
    console.tell(f"moved to the trash; `kimi-tui sessions restore {in_trash.stem}` brings it back")
    return DONE


def _restore(options: Namespace, console: Console, sessions: Sessions) -> int:
    if options.session is None:
        _put_table(sessions.store.trashed(), "The trash is empty.", console)
        return DONE
    console.write_line(str(sessions.store.restore(options.session)))
    return DONE


ACTIONS: Mapping[str, Callable[[Namespace, Console, Sessions], int]] = {
    "list": _list,
    "show": _show,
    "path": _path,
    "repair": repair,
    "export": _export,
    "import": _import,
    "convert": _convert,
    "delete": _delete,
    "restore": _restore,
}
