"""The command palette's lines, read from the registry of actions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from kimi_tui.core.settings.action_search import rank, spans
from kimi_tui.core.settings.actions import ACTIONS, BY_ID, Action, Need, Scope, key_label
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.commands.situation import refusal

SCOPES = (Scope.SCREEN, *(scope for scope in Scope if scope not in {Scope.SCREEN, Scope.COMPOSER}), Scope.COMPOSER)
"""In the order of the palette: what is done anywhere first, what a key of the composer does last."""
NOTHING_FITS = "No action fits."
NOTHING_FITS_HELP = "Enter opens the help, which can be searched too."


@runtime_checkable
class Offering(Protocol):
    keymap: KeyTable

    def offers(self) -> set[Need]: ...


class ActionProvider(Provider):
    """One that needs an argument is put into the composer to be completed."""

    async def discover(self) -> Hits:
        for action, words in self._actions():
            yield DiscoveryHit(Content(self._label(action)), partial(self._choose, action), help=words)

    async def search(self, query: str) -> Hits:
        """Those whose words fit; where none does, a line that says so."""
        is_found = False
        style = self.matcher(query).match_style
        for action, words in self._actions():
            labels = self._key_labels(action)
            if (score := rank(action, query, labels)) > 0:
                is_found = True
                label = Content(text := self._label(action))
                for start, end in spans(text, query):
                    label = label.stylize(style, start, end)
                yield Hit(score, label, partial(self._choose, action), text, words)
        if not is_found:
            text = NOTHING_FITS
            yield Hit(1, Content(text), partial(self._choose, BY_ID["help"]), text, NOTHING_FITS_HELP)

    def _actions(self) -> Sequence[tuple[Action, str]]:
        """Each with what it does; what can be done now comes first."""
        offered = self.screen.offers() if isinstance(self.screen, Offering) else set[Need]()
        listed = [(action, refusal(action, offered)) for action in ACTIONS if action.in_palette]
        listed.sort(key=lambda pair: (bool(pair[1]), SCOPES.index(pair[0].scope)))
        whys = [(action, why.partition(": ")[2]) for action, why in listed]
        return [(action, f"{action.help} (Now {why})" if why else action.help) for action, why in whys]

    async def _choose(self, action: Action) -> None:
        await self.screen.run_action(f"choose({action.id!r})")

    def _key_labels(self, action: Action) -> Sequence[str]:
        keys = self.screen.keymap.keys[action.id] if isinstance(self.screen, Offering) else action.keys
        return [key_label(key) for key in keys]

    def _label(self, action: Action) -> str:
        ways = [*self._key_labels(action)[:1], *([f"/{action.id}"] if action.is_command else [])]
        return f"{action.title}  ({', '.join(ways)})" if ways else action.title
