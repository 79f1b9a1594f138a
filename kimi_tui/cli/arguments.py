"""What the command line may say: options, subcommands, and the words that explain them.

Two rules of argparse need care. A subcommand's default overwrites what stood before it, so global options are known
to every parser with `default=SUPPRESS` and get their defaults at the end. And an option whose value may be left out
takes the next word, whatever it is: `-r` before a subcommand and `-x` before the prompt are looked at first.
"""

from __future__ import annotations

import argparse
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from kimi_tui import __version__
from kimi_tui.core.errors import UsageError

GLOBAL_DEFAULTS: Mapping[str, object] = {
    "demo": False,
    "resume": None,
    "config": None,
    "data_dir": None,
    "base_url": None,
    "model": None,
    "theme": None,
}
NAMED: Mapping[str, str] = {
    "resume": "-r names no session.",
    "config": "--config names no file.",
    "data_dir": "--data-dir names no folder.",
    "base_url": "--base-url names no address.",
    "model": "--model names no model.",
    "theme": "--theme names no theme.",
    "preset": "--preset names no preset.",
    "schema": "--schema names no file.",
    "output": "-o names no file.",
    "record": "--record names no file.",
    "replay": "--replay names no file.",
    "count": "-n says no number.",
}
"""Every option that has to name something, with what is said when it is given an empty value."""
LATEST = True
"""Value of `resume` for `-r` alone; a string names a session, None = not given."""
COMMANDS: Mapping[str, str] = {
    "ask": "one turn without a screen",
    "prompt": "print the exact input of the next turn",
    "sessions": "list, show, check, repair, export, import, convert, delete and restore sessions",
    "config": "where the config lies, what is in it, what is wrong with it",
    "demo-server": "serve the offline simulator over HTTP on this machine",
    "replay": "show a recorded reply on the screen once more, at its own pace; nothing is saved",
}
SESSION_HELP = "id, the beginning of one, title or file"
_OPTION = re.compile(r"-(?!\d+$|\d*\.\d+$).")
"""How an option begins; a negative number is none."""
MAX_PORT = 65535
MAX_RATE = 1_000_000
MIN_SPEED, MAX_SPEED = 0.1, 1000


