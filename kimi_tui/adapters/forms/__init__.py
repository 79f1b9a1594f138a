"""Whether answers keep the form that was asked for. Schemas and patterns of others run in a process of their own.

May import `core`, `adapters.child_process` and `adapters.files`.
"""
