"""The door to the screen: foreign text made safe, cut to cells; colours, glyphs, themes, figures in words."""
