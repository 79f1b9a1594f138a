"""Texts made safe to show, quoted, counted; known names that are like a wrong one.

May import no other package.
"""
