"""What actions do: one method per action, named by the registry, in the module of its subject.

Each class works on a `Desk`; nothing here knows the screen's widgets beyond the transcript.
"""
