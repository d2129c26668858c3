"""Detectors of rows from a domain that is not that of the training data."""
