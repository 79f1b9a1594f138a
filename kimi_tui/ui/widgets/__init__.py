"""Editors, lists, bars and frames that panes and screens are made of.

Each is given values and posts what the user did. May import `core`, and of `ui` `text`, `terminal`, `state`, `keys`.
"""
