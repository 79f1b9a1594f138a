"""The settings of one session, each edited in place: request fields, mode, preset and system prompt.

May import what `panes` may, but neither `engine` nor `ui.state`: it is given values, and calls `ask`.
"""
