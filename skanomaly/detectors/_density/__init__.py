"""Detectors that fit a density to the normal rows."""
