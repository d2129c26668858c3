"""Benchmarks by module; those of other packages run in the same session."""
