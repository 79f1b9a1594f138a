"""Replies as blocks of Markdown that grow at the end only.

`chunked_text` is what others use: a text of any length in chunks. `cutting` says where a chunk ends and under which
first lines the next one goes on. `source` parses a chunk while it grows, `blocks` (with `rules`, `fences` and
`math_markup`) any text at once; `block_parts` parts what is long, `half_line` says what the end may yet become. Text
inside a block is parsed by `inline` (with `emphasis` and `math_text`) when the block is laid out.

May import `core.text`.
"""
