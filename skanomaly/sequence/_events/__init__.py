"""Event traces: counts, short runs, contexts, and code length."""
