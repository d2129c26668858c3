"""Taking rows away, and chains of samplers."""
