"""Plumbing that every room shares: validation, row blocks, seeds, optional imports, deprecation."""
