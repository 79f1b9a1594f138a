"""The endpoint over HTTP, the way there, and what stands in its place, also as a server: the simulator, a recording."""
