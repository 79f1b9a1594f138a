"""What lies above the conversation until it is left: dialogs, comparisons, the tree, tokens, help.

Each is given what it shows, and is left with what was chosen. May import `core`, and of `ui` `text`, `state`, `keys`,
`widgets`, `transcript`, `panes`.
"""
