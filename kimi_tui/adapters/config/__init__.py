"""What the user set: the config file, `saved.toml`, the API key, themes, and where they lie.

May import `core`, `adapters.child_environ`, `adapters.child_process` and `adapters.files`.
"""
