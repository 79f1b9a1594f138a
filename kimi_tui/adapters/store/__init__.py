"""Sessions as files: read, written, listed, locked, moved, deleted and brought back.

May import `core`, `adapters.files` and `adapters.ids`.
"""
