from __future__ import annotations

import pytest

from kimi_tui import __version__
from kimi_tui.cli.arguments import COMMANDS, LATEST, parse_arguments
from kimi_tui.core.errors import UsageError
from tests.cli.calls import call

GLOBALS = ["--demo", "-c", "FILE", "--data-dir", "DIR", "--base-url", "URL", "--model", "NAME", "--theme", "T"]


@pytest.mark.parametrize(
    "words", [["ask", "hello"], ["prompt", "-"], ["sessions", "list"], ["config", "path"], ["demo-server"]]
)
def test_global_options_mean_the_same_everywhere(words: list[str]) -> None:
    before = parse_arguments([*GLOBALS, *words])
    assert parse_arguments([*words, *GLOBALS]) == before
    assert parse_arguments([words[0], *GLOBALS, *words[1:]]) == before
    assert (before.demo, before.config, before.data_dir, before.base_url) == (True, "FILE", "DIR", "URL")


def test_a_subcommand_does_not_reset_what_stood_before_it() -> None:
    options = parse_arguments(["--model", "a", "sessions", "list", "--json"])
    assert options.model == "a"
    assert parse_arguments(["--model", "a", "ask", "x", "--model", "b"]).model == "b"


def test_global_options_have_defaults() -> None:
    options = parse_arguments([])
    assert (options.command, options.demo, options.resume, options.config) == (None, False, None, None)


@pytest.mark.parametrize(
    ("words", "resume"),
    [
        (["-r"], LATEST),
        (["--resume"], LATEST),
        (["-r", "--demo"], LATEST),
        (["-r", "lamb"], "lamb"),
        (["-rlamb"], "lamb"),
        (["-r=ask"], "ask"),
        (["--resume=sessions"], "sessions"),
        (["--demo", "-r", "two words"], "two words"),
    ],
)
def test_resume(words: list[str], resume: object) -> None:
    options = parse_arguments(words)
    assert options.resume == resume
    assert options.command is None


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("words", [["-r"], ["--resume"], ["-r", "lamb"], ["-r=lamb"]])
def test_resume_goes_with_no_subcommand(words: list[str], name: str) -> None:
    rest = {"ask": ["hi"], "sessions": ["list"], "config": ["path"], "replay": ["x"]}.get(name, [])
    for argv in ([*words, name, *rest], [name, *rest, *words]):
        with pytest.raises(UsageError) as caught:
            parse_arguments(argv)
        assert "-r=NAME" in caught.value.hint


def test_an_empty_name_resumes_nothing() -> None:
    with pytest.raises(UsageError):
        parse_arguments(["-r="])


@pytest.mark.parametrize(
    ("words", "extract", "prompt"),
    [
        (["-x", "hi"], "first", "hi"),
        (["hi", "--extract"], "first", "hi"),
        (["-x=last", "hi"], "last", "hi"),
        (["--extract=last", "hi"], "last", "hi"),
        (["--", "-x"], None, "-x"),
    ],
)
def test_extract_does_not_swallow_the_prompt(words: list[str], extract: str | None, prompt: str) -> None:
    options = parse_arguments(["ask", *words])
    assert (options.extract, options.prompt) == (extract, prompt)


def test_files_may_stand_around_options() -> None:
    assert parse_arguments(["sessions", "import", "a", "--demo", "b", "c"]).files == ["a", "b", "c"]
    assert parse_arguments(["sessions", "check", "--demo", "a"]).files == ["a"]
    assert parse_arguments(["sessions", "check"]).files == []


