"""The endpoint over HTTP, the way there, and what stands in its place: simulator or recording, also as a server.

May import `core` and `adapters.clock`.
"""
