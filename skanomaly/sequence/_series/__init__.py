"""Detectors of odd moments in one series."""
