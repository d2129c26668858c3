"""Encoders of windows, and detectors on their embeddings."""
