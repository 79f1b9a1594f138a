"""The command palette's lines, read from the registry of actions."""

from __future__ import annotations

from functools import partial
from typing import Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider

from kimi_tui.core.actions import ACTIONS, Action, Need, Scope, key_label
from kimi_tui.ui.situation import refusal

SCOPES = (Scope.SCREEN, *(scope for scope in Scope if scope not in {Scope.SCREEN, Scope.COMPOSER}), Scope.COMPOSER)
"""Places in the order of the palette: what is done anywhere first, what a key of the composer does last."""


@runtime_checkable
class Offering(Protocol):
    """A screen that knows what there is for actions to work on."""

    def offers(self) -> set[Need]:
        """Say what there is."""


class ActionProvider(Provider):
    """Offers every action; one that needs an argument is put into the composer to be completed."""

    async def discover(self) -> Hits:
        """Offer all of them before anything is typed."""
        offered = self.screen.offers() if isinstance(self.screen, Offering) else set()
        for action in sorted(ACTIONS, key=lambda action: (bool(refusal(action, offered)), SCOPES.index(action.scope))):
            if action.in_palette:
                words = refusal(action, offered).partition(": ")[2]
                help_ = f"{action.help} (Now {words})" if words else action.help
                yield DiscoveryHit(_label(action), partial(self._choose, action), help=help_)

    async def search(self, query: str) -> Hits:
        """Offer those whose title or id fits."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            if not action.in_palette:
                continue
            label = _label(action)
            if (score := max(matcher.match(label), matcher.match(action.id))) > 0:
                yield Hit(score, matcher.highlight(label), partial(self._choose, action), help=action.help)

    async def _choose(self, action: Action) -> None:
        await self.screen.run_action(f"choose({action.id!r})")


def _label(action: Action) -> str:
    ways = [*(key_label(key) for key in action.keys[:1]), *([f"/{action.id}"] if action.is_command else [])]
    return f"{action.title}  ({', '.join(ways)})" if ways else action.title
