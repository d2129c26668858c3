"""Isolation trees: how few random splits part a row from the others."""
