"""Keys: from a key to an action, in the order in which they came."""
