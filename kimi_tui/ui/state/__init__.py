"""What is open, what grows, what is typed, and what is said of it: values, no widgets.

May import `core`, `engine` and `ui.text`.
"""
