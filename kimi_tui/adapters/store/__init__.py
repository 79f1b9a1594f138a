"""Sessions as files: read, written, listed, locked, moved, deleted and brought back.

May import `core`, `adapters.child_process`, `adapters.files` and `adapters.ids`.
"""
