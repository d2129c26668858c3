"""Detectors of anomalous time points in one series."""
