"""Messages and their tree, how they stand in a file, and lists of sessions.

May import `core.text`.
"""