class _Parser(argparse.ArgumentParser):
    """A parser that never guesses what an option was meant to be, and leaves the talking to the caller.

    What it knows is filled in when it is asked: to make the options of every subcommand takes longer than many run.
    """

    def __init__(self, *, fill: Callable[[argparse.ArgumentParser], None] | None = None, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self._fill = fill

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        fill, self._fill = self._fill, None
        if fill is not None:
            _add_global_options(self)
            fill(self)
        self._refuse_unknown_option(args or ())
        return super().parse_known_args(args, namespace)

    def _refuse_unknown_option(self, argv: Sequence[str]) -> None:
        """Name an option that is none: argparse would take what stands behind it for something else, and name that."""
        known = self._option_string_actions
        below = (action.choices or () for action in self._actions if action.nargs == argparse.PARSER)
        commands = set(itertools.chain.from_iterable(below))
        for word in itertools.takewhile(lambda word: word != "--" and word not in commands, argv):
            name = word.partition("=")[0]
            is_option = _OPTION.match(word) and " " not in word  # as argparse tells one from a text or a number
            if is_option and name not in known and (name.startswith("--") or name[:2] not in known):
                raise self._unknown_option(name)

    def _unknown_option(self, name: str) -> UsageError:
        from kimi_tui.core.text.nearest import nearest
        from kimi_tui.core.text.quoting import shortened

        everything = f"`{self.prog} --help` lists what there is."
        names = [
            option[2:]
            for option, action in self._option_string_actions.items()
            if option.startswith("--") and action.help != argparse.SUPPRESS
        ]
        near = nearest(name.lstrip("-"), names, everything)
        hint = everything if near == everything else f"Did you mean --{near.replace(' or ', ' or --')}? {everything}"
        return UsageError(f"Unknown option {shortened(name)}.", hint)

    def format_help(self) -> str:
        """Write the help; a value that may be left out stands behind `=`, since the next word is not taken for one."""
        return super().format_help().replace(" [=", "[=")

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing and exiting."""
        raise UsageError(message[:1].upper() + message[1:] + ".", f"`{self.prog} --help` lists what there is.")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Understand the words after the program's name.

    The namespace has every global option, `command` (None = the full screen) and that command's own options.

    Raises:
        UsageError: It asks for something that cannot be.
        SystemExit: It asked for help or the version, which are printed.
    """
    words = _with_plain_extract(argv)
    _refuse_swallowed_command(words)
    options, rest = build_parser().parse_known_args(words)
    if rest and isinstance(getattr(options, "files", None), list) and not any(word.startswith("-") for word in rest):
        options.files += rest  # argparse ends a list of files at the first option after it
        rest = []
    if rest:
        raise UsageError(
            f"Not understood: {' '.join(rest)}.",
            "A text of several words needs quotes." if options.command == "ask" else _where_to_look(options),
        )
    for name, default in GLOBAL_DEFAULTS.items():
        if not hasattr(options, name):
            setattr(options, name, default)
    if options.resume is not None and options.command is not None:
        raise _resume_is_for_the_screen()
    for name, refusal in NAMED.items():
        if getattr(options, name, None) == "":
            hint = "`-r` alone resumes the latest one." if name == "resume" else "Leave the option out instead."
            raise UsageError(refusal, hint)
    return options


def _where_to_look(options: argparse.Namespace) -> str:
    names = (options.command, getattr(options, "action", None))
    return f"`{' '.join(('kimi-tui', *filter(None, names)))} --help` lists what there is."


def _with_plain_extract(argv: Sequence[str]) -> list[str]:
    """Keep `-x` from taking the prompt as its value: only `=` gives it one."""
    end = argv.index("--") if "--" in argv else len(argv)
    return [*("--extract=first" if word in {"-x", "--extract"} else word for word in argv[:end]), *argv[end:]]


def _refuse_swallowed_command(argv: Sequence[str]) -> None:
    """See that `-r` before a subcommand's name does not take it as a session's."""
    for word, following in itertools.pairwise(argv):
        if word == "--":
            return
        if word in {"-r", "--resume"} and following in COMMANDS:
            raise _resume_is_for_the_screen()


def _resume_is_for_the_screen() -> UsageError:
    return UsageError(
        "-r resumes a session on the screen and goes with no subcommand.",
        "`-r=NAME` names a session that is called like one; `ask` has --session.",
    )


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kimi-tui",
        description="A full-screen chat for Kimi-K2.5. Without a subcommand it opens the screen.",
        epilog="The key is read from DEEPINFRA_TOKEN. `--demo` needs no key and no network.",
    )
    _add_global_options(parser, is_screen=True)
    parser.add_argument("--version", action="version", version=f"kimi-tui {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser, prog=parser.prog)
    fillers = (_add_ask, _add_prompt, _add_sessions, _add_config, _add_demo_server, _add_replay)
    for (name, help_), fill in zip(COMMANDS.items(), fillers, strict=True):
        commands.add_parser(name, help=help_, description=_sentence(help_), fill=fill)
    return parser


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _add_global_options(parser: argparse.ArgumentParser, *, is_screen: bool = False) -> None:
    """Make the options that may stand anywhere known to a parser; `-r` is explained where it may be used."""
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "--demo", action="store_true", default=argparse.SUPPRESS, help="talk with the offline simulator: no key needed"
    )
    group.add_argument(
        "-r",
        "--resume",
        nargs="?",
        const=LATEST,
        default=argparse.SUPPRESS,
        metavar="SESSION",
        help=f"resume the latest session, or one by {SESSION_HELP}" if is_screen else argparse.SUPPRESS,
    )
    for flags, metavar, help_ in (
        (("-c", "--config"), "FILE", "instead of the default config file"),
        (("--data-dir",), "DIR", "instead of the default data folder"),
        (("--base-url",), "URL", "the endpoint is URL/MODEL"),
        (("--model",), "NAME", "instead of the config's model"),
        (("--theme",), "NAME", "a theme file's name without .toml"),
    ):
        group.add_argument(*flags, metavar=metavar, default=argparse.SUPPRESS, help=help_)


