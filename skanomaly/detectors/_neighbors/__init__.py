"""Neighbours: how far a row lies from the normal rows nearest to it."""
