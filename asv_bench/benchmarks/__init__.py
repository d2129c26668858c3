"""Benchmarks by room; peers run beside ours in the same session."""
