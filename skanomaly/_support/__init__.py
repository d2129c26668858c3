"""Plumbing that all modules share: validation, row blocks, seeds, optional imports, deprecation."""