def _add_ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="the question; piped standard input follows it")
    add = parser.add_argument
    add("-s", "--system", metavar="TEXT", help='the system prompt; "" = none')
    add("--session", metavar="SESSION", help=f"continue and save a session: {SESSION_HELP}")
    add(
        "--continue",
        dest="goes_on",
        action="store_true",
        help="go on with the last reply, of --session or the latest one, where it broke off; no PROMPT",
    )
    add(
        "--thinking-budget",
        metavar="N|Ns",
        help="end the thinking after N tokens, or N seconds, and let the answer follow; off = no limit",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--prefill", metavar="TEXT", help="the answer begins so; nothing is thought")
    start.add_argument("--think-prefill", metavar="TEXT", help="the thinking begins so")
    add("--save", action="store_true", help="keep the turn as a new session")
    add("--no-think", action="store_true", help="answer at once (instant mode)")
    add("--set", action="append", default=[], metavar="FIELD=VALUE", help="a request field; empty = not sent")
    add("--preset", metavar="NAME", help="recommended, endpoint, or one of the config's")
    add("--show-reasoning", action="store_true", help="reasoning to standard error")
    add("--record", metavar="FILE", help="write the raw stream, without the key, into a new file: for bug reports")
    add("-n", dest="count", metavar="N", help="how many replies, 1-4")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one object at the end")
    output.add_argument("--stream-json", action="store_true", help="one event a line")
    output.add_argument(
        "-x",
        "--extract",
        nargs="?",
        choices=("first", "last"),
        metavar="=last",
        help="only the first, or last, fenced code block",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--schema", metavar="FILE", help="hold the answer to a JSON schema")
    form.add_argument("--regex", metavar="R", help="hold the answer to a regular expression")
    form.add_argument("--json-object", action="store_true", help="hold the answer to a JSON object")


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, TEMPLATES
    from kimi_tui.core.text.quoting import either

    names = [f"{name} (the default)" if it is DEFAULT_TEMPLATE else name for name, it in TEMPLATES.items()]
    parser.epilog = (
        "The role names ChatMessageRole.USER and ChatMessageRole.SYSTEM are meant so: "
        "the endpoint's own reference writes them; --template kimi has the model's plain ones."
    )
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SESSION|FILE|-",
        help='a session, its file, or a list of {"role", "content"} as JSON or JSON Lines; - reads it from '
        "standard input; without it the latest session",
    )
    parser.add_argument("--no-think", action="store_true", help="as in instant mode")
    parser.add_argument("--template", metavar="NAME", help=either(names))


def _add_actions(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[_Parser]:
    # Named here, since argparse would lay out a usage line to find the name.
    return parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser, prog=parser.prog)


def _add_sessions(parser: argparse.ArgumentParser) -> None:
    from kimi_tui.core.prompt.export_forms import EXPORT_FORMS
    from kimi_tui.core.session.file_formats import FORMATS, IMPORTED
    from kimi_tui.core.text.quoting import either

    actions = _add_actions(parser)

    def action(name: str, help_: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=help_, description=_sentence(help_))
        _add_global_options(made)
        return made

    action("list", "list all, the latest first").add_argument("--json", action="store_true", help="as a JSON list")
    action("show", "print a session's conversation").add_argument("session", metavar="SESSION", help=SESSION_HELP)
    path = action("path", "print where a session's file, or the folder of all of them, lies")
    path.add_argument("session", nargs="?", metavar="SESSION", help=SESSION_HELP)
    check = action("check", "say what is wrong with sessions that cannot be read or continued")
    check.add_argument("files", nargs="*", default=[], metavar="SESSION|FILE", help="all of them when left out")
    export = action("export", "write a session in another form")
    export.add_argument("session", metavar="SESSION", help=SESSION_HELP)
    export.add_argument(
        "--format",
        choices=tuple(EXPORT_FORMS),
        help="what FILE's ending says, else markdown",
    )
    export.add_argument(
        "-o", "--output", metavar="FILE", help="instead of standard output; replaces a file, but never a session"
    )
    import_ = action("import", "save copies of session files, or of lists of messages")
    import_.add_argument("files", nargs="+", metavar="FILE", help=either([f"FILE{ending}" for ending in IMPORTED]))
    repair = action("repair", "write a whole copy of what can be read of a damaged session; FILE stays as it is")
    repair.add_argument("file", metavar="FILE", help="a session file, or a copy beside one; nothing is changed in it")
    endings = either([form.ending for form in FORMATS.values()])
    repair.add_argument("-o", "--output", metavar="NEW", required=True, help=f"a new file: {endings}")
    titles = either([form.title for form in FORMATS.values()])
    convert = action("convert", f"rewrite a session as {titles}; a file elsewhere gets one beside it")
    convert.add_argument("session", metavar="SESSION|FILE", help=SESSION_HELP)
    convert.add_argument("--to", required=True, choices=tuple(FORMATS), help="the form it gets")
    action("delete", "move a session to the trash").add_argument("session", metavar="SESSION", help=SESSION_HELP)
    restore = action("restore", "bring a session back from the trash to where it lay")
    restore.add_argument(
        "session",
        nargs="?",
        metavar="SESSION",
        help="its id, the beginning of one, or title; all are listed without it",
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    actions = _add_actions(parser)
    for name, help_ in (
        ("path", "print where the config file lies"),
        ("init", "write a config file that names every key and its default, none of them set"),
        ("check", "list everything that is wrong"),
        ("show", "print every value and where it comes from"),
    ):
        made = actions.add_parser(name, help=help_, description=_sentence(help_))
        _add_global_options(made)
        if name == "show":
            made.add_argument("--json", action="store_true", help="as a JSON object")


def _add_demo_server(parser: argparse.ArgumentParser) -> None:
    from kimi_tui.core.wire.dialects import DEFAULT_DIALECT

    parser.epilog = (
        "It prints its address, which can be used as --base-url as it is; "
        f"programs written for the endpoint find it at ADDRESS{DEFAULT_DIALECT.twin.shown_path}."
    )
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="0, the default, takes any free one")
    parser.add_argument(
        "--rate",
        type=_number_in(0, MAX_RATE),
        default=60.0,
        metavar="TOKENS_PER_S",
        help="the pace (default 60; 0 = at once)",
    )
    parser.add_argument("--replay", metavar="FILE", help="answer with what a recording holds, whatever is asked")
    _add_speed(parser)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "`kimi-tui ask --record FILE` and /record FILE on the screen write recordings."
    parser.add_argument("file", metavar="FILE", help="a recording")
    _add_speed(parser)


def _add_speed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed",
        type=_number_in(MIN_SPEED, MAX_SPEED),
        default=1.0,
        metavar="X",
        help="a recording so many times as fast (default 1)",
    )


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT)) else -1
    if not 0 <= port <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"found {text!r}, allowed a whole number in [0, {MAX_PORT}]")
    return port


def _number_in(least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"found {text!r}, allowed a number in [{least}, {most}]")
        return value

    return number
