"""Locations and scales of projections, and outlyingness against them, block by block."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import map_blocks, row_blocks

__all__ = ["column_medians", "fit_projections", "score_projections", "settle_scales", "weighted_medians"]

# Fixed functions of nothing: the bits of a score must not depend on the number of threads.
FIT_DIRECTIONS = 16
SCORE_DIRECTIONS = 32
SCORE_ROWS = 1024
TOP_SHARE = 0.05
# Median over mean absolute deviation of a Gaussian.
MEAN_TO_MEDIAN = 1.2533141373155001 / 1.482602218505602


def weighted_medians(values: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[Any]:
    """Median of each row; a whole weight counts as that many repetitions.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
    weights : ndarray of shape (n_values,) or None
        Above 0.

    Returns
    -------
    ndarray of shape (n_rows,)
        The smallest value up to which half the weight lies, averaged with the next where it is exactly half.
    """
    if weights is None:
        return np.asarray(np.median(values, axis=1))
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1)
    half = 0.5 * reached[:, -1:]
    lower = np.take_along_axis(order, (reached >= half).argmax(axis=1)[:, None], axis=1)
    upper = np.take_along_axis(order, (reached > half).argmax(axis=1)[:, None], axis=1)
    middle = np.take_along_axis(values, lower, axis=1) + np.take_along_axis(values, upper, axis=1)
    return np.asarray(middle[:, 0] * values.dtype.type(0.5))


def column_medians(rows: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Median of each column, in float64."""
    columns = [weighted_medians(np.ascontiguousarray(rows[:, [column]].T), weights) for column in range(rows.shape[1])]
    return np.concatenate(columns).astype(np.float64)


def fit_projections(
    rows: NDArray[Any], weights: NDArray[np.float64] | None, directions: NDArray[Any], n_jobs: int | None
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Median and median absolute deviation of the rows along each direction.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        Centred.
    weights : ndarray of shape (n_samples,) or None
    directions : ndarray of shape (n_directions, n_features)
    n_jobs : int or None

    Returns
    -------
    locations, scales : ndarray of shape (n_directions,)
        Where the median absolute deviation is 0, the mean absolute deviation stands in for it, in its units.
    n_degenerate : int
        Number of directions where it does.
    """

    def fit_block(block: slice) -> tuple[NDArray[Any], NDArray[Any], int]:
        projections = directions[block] @ rows.T
        locations = weighted_medians(projections, weights)
        deviations = np.abs(projections - locations[:, None])
        scales = weighted_medians(deviations, weights)
        flat = scales == 0
        if flat.any():
            scales[flat] = np.average(deviations[flat], axis=1, weights=weights) * MEAN_TO_MEDIAN
        return locations, scales, int(flat.sum())

    parts = map_blocks(fit_block, row_blocks(len(directions), FIT_DIRECTIONS), n_jobs=n_jobs)
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        sum(part[2] for part in parts),
    )


def score_projections(
    rows: NDArray[Any],
    center: NDArray[np.float64],
    directions: NDArray[Any],
    locations: NDArray[Any],
    scales: NDArray[Any],
    aggregation: str,
    n_jobs: int | None,
) -> NDArray[np.float64]:
    """Outlyingness of rows: least over the modes of the aggregate over the directions.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        Not centred.
    center : ndarray of shape (n_features,)
        Subtracted in float64 before anything is rounded to the type of `rows`.
    directions : ndarray of shape (n_directions, n_features)
        In the type of `rows`, as are `locations` and `scales`.
    locations, scales : ndarray of shape (n_modes, n_directions)
    aggregation : {"mean", "max", "top"}
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_samples,), float64
    """
    n_directions = len(directions)
    n_top = max(1, round(TOP_SHARE * n_directions))

    def score_block(block: slice) -> NDArray[np.float64]:
        projections = (rows[block] - center).astype(rows.dtype) @ directions.T
        least = np.full(len(projections), np.finfo(np.float64).max)
        for location, scale in zip(locations, scales, strict=True):
            deviations = np.abs(projections - location) / scale
            if aggregation == "max":
                outlyingness = deviations.max(axis=1).astype(np.float64)
            elif aggregation == "mean":
                outlyingness = deviations.mean(axis=1, dtype=np.float64)
            else:
                deviations.partition(n_directions - n_top, axis=1)
                outlyingness = deviations[:, n_directions - n_top :].mean(axis=1, dtype=np.float64)
            np.minimum(least, outlyingness, out=least)
        return least

    return np.concatenate(map_blocks(score_block, row_blocks(len(rows), SCORE_ROWS), n_jobs=n_jobs))


def settle_scales(scales: NDArray[Any], center: NDArray[np.float64]) -> NDArray[Any]:
    """Give directions along which all rows coincide the smallest scale that rounding of `center` can resolve.

    Rows equal to the training rows then score 0 and any other row scores high but finite.
    """
    resolution = np.finfo(scales.dtype).eps * (np.abs(center).max() or 1.0)
    return np.where(scales > 0, scales, scales.dtype.type(resolution))
