"""What a model leaks, learns wrongly, or is fed."""
