"""Combinations of detectors of different kinds."""
