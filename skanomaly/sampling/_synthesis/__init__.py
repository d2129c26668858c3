"""Anomalies made from normal rows."""
