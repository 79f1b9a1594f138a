"""What actions do, by subject: each module gives rows, from an action's id to what does it, for the dispatcher's table.

A command is handed what it needs: widgets, values, callables. May import `core`, `engine`, and all of `ui` but `app`.
"""
