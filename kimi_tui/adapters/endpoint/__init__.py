"""The endpoint over HTTP, the way there, and what stands in its place: the simulator or a recording, also as a server."""
