"""A conversation, its reasoning or its prompt as cached lines behind one widget.

The way of a text to the screen, one module for each step:

1. `ui.state.entry`: the values that are shown, one for each message or notice.
2. `item`: an entry and its layout, in four *sections* (`pieces.Section`): heading, reasoning, body, end.
3. `section_layout`: the text of a section is a `core.markdown.chunked_text`, cut into *chunks* of bounded length, each
   parsed to *blocks* only when it is looked at. A *piece* is a block as it is shown: one of Markdown, a part of a
   long one, or some lines of plain text, with its *lines* once it is laid out.
4. `layout` (with `table_layout`, `highlight`, `styles`) makes lines of a block at a width, `entry_chrome` and
   `prompt_lines` of what is no Markdown; `lines` wraps them.
5. `viewport`: which lines are in view, by an anchor and an index of `heights`; `lru_cache` drops what lies far away.
6. `painter`: a line, its marks and the `scrollbar` as a row of the screen.

The widget is built in layers, each a class with one subject that knows those below it alone: `entry_rows` (entries in,
rows out, scrolling), `cursor` (the chosen message, headings, code), `match_layer` (the search, whose decisions are in
`search`), `selecting` (the selection, whose arithmetic is in `selection` and whose text is made by `copying`), and
`transcript_widget` (wheel, clicks, the scroll bar).

What keeps it fast: a flush costs O(log n) in entries and pieces, whatever stands above; only what is in view is
parsed, laid out and painted; a row that did not change is the same strip.
"""
