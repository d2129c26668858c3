"""Encoders of windows, and what is odd among their embeddings."""
