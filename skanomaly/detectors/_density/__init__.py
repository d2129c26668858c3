"""Density: how far out a row lies under a model of the normal rows."""
