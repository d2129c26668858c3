"""Detectors and synthetic anomalies for collections of series."""
