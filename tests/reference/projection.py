"""Deviations of projections by definition, in float64."""

import numpy as np


def deviations(projections, locations, scales):
    """|z - m| / s, directions along the rows of `projections`."""
    z, m, s = (np.asarray(part, dtype=np.float64) for part in (projections, locations, scales))
    return np.abs(z - m[:, None]) / s[:, None]


def products(directions, columns):
    """Directions times columns, in float64."""
    return np.einsum("kj,ji->ki", directions.astype(np.float64), columns.astype(np.float64))


def panels(rows):
    """Rows as panels of 256: entry (p, 256 j + i) is feature j of row 256 p + i, with zeros behind both."""
    n_samples, n_features = rows.shape
    out = np.zeros((-(-n_samples // 256), -(-max(n_features, 1) // 5) * 5, 256), rows.dtype)
    for row in range(n_samples):
        out[row // 256, :n_features, row % 256] = rows[row]
    return out.reshape(len(out), -1)


def lines(directions):
    """Directions with zeros behind: a multiple of four of a multiple of five features."""
    n_directions, n_features = directions.shape
    return np.pad(directions, ((0, -n_directions % 4), (0, -n_features % 5)))


def outlyingness(rows, directions, locations, scales, aggregation):
    """Outlyingness of rows over an (n_directions, n_samples) table."""
    table = deviations(directions.astype(np.float64) @ rows.T.astype(np.float64), locations, scales)
    if aggregation == "mean":
        return table.mean(axis=0)
    if aggregation == "max":
        return table.max(axis=0)
    return np.sort(table, axis=0)[-max(1, round(0.05 * len(table))) :].mean(axis=0)
