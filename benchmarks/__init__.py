"""Measures Matinee against its peers, each pair in one run: ``python -m benchmarks``."""
