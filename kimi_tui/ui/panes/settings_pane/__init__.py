"""The settings of one session, each edited in place: request fields, mode, preset and system prompt."""
