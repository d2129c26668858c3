"""More rows than expected: counts, and searches in a window."""
