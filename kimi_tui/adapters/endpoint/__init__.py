"""The endpoint over HTTP, the way there, and the simulator in its place, behind the client or as a server."""
