"""The exact input: templates, neutralising, the open turn, prompts written and read, their size; documents of a branch.

May import `core.text` and `core.session`.
"""
