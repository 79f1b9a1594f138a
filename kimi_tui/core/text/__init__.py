"""Texts made safe to show, quoted, counted, held while they grow; known names that are like a wrong one.

May import no other package.
"""
