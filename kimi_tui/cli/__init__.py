"""The command line: arguments, exit statuses, and the wiring of everything else."""
