"""The registry of user actions: what can be done, where, by which keys, under which name.

One list serves the key bindings, `[keymap]` of the config, the command palette, the help screen, the footer, the slash
commands and the README. An action's id is also its slash command where `is_command` says so. What an action does
stands in a row for its id in `ui/commands`; where the cursor of a pane decides what it is about, in that pane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

from kimi_tui.core.prompt.export_forms import USUAL_ENDINGS
from kimi_tui.core.session.file_formats import ENDINGS
from kimi_tui.core.session.session import Message
from kimi_tui.core.text.quoting import either
from kimi_tui.core.wire.dialects import DEFAULT_DIALECT
from kimi_tui.core.wire.reply_plans import refusal_to_go_on

KEY_VARIABLE = DEFAULT_DIALECT.key_variable


class Scope(StrEnum):
    SCREEN = "anywhere"
    COMPOSER = "in the composer"
    TRANSCRIPT = "in the conversation"
    SESSIONS = "in the sessions pane"
    REASONING = "in the reasoning pane"
    SETTINGS = "in the settings pane"
    PROMPT = "in the prompt pane"


class Need(StrEnum):
    """What has to be there for an action to do anything; the words go after "there is no"."""

    RUNNING = "running reply"
    THINKING = "reply that is thinking"
    WAITING = "attempt that waits"
    MESSAGE = "message"
    TEXT = "message to copy"
    SHOWN = "message to go to"
    REPLY = "reply"
    REASONING = "reasoning"
    UNFINISHED = "reply that broke off"
    CODE = "code block"
    LINK = "link"
    EARLIER = "earlier alternative"
    LATER = "later alternative"
    UNDOABLE = "step to undo"
    FINDING = "search"
    NOTICE = "notice"
    HELD_BY_OTHERS = "session that others hold"
    EDIT = "reply being edited"
    BESIDE = "other reply that runs"


MESSAGE_OFFERS: Mapping[Need, Callable[[Message], bool]] = {
    Need.MESSAGE: lambda _: True,
    Need.UNFINISHED: lambda message: not refusal_to_go_on(message),
    Need.REASONING: lambda message: bool(message.reasoning),
}
"""What a message has for actions to work on."""


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    """Stable kebab-case name, such as "new"."""
    title: str
    help: str
    """One sentence on what it does."""
    keys: tuple[str, ...] = ()
    """Its keys in Textual's names, the first one shown."""
    scope: Scope = Scope.SCREEN
    aliases: tuple[str, ...] = ()
    """Other slash commands that mean the same."""
    argument: str = ""
    """What its slash command takes, such as "FILE"; "" = nothing."""
    runs_alone: bool = True
    """Whether its key and the palette do it at once; else they ask for its argument."""
    is_command: bool = True
    """Whether `/id` does it."""
    in_palette: bool = True
    need: Need | None = None
    hint: str = ""
    """The word for the footer, shown where the keys apply; "" = it never stands there."""
    hint_goes_first: bool = False
    """Whether that stands before the other words, wherever it stands."""
    waits: bool = False
    """Whether it cannot be done while a reply runs in this session."""

    @property
    def usage(self) -> str:
        return f"/{self.id} {self.argument}".rstrip()

    def missing(self, offers: Set[Need]) -> Need | None:
        """Say what it needs and a situation does not offer; None = it can be done."""
        return None if self.need in offers else self.need


