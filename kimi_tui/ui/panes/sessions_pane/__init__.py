"""The sessions pane: choose, filter, rename, copy and delete sessions.

`sessions_widget` takes the keys and says what the user asked for, `session_rows` draws the rows in view and moves the
cursor, `ui.text.fit` cuts foreign text to a width. Files are others' business: the pane shows what it is given.
May import what `panes` may, but neither `engine` nor `ui.state`.
"""
