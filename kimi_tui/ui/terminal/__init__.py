"""The terminal itself: what it can show, its driver, what it sends, and what happens when it is gone."""
