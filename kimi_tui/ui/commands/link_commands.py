"""Opening links of a message: one is chosen, its whole address shown, and only then a program asked to open it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.core.markdown.links import Link
from kimi_tui.core.session.session import Message
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.web_address import AddressError, WebAddress, web_address
from kimi_tui.ui.state.callbacks import Push, Remark, RunLater, Say
from kimi_tui.ui.state.services import LinkOpener
from kimi_tui.ui.transcript.transcript_widget import Transcript


@dataclass(eq=False)
class LinkCommands:
    transcript: Transcript
    message: Callable[[], Message]  # gives the chosen message, or the last; raises UsageError where there is none
    opener: LinkOpener | None
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    run_later: RunLater
    push: Push
    say: Say
    remark: Remark

    def open_link(self, argument: str) -> None:
        """Several links are numbered to choose from."""
        links, word = self.transcript.links.of(self.message().id), argument.strip()
        if not word and len(links) > 1:
            self._choose(links)
            return
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0 if word else 1
        if not 1 <= number <= len(links):
            raise UsageError(f"The message has {counted(len(links), 'link')}; /open-link takes the number of one.")
        self.ask(links[number - 1].target)

    def _choose(self, links: Sequence[Link]) -> None:
        from kimi_tui.ui.screens.link_screens import LinkChoice  # noqa: PLC0415 - most commands do not need it

        def chosen(number: int | None) -> None:
            if number is not None:
                self.ask(links[number - 1].target)

        self.push(LinkChoice(links), chosen)

    def ask(self, target: str) -> None:
        """Show where a link goes, whatever it is, and ask; one that may not be opened can be copied."""
        from kimi_tui.ui.screens.link_screens import LinkAction, LinkScreen, RefusedLinkScreen  # noqa: PLC0415

        def chosen(action: LinkAction | None) -> None:
            if action is LinkAction.OPEN and not isinstance(found, AddressError):
                self.run_later(self._open(found), keys_wait=False)
            elif action is LinkAction.COPY:
                self.copy(target if isinstance(found, AddressError) else found.text, "The address")

        found = _address(target)
        screen = RefusedLinkScreen(target, found) if isinstance(found, AddressError) else LinkScreen(found)
        self.push(screen, chosen)

    async def _open(self, address: WebAddress) -> None:
        program = await self.opener.open(address.text) if self.opener is not None else ""
        if program:
            self.remark(f"Given to {program}: {address.host}", f"Given to {program}")
            return
        self.copy(address.text, "The address")
        words = f"No program here could open the link; its address is copied: {address.text}"
        self.say(words, "warning", about="opening a link")


def _address(target: str) -> WebAddress | AddressError:
    try:
        return web_address(target)
    except AddressError as error:
        return error
