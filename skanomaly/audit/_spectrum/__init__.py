"""Eigenvalues of covariance matrices, compared with those of uncorrelated columns."""
