"""Markdown of replies as blocks that grow at the end: rules, inline text, lists, tables, math, where it is cut.

May import `core.text`.
"""
