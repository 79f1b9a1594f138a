"""/record: the raw stream of a reply, to a file that shows it once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from kimi_tui.core.errors import UsageError
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Recorder

NEXT = "next"
"""The word for a reply that is still to come."""
FIRST = "Of several that begin together it is the first."
HOLDS = "It holds the whole prompt and the reply, never the key; look through it before you give it away."


@dataclass(eq=False)
class RecordCommand:
    recorder: Callable[[], Recorder] | None
    open_chats: OpenChats
    say: Say

    async def __call__(self, argument: str) -> None:
        """Raises UsageError where there is nothing to record, StorageError where the file cannot be made."""
        if self.recorder is None:
            raise UsageError("This is a replay: what it shows is recorded already.")
        recorder = self.recorder()
        chat, words = self.open_chats.current, argument.split(maxsplit=1)
        session_id = chat.session.id
        if not words or words == [NEXT]:
            raise UsageError("/record needs a file name.", "For example: /record bug.jsonl, /record next bug.jsonl")
        if words[0] == NEXT:
            path = Path(words[1].strip()).expanduser()
            await recorder.save_next(session_id, path)
            self.say(f"The next reply of this session is recorded into {path}.\n{FIRST} {HOLDS}")
            return
        path = Path(argument.strip()).expanduser()
        is_running = await recorder.save_last(session_id, path, chat.shown_key(None))
        if is_running is None:
            raise UsageError("No reply came here since the program started.", "/record next FILE records the next one.")
        what = "The running reply is recorded into" if is_running else "The last reply was recorded into"
        self.say(f"{what} {path}.\n{HOLDS}\n`kimi-tui replay {quote(str(path))}` shows it once more.")
