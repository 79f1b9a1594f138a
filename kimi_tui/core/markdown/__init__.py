"""Replies as blocks of Markdown that grow at the end only.

The way of a text: `chunked_text`, which is what others use, has it cut into chunks (`cutting`, which knows all places
and sizes) and each of them parsed when it is looked at. `source` parses a chunk while it grows, by `blocks` (with the
`rules` and `fences` that CommonMark lacks), and `block_parts` parts what is long. Text inside a block is parsed by
`inline` (with `emphasis` and `math_text`) when the block is laid out. Beside that way stand `links`, `details` and
`table_source`, which read what the parser leaves as it stands or does not read fast enough.

May import `core.text`.
"""
