"""Settings in layers, what the pane shows of them, how they change; keys, actions and themes as values.

May import every other package of `core` but `markdown`.
"""
