"""Keys: from a key to an action, in the order in which they came.

May import `core.settings`, where the actions and their keys are.
"""
