"""The world: network, disk, environment. Adapters decide nothing that `core` can decide."""
