"""Everything that can be decided without touching the world: values and pure functions."""
