"""Depth: how far out a row lies, seen along many directions."""
