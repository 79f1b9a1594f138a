"""The world: network, disk, environment. Adapters decide nothing that `core` can decide.

May import `core`; each package says which modules beside it, and no package imports another.
"""
