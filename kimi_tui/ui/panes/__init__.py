"""The panes: each widget, and what feeds it and does what it asks for."""
