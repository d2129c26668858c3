"""Interpolation between rows of a class."""
