"""What goes to an endpoint and what comes back: fields, dialects, body, event stream, think splitting, retry, errors.

May import `core.text`, `core.session` and `core.prompt`.
"""
