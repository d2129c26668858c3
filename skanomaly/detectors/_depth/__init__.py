"""Detectors that compute the depth of a row in the training data."""
