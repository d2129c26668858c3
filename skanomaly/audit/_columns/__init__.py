"""Tests that compare two samples column by column."""
