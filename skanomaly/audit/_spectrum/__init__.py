"""Eigenvalues of a covariance matrix where the columns have no structure."""
