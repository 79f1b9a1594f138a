"""`kimi-tui sessions`: what can be done with sessions as files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.cli import session_health
from kimi_tui.cli.context import Context
from kimi_tui.cli.exit_status import BAD_USAGE, DONE
from kimi_tui.core.errors import KimiError, StorageError, UsageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.session.listing import NO_SESSION, UNTITLED, Listing, SessionSummary, names_of
from kimi_tui.core.session.session import Session

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.adapters.store.session_files import SessionFiles


def run(options: Namespace, context: Context) -> int:
    """Raises KimiError where a session cannot be found, read or written."""
    context.settings_or_tell()
    return ACTIONS[options.action](options, context)


def _list(options: Namespace, context: Context) -> int:
    listing = context.store().list()
    if options.json:
        from kimi_tui.cli.reply_output import json_line

        context.write_line(json_line([_plain_summary(summary) for summary in listing.summaries]))
        _tell_unreadable(listing, context)
    else:
        _put_table(listing, NO_SESSION, context)
    return DONE


def _put_table(listing: Listing, words_for_none: str, context: Context) -> None:
    if listing.summaries:
        context.write("".join(f"{line}\n" for line in _table(listing.summaries)))
    elif not listing.unreadable:
        context.tell(words_for_none)
    _tell_unreadable(listing, context)


def _tell_unreadable(listing: Listing, context: Context) -> None:
    for unreadable in listing.unreadable:
        context.tell(unreadable.words)


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


def _show(options: Namespace, context: Context) -> int:
    from kimi_tui.core.prompt.documents import render_text

    context.write(render_text(_load(options.session, context)))
    return DONE


def _load(text: str, context: Context) -> Session:
    return context.store().read_only(context.find_session(text))


def _path(options: Namespace, context: Context) -> int:
    store = context.store()
    context.write_line(str(store.folder if options.session is None else context.find_session(options.session)))
    return DONE


def _export(options: Namespace, context: Context) -> int:
    from kimi_tui.core.prompt.export_forms import EXPORT_FORMS, export_form_of

    output = None if options.output in {None, "-"} else Path(options.output)
    suffix = "" if output is None else output.suffix
    form = EXPORT_FORMS[options.format] if options.format else export_form_of(suffix, str(output))
    store = context.store()
    path = context.find_session(options.session)
    data = form.render(store.read_only(path))
    if output is None:
        context.write(data.decode())
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


def _import(options: Namespace, context: Context) -> int:
    status = DONE
    for name in options.files:
        try:
            imported, rest = context.store().import_file(Path(name), is_pipe_allowed=True)
            if rest:
                context.tell(rest)
            context.write_line(imported.id)
        except KimiError as error:
            context.tell_error(error)
            status = BAD_USAGE
    return status


def _convert(options: Namespace, context: Context) -> int:
    context.write_line(str(context.store().convert(context.find_session(options.session), options.to)))
    return DONE


def _delete(options: Namespace, context: Context) -> int:
    in_trash = context.store().delete(context.find_session(options.session))
    context.write_line(str(in_trash))
    context.tell(f"moved to the trash; `kimi-tui sessions restore {in_trash.stem}` brings it back")
    return DONE


def _restore(options: Namespace, context: Context) -> int:
    if options.session is None:
        _put_table(context.store().trashed(), "The trash is empty.", context)
        return DONE
    context.write_line(str(context.store().restore(options.session)))
    return DONE


ACTIONS: Mapping[str, Callable[[Namespace, Context], int]] = {
    "list": _list,
    "show": _show,
    "path": _path,
    "check": session_health.check,
    "repair": session_health.repair,
    "export": _export,
    "import": _import,
    "convert": _convert,
    "delete": _delete,
    "restore": _restore,
}
