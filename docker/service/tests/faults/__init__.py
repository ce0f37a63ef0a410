"""Kills parts of the service while clients use it, and proves that nobody noticed.

    python -m tests.faults [--trials N] [--only 1 3 ...]

Numbers are those of the operations document's list of fault tests.
"""
