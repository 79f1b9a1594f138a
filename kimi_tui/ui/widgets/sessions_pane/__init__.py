"""The sessions pane: choose, filter, rename, copy and delete sessions.

`pane` takes the keys and says what the user asked for, `row_list` draws the rows in view and moves the cursor,
`fit` cuts foreign text to a width. Files are others' business: the pane shows what it is given.
"""
