"""The sessions on disk: one file each in the data folder, found, read, written, deleted and brought back.

The files are the truth: whatever ends in .toml or .json in the folder is a session. One that cannot be read is named
with the reason and never written, moved or deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from kimi_tui.adapters import session_text
from kimi_tui.adapters.files import make_private_dir, storage_error, told, write_atomic
from kimi_tui.adapters.ids import new_cache_key, new_session_id
from kimi_tui.adapters.session_index import SessionIndex, mark_of
from kimi_tui.adapters.session_lock import SessionLock
from kimi_tui.core.codec import EPOCH, decode_session
from kimi_tui.core.conversation import parse_message_list, title_of
from kimi_tui.core.errors import KimiError, StorageError
from kimi_tui.core.listing import Listing, Unreadable, names_of
from kimi_tui.core.session import DEFAULT_MODEL, Message, Role, Session, SessionSummary

Format = Literal["toml", "json"]
ENDINGS = (".toml", ".json")
"""What makes a file in the folder a session."""
SHOWN_CANDIDATES = 5
"""How many sessions an ambiguous name lists."""


class SessionFiles:
    """One folder of sessions, and the trash beside it."""

    def __init__(self, folder: Path, trash: Path, format: Format = "toml") -> None:
        """Work on a folder; it is made when something is saved.

        Args:
            folder: Where sessions lie.
            trash: Where deleted ones go.
            format: Format of new sessions.
        """
        self.folder, self.trash, self._format = folder, trash, format
        self._paths: dict[str, Path] = {}
        self._last_read: tuple[Path, list[int], Session] | None = None  # finding a file reads it, then it is loaded
        self._writers: dict[Path, session_text.TomlWriter] = {}

    # -- reading

    def load(self, path: Path) -> Session:
        """Read a session; it is saved where it lies from now on.

        Raises:
            StorageError: It cannot be read; the summary names the file and the place in it.
        """
        session = self._read(path)
        self._paths[session.id] = path
        return replace(session, path=str(path))

    def load_to_continue(self, path: Path) -> Session:
        """Read a session that goes on: one that has no key for the prompt cache gets one, saved with what follows.

        Raises:
            StorageError: It cannot be read; the summary names the file and the place in it.
        """
        session = self.load(path)
        return session if session.prompt_cache_key is not None else replace(session, prompt_cache_key=new_cache_key())

    def _read(self, path: Path) -> Session:
        known, mark = self._last_read, mark_of(path)
        self._last_read = None
        if known is not None and mark and known[:2] == (path, mark):
            return known[2]
        session = self._parse(path)
        self._last_read = (path, mark, session)
        return session

    @staticmethod
    def _parse(path: Path) -> Session:
        data = [_read_bytes(path)]
        try:  # the bytes are given away, not held: they are as large as all that is read from them
            return decode_session(session_text.load(data.pop(), _ending(path)), _changed_at(path))
        except StorageError as error:
            hint = error.hint or "The file is as it was; mend it by hand, or move it away."
            raise StorageError(f"{path} cannot be read: {error.summary}", hint) from None

    def list(self) -> Listing:
        """List the sessions in the folder."""
        summaries, unreadable = [], []
        index = SessionIndex(self.folder)
        index.load()
        for path in self._files():
            try:
                summary = index.find(path)
                if summary is None:
                    mark = mark_of(path)
                    summary = _summary(self._read(path), path)
                    index.note(path, mark, summary)
                summaries.append(summary)
            except StorageError as error:
                reason = error.summary.removeprefix(f"{path} cannot be read: ").removeprefix(f"{path} ")
                unreadable.append(Unreadable(str(path), reason))
        index.save()
        summaries.sort(key=lambda summary: (summary.updated, summary.id), reverse=True)
        return Listing(tuple(summaries), tuple(unreadable))

    def _files(self) -> Sequence[Path]:
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", self.folder, error) from error
        return [self.folder / name for name in names if name.endswith(ENDINGS) and not name.startswith(".")]

    def find(self, text: str | None = None) -> Path:
        """Find a session's file.

        Args:
            text: An id, the unique beginning of one, words of a title, or a file; None = the one changed last.

        Raises:
            StorageError: None or several fit; several are listed.
        """
        if text is not None and (os.sep in text or os.path.isfile(text)):
            path = os.path.expanduser(text)
            if not os.path.isfile(path):
                raise StorageError(f"There is no file {text}.")
            return Path(path)
        listing = self.list()
        broken = [Path(bad.path) for bad in listing.unreadable if text in {Path(bad.path).stem, Path(bad.path).name}]
        if broken and not any(summary.id == text for summary in listing.summaries):
            return broken[0]  # reading it says what is wrong with it
        if not listing.summaries:
            raise StorageError("There is no session yet.", "Start kimi-tui and send a message.")
        if text is None:
            return Path(listing.summaries[0].path)
        return _find_in(listing.summaries, text, "session", "`kimi-tui sessions list` shows them all.")

    # -- writing

    def path_of(self, session: Session) -> Path:
        """Where a session is saved: where it was read from, else in the folder."""
        if session.path and os.path.exists(session.path):
            return Path(session.path)  # two files may hold the same id
        return self._paths.get(session.id, self.folder / f"{session.id}.{self._format}")

    def name_of(self, session_id: str) -> str:
        """What `find` finds a session by that was read or saved here: its id, or its path where it lies elsewhere."""
        path = self._paths.get(session_id)
        return session_id if path is None or _same(path.parent, self.folder) else os.path.abspath(path)

    async def save(self, session: Session) -> None:
        """Write a session off the event loop.

        Raises:
            StorageError: It could not be written; the last whole file is in place.
        """
        await asyncio.to_thread(self.save_now, session)

    def save_now(self, session: Session) -> None:
        """Write a session.

        Raises:
            StorageError: It could not be written; the last whole file is in place.
        """
        path = self.path_of(session)
        if session.id not in self._paths:
            make_private_dir(self.folder)
            self._check_free(path, session)
        data = self._encode(session, path)
        write_atomic(path, data)
        self._paths[session.id] = path

    def _check_free(self, path: Path, session: Session) -> None:
        """Refuse to write over a file that is another session, or cannot be read."""
        if _is_there(path) and self._read(path).id != session.id:
            raise StorageError(f"{path} holds another session; nothing was written.")

    def _encode(self, session: Session, path: Path) -> bytes:
        if _ending(path) == ".json":
            return session_text.dump_json(session)
        return self._writers.setdefault(path, session_text.TomlWriter()).dump(session)

    def lock(self, path_or_session: Path | Session, kind: str = "window") -> SessionLock:
        """Prepare the lock of a session; entering or acquiring takes it."""
        is_session = isinstance(path_or_session, Session)
        path = self.path_of(path_or_session) if isinstance(path_or_session, Session) else path_or_session
        if is_session and path.parent == self.folder:
            make_private_dir(self.folder)
        return SessionLock(path, kind)

    def convert(self, path: Path, to: Format) -> Path:
        """Write a session in the other format; in the folder the old file goes, elsewhere it stays beside.

        Raises:
            StorageError: It cannot be read or written, the target is there already, or cannot hold a value.
        """
        session = self._read(path)
        target = path.with_suffix(f".{to}")
        if target == path:
            return path
        _refuse_if_there(target, "nothing was changed.")
        write_atomic(target, _dump(session, target.suffix))
        if _same(path.parent, self.folder):
            _remove_or_undo(path, target)
            self._paths[session.id] = target
        return target

    def rename(self, path: Path, title: str) -> None:
        """Give a session another title. It keeps its place in lists, since nothing was said in it.

        Raises:
            StorageError: It cannot be read or written; the file is as it was.
        """
        write_atomic(path, _dump(replace(self._read(path), title=title), _ending(path)))

    def duplicate(self, path: Path) -> Path:
        """Save a copy of a session, as it was saved last, as a new one of now, and return where.

        Raises:
            StorageError: It cannot be read, or the copy not written.
        """
        session, now = self._read(path), datetime.now(UTC).replace(microsecond=0)
        copy = replace(
            session,
            id=new_session_id(now),
            created=now,
            updated=now,
            title=f"{session.title} (copy)".lstrip(),
            prompt_cache_key=new_cache_key(),
        )
        self.save_now(copy)
        return self.path_of(copy)

    def import_file(self, path: Path) -> Session:
        """Save a copy of a file as a new session: one of ours, or a JSON list of messages.

        Raises:
            StorageError: It cannot be read, or the copy not written.
        """
        if path.suffix.lower() not in ENDINGS:
            raise StorageError(
                f"{path} cannot be imported: its name ends neither in .toml nor in .json.",
                "Sessions can be imported, and JSON lists of messages.",
            )
        data = _read_bytes(path)
        now = datetime.now(UTC).replace(microsecond=0)
        try:
            plain = session_text.load(data, _ending(path))
            session = _from_list(plain, now) if isinstance(plain, list) else decode_session(plain, _changed_at(path))
        except KimiError as error:
            raise StorageError(f"{path} cannot be imported: {error.summary}", error.hint) from None
        title = session.title or title_of(path.stem)
        copy = replace(session, id=new_session_id(now), title=title, prompt_cache_key=new_cache_key())
        self.save_now(copy)
        return copy

    # -- the trash

    def delete(self, path: Path) -> Path:
        """Move a session, and what was being typed in it, to the trash and return where it lies there.

        Raises:
            StorageError: It cannot be read, or not moved; it stays where it is.
        """
        session = self._read(path)
        make_private_dir(self.trash)
        with told("moved", path):
            target = _free(self.trash / path.name)
        origin = path.name if _same(path.parent, self.folder) else os.path.abspath(path)
        write_atomic(_origin_beside(target), os.fsencode(origin))
        try:
            _move_with_draft(path, target)
        except StorageError:
            _forget(_origin_beside(target))
            raise
        if self._paths.get(session.id) == path:
            del self._paths[session.id]
        self._writers.pop(path, None)
        return target

    def trashed(self) -> Listing:
        """List what lies in the trash."""
        return SessionFiles(self.trash, self.trash, self._format).list()

    def restore(self, text: str) -> Path:
        """Bring a session back from the trash, by id, beginning of an id, title, or its file's name there.

        Raises:
            StorageError: None or several fit, or it cannot be moved.
        """
        deleted = self.trashed().summaries
        if not deleted:
            raise StorageError("There is no session in the trash.")
        hint = "`kimi-tui sessions restore` lists what lies there."
        return self.restore_path(_find_in(deleted, text, "session in the trash", hint))

    def restore_path(self, source: Path) -> Path:
        """Bring a session back from its place in the trash, with what was being typed in it.

        Args:
            source: What `delete` returned. It returns to where it lay; where that is not known, to the folder.

        Raises:
            StorageError: It is not there, its place is taken, or it cannot be moved; it stays in the trash.
        """
        target = self.folder / _origin_of(source)
        make_private_dir(target.parent)
        _refuse_if_there(target, "the deleted session stays in the trash.")
        _move_with_draft(source, target)
        _forget(_origin_beside(source))
        return target

    # -- drafts

    def _draft_path(self, session_id: str) -> Path:
        # A foreign file may call its session anything; its own name cannot leave its folder.
        return _draft_beside(self._paths.get(session_id, self.folder / f"{session_id}.toml"))

    def load_draft(self, session_id: str) -> str:
        """Read what was being typed in a session; "" = nothing, or nothing readable."""
        try:
            return self._draft_path(session_id).read_bytes().decode("utf-8", "replace")
        except OSError:
            return ""

    def save_draft(self, session_id: str, text: str) -> None:
        """Keep what is being typed; "" removes it.

        Raises:
            StorageError: It could not be written.
        """
        self._write_draft(self._draft_path(session_id), text)

    @staticmethod
    def _write_draft(path: Path, text: str) -> None:
        if text:
            make_private_dir(path.parent)
            write_atomic(path, text.encode("utf-8", "replace"))
            return
        _remove(path)


def _find_in(summaries: Sequence[SessionSummary], text: str, what: str, hint: str) -> Path:
    """Find the one session that a text names.

    Raises:
        StorageError: None or several fit; several are listed.
    """
    word = text.casefold()
    rules = (
        [s for s in summaries if s.id == text and Path(s.path).stem == text],
        [s for s in summaries if s.id == text],
        [s for s in summaries if text in {Path(s.path).stem, Path(s.path).name}],
        [s for s in summaries if text and s.id.startswith(text)],
        [s for s in summaries if s.title.casefold() == word],
        [s for s in summaries if word and word in s.title.casefold()],
    )
    found = next((matches for matches in rules if matches), [])
    if len(found) == 1:
        return Path(found[0].path)
    if not found:
        raise StorageError(f"There is no {what} {text!r}.", hint)
    names = names_of(found)
    shown = [f"{name} {s.title}".rstrip() for name, s in zip(names, found, strict=True)][:SHOWN_CANDIDATES]
    more = ["…"] if len(found) > len(shown) else []
    raise StorageError(
        f"{text!r} fits {len(found)} sessions: {'; '.join(shown + more)}.", "Name one by its id or file."
    )


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("removed", path, error) from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error("read", path, error) from error


def _changed_at(path: Path) -> datetime:
    """When a file was changed last, UTC, in whole seconds."""
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    except (OSError, OverflowError, ValueError):
        return EPOCH


def _ending(path: Path) -> str:
    return ".json" if path.suffix.lower() == ".json" else ".toml"


def _dump(session: Session, ending: str) -> bytes:
    return session_text.dump_json(session) if ending == ".json" else session_text.TomlWriter().dump(session)


def _same(left: Path, right: Path) -> bool:
    return os.path.realpath(left) == os.path.realpath(right)


def _summary(session: Session, path: Path) -> SessionSummary:
    return SessionSummary(
        id=session.id,
        title=session.title,
        created=session.created,
        updated=session.updated,
        messages=len(session.messages),
        model=session.model,
        tags=session.tags,
        path=str(path),
    )


def _draft_beside(path: Path) -> Path:
    return path.parent / f".{path.stem}.draft"


def _origin_beside(path: Path) -> Path:
    """The file beside one in the trash that says where it lay."""
    return path.parent / f".{path.stem}.origin"


def _origin_of(path: Path) -> str:
    """Where a file in the trash lay: a name in the folder of sessions, or a whole path."""
    try:
        return os.fsdecode(_origin_beside(path).read_bytes()) or path.name
    except OSError:
        return path.name


def _is_there(path: Path) -> bool:
    """Whether a file exists; that it cannot be told is no "no"."""
    with told("read", path):
        return path.exists()


def _refuse_if_there(path: Path, consequence: str) -> None:
    if _is_there(path):
        raise StorageError(f"{path} is there already; {consequence}")


def _free(path: Path) -> Path:
    """A name that is not taken: the trash may hold an older session of the same name."""
    number = 1
    free = path
    # What lies beside a session is named after its stem, so that one ending is as taken as the other.
    while any(free.with_suffix(ending).exists() for ending in (*ENDINGS, path.suffix)):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _move_with_draft(source: Path, target: Path) -> None:
    """Move a session and its draft. The draft is copied first and removed last, so that it is never nowhere."""
    draft, new_draft = _draft_beside(source), _draft_beside(target)
    has_draft = _is_there(draft)
    if has_draft:
        write_atomic(new_draft, _read_bytes(draft))
    try:
        _move(source, target)
    except StorageError:
        if has_draft:
            _forget(new_draft)
        raise
    if has_draft:
        _forget(draft)


def _move(source: Path, target: Path) -> None:
    with told("moved", source):
        if _on_same_device(source, target.parent):
            os.replace(source, target)
            return
        write_atomic(target, source.read_bytes())
    _remove_or_undo(source, target)


def _on_same_device(left: Path, right: Path) -> bool:
    return left.stat().st_dev == right.stat().st_dev


def _remove_or_undo(old: Path, new: Path) -> None:
    """Remove what was written anew elsewhere; where that fails, take the new one back, so that there are not two."""
    try:
        _remove(old)
    except StorageError:
        _forget(new)
        raise


def _forget(path: Path) -> None:
    """Remove what is there a second time; staying, it does no harm."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _from_list(plain: list[Any], now: datetime) -> Session:
    """Make a session of a JSON list of messages; a leading system message becomes the system prompt."""
    turns = list(parse_message_list(plain, neutralise=False))
    system = str(turns.pop(0).text) if turns and turns[0].role is Role.SYSTEM else None
    if any(turn.role is Role.SYSTEM for turn in turns):
        raise StorageError("a system message stands amid the conversation; a session has one, at its beginning.")
    session = Session("", now, now, DEFAULT_MODEL, system=system)
    reasonings = [item.get("reasoning") for item in plain if item["role"] != Role.SYSTEM]
    for number, (turn, reasoning) in enumerate(zip(turns, reasonings, strict=True), start=1):
        message = Message(f"m{number}", turn.role, str(turn.text), session.head, now, reasoning or None)
        session = session.with_message(message)
    first = next((turn.text for turn in turns if turn.role is Role.USER), "")
    return replace(session, title=title_of(first))
