"""The door to the screen: foreign text made safe, cut to cells; colours, glyphs, themes, figures in words.

May import `core`, and no other package of `ui`.
"""
