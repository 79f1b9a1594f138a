"""The command palette's lines, read from the registry of actions."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from kimi_tui.core.actions import ACTIONS, Action, Scope, key_label

SCOPES = (Scope.SCREEN, *(scope for scope in Scope if scope not in {Scope.SCREEN, Scope.COMPOSER}), Scope.COMPOSER)
"""Places in the order of the palette: what is done anywhere first, what a key of the composer does last."""


class ActionProvider(Provider):
    """Offers every action; one that needs an argument is put into the composer to be completed."""

    async def discover(self) -> Hits:
        """Offer all of them before anything is typed."""
        for action in sorted(ACTIONS, key=lambda action: SCOPES.index(action.scope)):
            if action.in_palette:
                yield DiscoveryHit(_label(action), partial(self._choose, action), help=action.help)

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
    key = f"  ({key_label(action.keys[0])})" if action.keys else ""
    return f"{action.title}{key}"
