"""The application and its chat screen: everything on screen, plugged together.

May import `core`, `engine` and all of `ui`; nothing imports it but `cli`.
"""
