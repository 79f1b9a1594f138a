"""A conversation, its reasoning or its prompt as cached lines behind one widget. Imports state, text and core.

The way of a text to the screen, one module for each step:

1. `ui.state.entry`: the values that are shown, one for each message or notice; `entry_list` has them by their keys.
2. `item`: an entry and its layout, in four *sections* (`pieces.Section`): heading, reasoning, body, end.
3. `section_layout`: the text of a section is a `core.markdown.chunked_text`, cut into *chunks* of bounded length, each
   parsed to *blocks* only when it is looked at. A *piece* is a block as it is shown: one of Markdown, a part of a
   long one, or some lines of plain text, with its *lines* once it is laid out.
4. `layout` (with `table_layout`, `highlight`, `ui.text.role_styles`) makes lines of a block at a width, `entry_chrome`
   and `prompt_lines` of what is no Markdown; `lines` wraps them.
5. `viewport`: which lines are in view, by an anchor and an index of `heights`; `lru_cache` drops what lies far away.
   `view`: the rows that this makes, found anew only when something is different.
6. `painter`: a line, its marks and the `scrollbar` as a row of the screen.

What can be done with it stands beside that way, each part with one subject: `folds`, `cursor` (the chosen message),
`jumps` (to headings and code), `code_blocks`, `search` (with its index of `hits`), `selection` (a `selection_range`,
whose text `copying` makes) and `mouse_selection`. A part is given the entries and the view; it is told by an
`EntriesChange` where its entries went, and puts its marks on the rows. They meet in `transcript_widget`, the library's
side: it draws, hands keys and mouse to the parts, and posts what they tell.

What keeps it fast: a flush costs O(log n) in entries and pieces, whatever stands above; only what is in view is
parsed, laid out and painted; a row that did not change is the same strip.
"""
