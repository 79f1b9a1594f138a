"""Our own benchmarks: `python -m tests.benchmarks [NAME …]`.

Every line compares two things of one run on one machine, in seconds of processor time; absolute times hold nowhere else.
"""