@pytest.mark.parametrize(
    "words",
    [
        ["--dialect", "openai"],
        ["--mod", "x"],
        ["ask", "hi", "--js"],
        ["ask", "hi", "--prefill", "x"],
        ["ask", "hi", "--think-prefill", "x"],
        ["ask", "hi", "--thinking-budget", "5"],
        ["ask", "--continue"],
        ["ask", "hi", "--record", "f"],
        ["ask", "two", "words"],
        ["ask", "hi", "--json", "--stream-json"],
        ["ask", "hi", "--json", "-x"],
        ["ask", "hi", "--extract=middle"],
        ["ask", "hi", "--regex", "a", "--json-object"],
        ["ask", "hi", "--schema", "f", "--regex", "a"],
        ["doctor"],
        ["replay", "f"],
        ["usage"],
        ["sessions"],
        ["sessions", "search", "x"],
        ["sessions", "import"],
        ["sessions", "convert", "x"],
        ["sessions", "convert", "x", "--to", "yaml"],
        ["sessions", "export", "x", "--format", "html"],
        ["config"],
        ["config", "edit"],
        ["demo-server", "--port", "65536"],
        ["demo-server", "--port", "-1"],
        ["demo-server", "--rate", "-1"],
        ["demo-server", "--rate", "nan"],
        ["unknown"],
        ["--data-dir"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_refused(words: list[str]) -> None:
    result = call(*words)
    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("kimi-tui: ")
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["ask", "hi", "--js"], ""),
        (["ask", "--extract=middle"], "kimi-tui ask --help"),
        (["sessions", "show", "x", "--js"], "kimi-tui sessions show --help"),
        (["sessions", "nothing"], "kimi-tui sessions --help"),
        (["config", "path", "--js"], "kimi-tui config path --help"),
    ],
)
def test_a_refusal_says_whose_help_to_read(words: list[str], place: str) -> None:
    assert place in call(*words).err


def test_help_shows_a_value_that_needs_its_sign() -> None:
    text = call("ask", "--help").out
    assert "-x[=last], --extract[=last]" in text
    assert "[=last]" not in text.replace("-x[=last]", "").replace("--extract[=last]", "")


def test_version_and_help() -> None:
    version = call("--version")
    assert (version.status, version.out) == (0, f"kimi-tui {__version__}\n")
    for words in ([], ["ask"], ["prompt"], ["sessions"], ["sessions", "export"], ["config"], ["demo-server"]):
        result = call(*words, "--help")
        assert result.status == 0
        assert result.out.startswith("usage: kimi-tui")
        assert result.err == ""


@pytest.mark.parametrize(
    ("words", "option", "hint"),
    [
        (["--budget", "5"], "--budget", "`kimi-tui --help`"),
        (["--dem"], "--dem", "Did you mean --demo?"),
        (["--data=x", "ask", "hi"], "--data", "Did you mean --data-dir?"),
        (["-q"], "-q", "`kimi-tui --help`"),
        (["ask", "--budget", "5", "hi"], "--budget", "`kimi-tui ask --help`"),
        (["ask", "hi", "--no-thinking"], "--no-thinking", "Did you mean --no-think or --thinking-budget?"),
        (["ask", "hi", "--jsn"], "--jsn", "Did you mean --json"),
        (["ask", "hi", "--reason"], "--reason", "Did you mean --show-reasoning?"),
        (["sessions", "--jsn", "list"], "--jsn", "`kimi-tui sessions --help`"),
        (["sessions", "list", "--jsn"], "--jsn", "Did you mean --json?"),
        (["sessions", "export", "x", "--formt", "text"], "--formt", "Did you mean --format?"),
        (["sessions", "import", "a.toml", "--overwrite"], "--overwrite", "`kimi-tui sessions import --help`"),
        (["config", "show", "--jsno"], "--jsno", "Did you mean --json?"),
        (["demo-server", "--prot", "8000"], "--prot", "Did you mean --port?"),
        (["--" + "x" * 500], "--" + "x" * 57 + "…", "`kimi-tui --help`"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest(words: list[str], option: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_arguments(words)
    assert caught.value.summary == f"Unknown option {option}."
    assert hint in caught.value.hint
    assert "quotes" not in caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "-q is no option"], ["ask", "--", "--budget"], ["ask", "-5"], ["ask", "hi", "--set", "seed=-1"],
        ["ask", "hi", "-sShort."], ["ask", "hi", "-n2"], ["-cFILE", "-rlamb"], ["ask", "-"], ["prompt", "-"],
    ],
)  # fmt: skip
def test_what_only_looks_like_an_option_is_none(words: list[str]) -> None:
    parse_arguments(words)


def test_a_text_of_several_words_needs_quotes() -> None:
    with pytest.raises(UsageError) as caught:
        parse_arguments(["ask", "two", "words"])
    assert "quotes" in caught.value.hint
