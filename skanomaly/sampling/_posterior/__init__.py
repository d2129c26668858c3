"""The worth of auxiliary anomalies."""
