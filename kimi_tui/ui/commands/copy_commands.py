"""Commands that take something out of a message: its text, its code, its reasoning, its links.

A link is opened once its whole address was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.screen import Screen

from kimi_tui.core.errors import UsageError
from kimi_tui.core.markdown.links import Link
from kimi_tui.core.ports import LinkOpener
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.web_address import AddressError, WebAddress, web_address
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.state.callbacks import Choose, Push, Remark, RunLater, Say
from kimi_tui.ui.transcript.transcript_widget import Transcript


@dataclass(eq=False)
class CopyCommands:
    target: Target
    transcript: Transcript
    opener: LinkOpener | None
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    run_later: RunLater
    choose: Choose
    push: Push
    say: Say
    remark: Remark

    def rows(self) -> Rows:
        return {
            "copy": self._copy,
            "copy-code": self._copy_code,
            "copy-reasoning": self._copy_reasoning,
            "open-link": self._open_link,
        }

    def _copy(self, argument: str) -> None:
        """Copy what is selected, else the message as it was written, or (with "text") without its Markdown."""
        word = argument.strip().lower()
        if word not in {"", "text", "markdown"}:
            raise UsageError(f"/copy takes text or markdown, not {argument.strip()!r}.")
        if not word and (selected := self.transcript.selection.text()):
            self.copy(selected, "The selection")
            self.transcript.screen.clear_selection()
            return
        message = self.target.on_screen()
        if not message.content:
            raise UsageError("There is no text to copy in this message.")
        text = self.transcript.plain_text_of(message.id) if word == "text" else message.content
        self.copy(text, "The message")

    def _copy_code(self, argument: str) -> None:
        """Several blocks are numbered to choose from."""
        message = self.target.message()
        blocks = self.transcript.code.sources(message.id)
        if not argument.strip() and len(blocks) > 1:
            self._choose_code(message.id, blocks)
        else:
            self.copy(blocks[_place(argument, len(blocks), "code block", "copy-code")], "The code block")

    def _choose_code(self, key: str, blocks: Sequence[str]) -> None:
        """The blocks are numbered on screen meanwhile."""
        from kimi_tui.ui.screens.choice import NumberScreen  # noqa: PLC0415 - most commands do not need it

        def chosen(number: int | None) -> None:
            self.transcript.code.hide_numbers()
            if number is not None:
                self.copy(blocks[number - 1], f"Code block {number}")

        self.transcript.code.show_numbers(key)
        above = self.transcript.code.count_above(key)
        question = f"Which code block? {above} above the view" if above else "Which code block?"
        self.push(NumberScreen(question, len(blocks)), chosen)

    def _copy_reasoning(self) -> None:
        reasoning = self.target.on_screen().reasoning
        if not reasoning:
            raise UsageError("This message has no reasoning.")
        self.copy(reasoning, "The reasoning")

    def _open_link(self, argument: str) -> None:
        """Several links are numbered to choose from."""
        links = self.transcript.links.of(self.target.message().id)
        if not argument.strip() and len(links) > 1:
            self._choose_link(links)
        else:
            self.ask_to_open(links[_place(argument, len(links), "link", "open-link")].target)

    def _choose_link(self, links: Sequence[Link]) -> None:
        from kimi_tui.ui.screens.link_screens import LinkChoice  # noqa: PLC0415 - most commands do not need it

        self.choose(LinkChoice(links), lambda number: self.ask_to_open(links[number - 1].target))

    def ask_to_open(self, target: str) -> None:
        """Show where a link goes, whatever it is, and ask; one that may not be opened can be copied."""
        # Most sessions open no link.
        from kimi_tui.ui.screens.link_screens import LinkAction, LinkScreen, RefusedLinkScreen  # noqa: PLC0415

        address: WebAddress | None = None
        try:
            address = web_address(target)
            screen: Screen[LinkAction] = LinkScreen(address)
        except AddressError as error:
            screen = RefusedLinkScreen(target, error)

        def chosen(action: LinkAction) -> None:
            if action is LinkAction.OPEN and address is not None:
                self.run_later(self._open(address), keys_wait=False)
            elif action is LinkAction.COPY:
                self.copy(target if address is None else address.text, "The address")

        self.choose(screen, chosen)

    async def _open(self, address: WebAddress) -> None:
        program = await self.opener.open(address.text) if self.opener is not None else ""
        if program:
            self.remark(f"Given to {program}: {address.host}", f"Given to {program}")
            return
        self.copy(address.text, "The address")
        words = f"No program here could open the link; its address is copied: {address.text}"
        self.say(words, "warning", about="opening a link")


def _place(argument: str, count: int, what: str, command: str) -> int:
    """Of the one that a number from 1 names, or of the first; raises UsageError where there is none."""
    word = argument.strip()
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0 if word else 1
    if not 1 <= number <= count:
        raise UsageError(f"The message has {counted(count, what)}; /{command} takes the number of one.")
    return number - 1
