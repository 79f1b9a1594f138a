"""The panes: each widget, and what feeds it and does what it asks for.

May import `core`, `engine`, and of `ui` `text`, `state`, `keys`, `widgets`, `transcript`.
"""
