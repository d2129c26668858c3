"""Deviations of projections by definition, in float64."""

import numpy as np


def deviations(projections, locations, scales):
    """|z - m| / s, directions along the rows of `projections`."""
    z, m, s = (np.asarray(part, dtype=np.float64) for part in (projections, locations, scales))
    return np.abs(z - m[:, None]) / s[:, None]


def products(directions, columns):
    """Directions times columns, in float64."""
    return np.einsum("kj,ji->ki", directions.astype(np.float64), columns.astype(np.float64))


def outlyingness(rows, directions, locations, scales, aggregation):
    """Outlyingness of rows over an (n_directions, n_samples) table."""
    table = deviations(directions.astype(np.float64) @ rows.T.astype(np.float64), locations, scales)
    if aggregation == "mean":
        return table.mean(axis=0)
    if aggregation == "max":
        return table.max(axis=0)
    return np.sort(table, axis=0)[-max(1, round(0.05 * len(table))) :].mean(axis=0)
