"""The full-screen program. Textual is imported here and nowhere else; the world is reached through `core.ports`.

May import `core` and `engine`. Its packages, each of which may import those before it: `text`, `terminal`, `state`,
`keys`, `widgets`, `transcript`, `panes`, `screens`, `commands`, `app`.
"""
