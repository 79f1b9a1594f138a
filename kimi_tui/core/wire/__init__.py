"""What goes to the endpoint and what comes back: fields, body, event stream, think splitting, retry, errors.

May import `core.text`, `core.session` and `core.prompt`.
"""
