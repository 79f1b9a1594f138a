"""The terminal itself: what it can show, its driver, what it sends, and what happens when it is gone.

May import `ui.text`. What of Textual is not public is used in `textual_internals` alone.
"""
