"""The full-screen program. Textual is imported here and nowhere else."""
