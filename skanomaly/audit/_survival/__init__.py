"""Durations that may be censored: tests and comparisons."""
