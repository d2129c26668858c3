"""Detectors that compare a row with its nearest training rows."""
