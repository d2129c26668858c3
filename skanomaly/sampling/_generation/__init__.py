"""Rows of low density."""