ACTIONS: tuple[Action, ...] = (
    # -- the composer
    Action("send", "Send", "Sends what is in the composer, queues it while a reply runs; slash commands act at once.",
           ("enter",), Scope.COMPOSER, is_command=False, hint="send"),
    Action("new-line", "New line", "Begins a new line; terminals that do not report Shift+Enter have Ctrl+J.",
           ("ctrl+j", "shift+enter", "alt+enter"), Scope.COMPOSER, is_command=False, hint="line"),
    Action("last-prompt", "Last prompt",
           "Brings the queued message back into the empty composer, else the last prompts, of earlier sessions too.",
           ("up",), Scope.COMPOSER),
    Action("choose-message", "Choose a message", "Puts the message cursor on the last message in view.",
           ("shift+tab", "ctrl+up"), Scope.COMPOSER, need=Need.MESSAGE, hint="messages"),
    Action("delete-word", "Delete a word", "Deletes the word behind the cursor; Ctrl+W deletes the one before it.",
           ("alt+d",), Scope.COMPOSER, is_command=False, in_palette=False),
    Action("yank", "Put in again", "Puts in what was deleted last with Ctrl+K, Ctrl+U, Ctrl+W or Alt+D.", ("ctrl+y",),
           Scope.COMPOSER, is_command=False, in_palette=False),
    Action("undo-edit", "Undo", "Takes the last change of the text back.", ("ctrl+z",), Scope.COMPOSER,
           is_command=False, in_palette=False),
    Action("redo-edit", "Redo", "Makes the change again that was taken back.", ("alt+z", "ctrl+shift+z"),
           Scope.COMPOSER, is_command=False, in_palette=False),
    Action("quit-when-empty", "Quit", "Leaves, when the composer is empty.", ("ctrl+d",), Scope.COMPOSER,
           is_command=False, in_palette=False),
    # -- how a turn goes
    Action("stop", "Stop the reply", "Stops the running reply; what arrived is kept.", need=Need.RUNNING),
    Action("try-now", "Try again now", "Makes the next attempt at once, where one waits.", ("alt+r",),
           need=Need.WAITING, hint="try now"),
    Action("back", "One step back", "Closes what is open, else stops the reply, else goes back to the composer.",
           ("escape",), is_command=False, in_palette=False),
    Action("copy-or-quit", "Copy, stop or quit", "Copies the selection, else stops the reply, else (twice) quits.",
           ("ctrl+c",), is_command=False, in_palette=False),
    Action("answer-now", "Answer now",
           "Ends the thinking of the running reply; it answers from what was thought so far.", ("alt+a",),
           need=Need.THINKING, hint="answer now"),
    Action("budget", "Thinking budget",
           "Limits the thinking: tokens, seconds such as 20s, or off; once = of the next reply; alone it tells.",
           argument="[N|Ns|off] [once]", runs_alone=False),
    Action("auto-continue", "Continue by itself",
           "Goes on with replies that max_new_tokens cut, so many times by itself; 0 = never; alone it tells.",
           argument="[N]", runs_alone=False),
    Action("stop-at", "Stop at a word",
           "Lets the next reply stop at words, beside what stops every one; off takes them back; alone it tells.",
           argument="[WORD...]", runs_alone=False),
    Action("free-thinking", "Think freely, answer in form",
           "With a response format: on thinks without it first, off holds thinking and answer to it in one request.",
           argument="[on|off]", runs_alone=False),
    Action("prefill", "Begin the next answer",
           "Lets the next answer begin with TEXT, without thinking; alone it takes that back.", argument="TEXT",
           runs_alone=False),
    Action("seed", "Begin the next thinking",
           "Lets the thinking of the next reply, or of the chosen one anew, begin with TEXT; alone it takes that back.",
           argument="TEXT", runs_alone=False),
    Action("kept-thinking", "Keep earlier thinking", "Sends the thinking of the last N turns along; alone it tells.",
           argument="[N|all|none]", runs_alone=False),
    Action("over-budget", "When there is no room",
           "What becomes of old turns when there is no room: refuse, leave-out or keep-pinned; alone it tells.",
           argument="[CHOICE]", runs_alone=False),
    Action("think", "Thinking or instant",
           "Lets the model think first, or answer at once (on, off; alone it switches).", ("ctrl+t",),
           argument="[on|off]"),
    Action("raw", "Send raw",
           "Edits the whole exact input and sends it once as it stands; off throws away what is kept of it.",
           argument="[off]", waits=True),
    Action("sweep", "Sweep a field",
           "Asks the question anew with 2 to 8 values of a request field; alone it shows the figures of its replies.",
           argument="[FIELD VALUE...]", need=Need.MESSAGE),
    Action("side-by-side", "Side by side",
           "Shows all replies to a question side by side with their figures, also while they are written.", ("alt+s",),
           need=Need.MESSAGE, hint="side by side"),
    Action("stop-this", "Stop this reply alone",
           "Stops the reply that is shown, where several are written side by side; the others go on.", ("s",),
           Scope.TRANSCRIPT, need=Need.BESIDE, hint="stop this"),
    # -- panes
    Action("sessions", "Sessions", "Shows or hides the sessions.", ("f2", "ctrl+s"), hint="sessions"),
    Action("reasoning", "Reasoning", "Shows or hides the reasoning.", ("f3",), hint="reasoning"),
    Action("settings", "Settings", "Shows or hides the settings.", ("f4",), hint="settings"),
    Action("prompt", "Prompt", "Shows or hides the exact input of the next turn.", ("f5",), hint="prompt"),
    Action("wider", "Wider pane", "Makes the side pane that was used last wider.", ("alt+right",)),
    Action("narrower", "Narrower pane", "Makes the side pane that was used last narrower.", ("alt+left",)),
    # -- what is in view
    Action("fold", "Fold or unfold all reasoning", "Opens or closes every think block.", ("ctrl+r",)),
    Action("top", "To the beginning", "Shows the beginning of the conversation.", ("ctrl+home",)),
    Action("follow", "Follow the tail", "Shows the end and follows what arrives.", ("ctrl+end",)),
    Action("page-up", "Page up", "Scrolls the conversation one page up.", ("pageup",)),
    Action("page-down", "Page down", "Scrolls the conversation one page down.", ("pagedown",)),
    Action("find", "Find", "Finds a text in this session, in the reasoning too; alone it opens the search.",
           ("ctrl+f",), argument="[TEXT]"),
    Action("dismiss", "Dismiss the notices", "Takes the notices out of the conversation.", ("ctrl+l",),
           need=Need.NOTICE),
    Action("tree", "Branches",
           "Shows the branches of this session as a tree: go to one, name it, delete it, go on from it.", ("alt+t",),
           need=Need.SHOWN),
    # -- sessions and what they send
    Action("new", "New session", "Begins a new session; this one is kept.", ("ctrl+n",), aliases=("clear",)),
    Action("resume", "Resume a session", "Opens the latest other session, or the one that TEXT names.", ("ctrl+o",),
           argument="[TEXT]"),
    Action("open-copy", "Open as a copy",
           "Goes on with a read-only session as a copy; once its holder has gone, with the session itself.",
           ("ctrl+b", "alt+o"), aliases=("take-over",), need=Need.HELD_BY_OTHERS, hint="copy",
           hint_goes_first=True),
    Action("rename", "Rename the session", "Gives this session another title.", ("f6",), argument="TEXT",
           runs_alone=False),
    Action("set", "Set a request field", "Sets a request field for this session; alone it lists them.",
           argument="FIELD VALUE"),
    Action("reset", "Reset a request field", "Takes back what this session sets for a field; alone for all of them.",
           argument="[FIELD]"),
    Action("schema", "Answer in a schema",
           "Holds this session's answers to the JSON schema of a file; off ends that; alone it tells.",
           argument="[FILE|off]"),
    Action("system", "System prompt", "Sets this session's system prompt; alone it shows it.", ("f7",), argument="TEXT",
           runs_alone=False),
    Action("preset", "Preset", "Chooses the preset of this session; alone it lists them.", argument="[NAME]"),
    Action("save-preset", "Save as preset", "Saves what this session sends as a preset.", argument="NAME",
           runs_alone=False),
    Action("rename-preset", "Rename a preset", "Gives a preset of your own another name.", argument="OLD NEW",
           runs_alone=False),
    Action("delete-preset", "Delete a preset", "Deletes a preset of your own.", argument="NAME", runs_alone=False),
    Action("restore-preset", "Undo the deletion of a preset", "Brings the preset deleted last back."),
    Action("make-default", "Make these settings the default", "Lets new sessions begin with what this one sets."),
    Action("export", "Export", f"Writes the session to a file: {either(USUAL_ENDINGS)}.", ("f8",), argument="FILE",
           runs_alone=False),
    Action("save-as", "Save as", f"Saves the session into another file, {either(ENDINGS)}, from now on.",
           argument="FILE", runs_alone=False),
    Action("import", "Import", "Opens a copy of a session file.", ("f12",), argument="FILE", runs_alone=False),
    Action("record", "Record a reply",
           "Writes the raw stream of the last reply to a new file, of the next one after next: a bug report.",
           argument="[next] FILE", runs_alone=False),
    Action("theme", "Theme", "Switches the colours, shown as you choose; NAME takes one at once.", ("f9",),
           argument="[NAME]"),
    Action("palette", "Command palette", "Finds an action by its name.", ("ctrl+p",), in_palette=False,
           hint="commands"),
    Action("help", "Help", "Shows what can be done here.", ("f1",), hint="help"),
    Action("quit", "Quit", "Leaves; the draft and a running reply are kept.", ("ctrl+q",), aliases=("exit",)),
    # -- messages
    Action("previous-message", "Previous message", "Moves the message cursor up.", ("up",), Scope.TRANSCRIPT,
           need=Need.SHOWN),
    Action("next-message", "Next message", "Moves the message cursor down.", ("down",), Scope.TRANSCRIPT,
           need=Need.SHOWN),
    Action("first-message", "First message", "Moves the message cursor to the first message.", ("home",),
           Scope.TRANSCRIPT, need=Need.SHOWN),
    Action("last-message", "Last message", "Moves the message cursor to the last message.", ("end",), Scope.TRANSCRIPT,
           need=Need.SHOWN),
    Action("fold-this", "Fold or unfold this reasoning", "Opens or closes the think block of the chosen message.",
           ("space", "enter"), Scope.TRANSCRIPT, need=Need.REASONING, hint="fold"),
    Action("copy", "Copy the message", "Copies the message as it was written; text copies it without its Markdown.",
           ("y",), Scope.TRANSCRIPT, argument="[text]", need=Need.TEXT, hint="copy"),
    Action("copy-code", "Copy a code block", "Copies a code block of the message; several are numbered to choose from.",
           ("Y",), Scope.TRANSCRIPT, argument="[N]", need=Need.CODE, hint="code"),
    Action("open-link", "Open a link", "Opens a link of the message after asking; several are numbered to choose from.",
           ("l",), Scope.TRANSCRIPT, argument="[N]", need=Need.LINK, hint="link"),
    Action("copy-reasoning", "Copy the reasoning", "Copies the reasoning of the message.", ("t",), Scope.TRANSCRIPT,
           need=Need.REASONING),
    Action("edit", "Edit the message",
           "Brings a question or an answer into the composer; sent, it becomes an alternative that goes on.", ("e",),
           Scope.TRANSCRIPT, need=Need.MESSAGE, hint="edit"),
    Action("edit-thinking", "Edit the thinking",
           "Brings the thinking of a reply into the composer; sent, an alternative thinks on from its end.", ("E",),
           Scope.TRANSCRIPT, need=Need.REASONING),
    Action("keep-edit", "Keep the edit", "Keeps the edited reply as an alternative, without going on from it.",
           ("alt+k",), Scope.COMPOSER, need=Need.EDIT, hint="keep"),
    Action("think-longer", "Think longer",
           "Takes the thinking of a reply up again with TEXT (else “Wait,”), in an alternative.", ("w",),
           Scope.TRANSCRIPT, argument="[TEXT]", need=Need.REASONING, waits=True),
    Action("regenerate", "Regenerate",
           "Asks for another reply, or 2 to 4 side by side (request: in one); the old one is kept as an alternative.",
           ("r",), Scope.TRANSCRIPT, argument="[N] [request]", need=Need.MESSAGE, hint="again", waits=True),
    Action("continue", "Continue the reply", "Goes on with a reply exactly where it broke off, in the same message.",
           ("m",), Scope.TRANSCRIPT, need=Need.UNFINISHED, hint="more", hint_goes_first=True,
           waits=True),
    Action("another-answer", "Another answer", "Asks for another answer to the same thinking, which is not paid again.",
           ("a",), Scope.TRANSCRIPT, need=Need.REASONING, waits=True),
    Action("answers", "Several answers to one thought",
           "Asks for 2 to 4 answers to the same thinking (next: about the next question); off takes it back.", ("A",),
           Scope.TRANSCRIPT, argument="N [next] [request]", runs_alone=False),
    Action("check", "Check its form", "Looks whether a reply keeps the form that was asked for.", (), Scope.TRANSCRIPT,
           need=Need.REPLY),
    Action("correct", "Ask for a correction", "Writes what is wrong with its form into the composer, to be sent.",
           ("f",), Scope.TRANSCRIPT, need=Need.REPLY),
    Action("previous-alternative", "Previous alternative", "Shows the alternative before this one.", ("left",),
           Scope.TRANSCRIPT, need=Need.EARLIER, hint="alternative"),
    Action("next-alternative", "Next alternative", "Shows the alternative after this one.", ("right",),
           Scope.TRANSCRIPT, need=Need.LATER, hint="alternative"),
    Action("delete", "Delete the message", "Deletes the message and everything below it.", ("d",), Scope.TRANSCRIPT,
           need=Need.MESSAGE, hint="delete", waits=True),
    Action("undo", "Undo",
           "Takes back what was done to this reply last, your words in it too; else brings back what was deleted.",
           ("u",), Scope.TRANSCRIPT, need=Need.UNDOABLE, hint_goes_first=True, waits=True),
    Action("leave-out", "Leave out of the prompt", "Leaves the message out of the prompt, or takes it in again.",
           ("x",), Scope.TRANSCRIPT, need=Need.MESSAGE, hint="leave out"),
    Action("pin", "Pin the message",
           "Keeps the message in the prompt when old turns are left out (/over-budget keep-pinned), or not any more.",
           ("p",), Scope.TRANSCRIPT, need=Need.MESSAGE),
    Action("show-reasoning", "Show its reasoning", "Shows the reasoning of the message in its pane.", ("o",),
           Scope.TRANSCRIPT, need=Need.REASONING),
    Action("show-request", "Show its exact request", "Shows the exact input that a reply answered.", ("i",),
           Scope.TRANSCRIPT, need=Need.SHOWN),
    Action("type-command", "Type a command", "Goes to the composer with a slash typed; a draft waits behind it.",
           ("/",), Scope.TRANSCRIPT, is_command=False, in_palette=False),
    Action("line-up", "Line up", "Scrolls one line up.", ("k",), Scope.TRANSCRIPT),
    Action("line-down", "Line down", "Scrolls one line down.", ("j",), Scope.TRANSCRIPT),
    Action("previous-heading", "Previous heading", "Goes to the heading before.", ("[",), Scope.TRANSCRIPT),
    Action("next-heading", "Next heading", "Goes to the next heading.", ("]",), Scope.TRANSCRIPT),
    Action("previous-code", "Previous code block", "Goes to the code block before.", ("{",), Scope.TRANSCRIPT),
    Action("next-code", "Next code block", "Goes to the next code block.", ("}",), Scope.TRANSCRIPT),
    Action("previous-hit", "Previous hit", "Goes to the hit before.", ("N",), Scope.TRANSCRIPT, need=Need.FINDING),
    Action("next-hit", "Next hit", "Goes to the next hit.", ("n",), Scope.TRANSCRIPT, need=Need.FINDING),
    Action("select", "Select text", "Begins to select with the arrow keys; y copies, Escape ends it.", ("v",),
           Scope.TRANSCRIPT, need=Need.MESSAGE),
    Action("branch", "Branch into a new session",
           "Goes on in a session of its own, which ends with the message; this one stays as it is.", ("B",),
           Scope.TRANSCRIPT, need=Need.SHOWN),
    Action("name", "Name the branch", "Names the branch that the message is on; alone it takes the name back.", (),
           Scope.TRANSCRIPT, argument="TEXT", need=Need.MESSAGE, runs_alone=False),
    Action("compare", "Compare",
           "Compares a reply or a question with another one, word by word; N M are two of its alternatives.", ("c",),
           Scope.TRANSCRIPT, argument="[N M]", need=Need.SHOWN),
    Action("tokens", "Tokens of a reply",
           "Shows a reply token by token, and how sure each was; c there cuts before one, and goes on.", ("T",),
           Scope.TRANSCRIPT),
    Action("timeline", "Timeline of a reply",
           "Shows when a reply was sent, thought, answered and ended, how fast it came, and where it stalled.", ("I",),
           Scope.TRANSCRIPT),
    # -- inside the panes
    Action("open-session", "Open the session", "Opens the session under the cursor.", ("enter",), Scope.SESSIONS,
           hint="open"),
    Action("rename-session", "Rename", "Gives the session under the cursor another title.", ("r",), Scope.SESSIONS,
           hint="rename"),
    Action("duplicate", "Duplicate the session", "Makes a copy of the session.", ("c",), Scope.SESSIONS,
           hint="duplicate"),
    Action("delete-session", "Delete the session", "Moves the session to the trash.", ("d", "delete"), Scope.SESSIONS,
           hint="delete"),
    Action("restore-session", "Undo the deletion of a session", "Brings the session deleted last back.", ("u",),
           Scope.SESSIONS, hint="undo"),
    Action("filter-sessions", "Filter the sessions", "Shows the sessions whose title fits.", ("/",), Scope.SESSIONS,
           hint="filter"),
    Action("reset-field", "Reset the field", "Takes back what this session sets for the field under the cursor.",
           ("delete", "backspace"), Scope.SETTINGS, hint="reset"),
    Action("unset-field", "Do not send the field", "Leaves the field under the cursor out of the request.", ("u",),
           Scope.SETTINGS, hint="not sent"),
    Action("copy-prompt", "Copy the prompt", "Copies the exact input as text.", ("y",), Scope.PROMPT, hint="copy"),
    Action("copy-body", "Copy the request", "Copies the request's body as JSON.", ("b",), Scope.PROMPT, hint="JSON"),
    Action("copy-curl", "Copy as curl", f"Copies the request as a curl command with ${KEY_VARIABLE}.", ("c",),
           Scope.PROMPT, hint="curl"),
    Action("previous-request", "The request before", "Shows the request sent before this one, of the same reply.",
           ("left",), Scope.PROMPT, hint="earlier"),
    Action("next-request", "The request after", "Shows the request sent after this one, at last the next input.",
           ("right",), Scope.PROMPT, hint="later"),
    Action("edit-input", "Edit this input and send it raw",
           "Edits the input that the pane shows, markers and all, and sends it once as it stands.", ("e",),
           Scope.PROMPT, is_command=False, hint="edit raw", waits=True),
    Action("copy-python", "Copy as Python", f"Copies the request as a Python script that reads ${KEY_VARIABLE}.",
           ("p",), Scope.PROMPT, hint="Python"),
    Action("diff", "Compare with a past request",
           "Shows what differs from the last request; N = the Nth last, or a reply's such as m4.", ("d",), Scope.PROMPT,
           argument="[N]", hint="diff"),
)  # fmt: skip
"""In the order of the help."""

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

COMMANDS: dict[str, Action] = {
    name: action for action in ACTIONS if action.is_command for name in (action.id, *action.aliases)
}
"""Every slash command, aliases included, by its name without the slash."""

KEY_NAMES = {
    "ctrl": "Ctrl",
    "shift": "Shift",
    "alt": "Alt",
    "enter": "Enter",
    "escape": "Escape",
    "space": "Space",
    "tab": "Tab",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "delete": "Del",
    "backspace": "Backspace",
}


def key_label(key: str) -> str:
    """Write a key as people do: "ctrl+home" → "Ctrl+Home", "y" → "y", "f2" → "F2"."""
    *modifiers, last = key.split("+")
    is_letter = len(last) == 1 and not modifiers
    shown = last if is_letter else KEY_NAMES.get(last, last.upper())
    return "+".join([*(KEY_NAMES.get(part, part.title()) for part in modifiers), shown])
