"""The exact input: template, neutralising, turns of a branch, past inputs, their size, and documents of a branch.

May import `core.text` and `core.session`.
"""
