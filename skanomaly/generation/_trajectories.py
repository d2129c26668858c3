"""Which generated rows to keep: those whose predictions settle, and those that lie on the data."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skanomaly._support._columns import in_order_of
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._rows import take_rows
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly._support._validation import check_numbers
from skanomaly._support._widths import local_scale

__all__ = ["filter_samples", "interpolation_score", "trajectory_variance"]


@validate_params(
    {"predictions": ["array-like"], "window_size": [Interval(Real, 0, 1, closed="right")]},
    prefer_skip_nested_validation=True,
)
def trajectory_variance(predictions: Any, *, window_size: float = 0.05) -> NDArray[np.float64]:
    """Compute how much the predicted clean row still changes in the last steps.

    Parameters
    ----------
    predictions : array-like of shape (n_samples, n_steps, n_features)
        Predicted clean rows, first step to last, of any iterative generator or imputer.
    window_size : float in (0, 1], default=0.05
        Fraction of the steps that count, the last ones; at least two steps. The window matters: with 10 % or more the
        changes of all rows hide those of the rows between modes.

    Returns
    -------
    ndarray of shape (n_samples,)
        Variance over the steps, mean over the columns. Large where a row jumps between modes.

    Raises
    ------
    ValueError
        If there are fewer than two steps.

    References
    ----------
    .. [1] S. K. Aithal, P. Maini, Z. C. Lipton and J. Z. Kolter, "Understanding Hallucinations in Diffusion Models
       through Mode Interpolation", NeurIPS 2024, section 5. arXiv:2406.09358.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import trajectory_variance
    >>> steady, jumping = np.ones((100, 1)), np.repeat([[0.0], [2.0]], [98, 2], axis=0)
    >>> trajectory_variance([steady, jumping]).round(2)
    array([0.  , 0.96])
    """
    steps = check_array(predictions, allow_nd=True, ensure_2d=False, dtype=np.float64, input_name="predictions")
    if steps.ndim != 3 or steps.shape[1] < 2:
        raise ValueError(
            f"predictions has shape {steps.shape}; give (n_samples, n_steps, n_features) with at least 2 steps."
        )
    n_last = min(steps.shape[1], max(2, round(window_size * steps.shape[1])))
    return np.asarray(np.var(steps[:, -n_last:], axis=1).mean(axis=1))


@validate_params(
    {
        "X": ["array-like"],
        "predictions": ["array-like"],
        "keep": [Interval(Real, 0, 1, closed="right")],
        "window_size": [Interval(Real, 0, 1, closed="right")],
    },
    prefer_skip_nested_validation=True,
)
def filter_samples(X: Any, predictions: Any, *, keep: float = 0.96, window_size: float = 0.05) -> Any:
    """Keep the generated rows whose predictions change least in the last steps.

    A learnt denoiser is smooth and puts a few rows between modes; such rows jump between predictions until the end.
    Exact denoisers put no rows there, and the filter then removes ordinary rows.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        Generated rows.
    predictions : array-like of shape (n_samples, n_steps, n_features)
        As in :func:`trajectory_variance`.
    keep : float in (0, 1], default=0.96
        Fraction of rows kept, rounded up.
    window_size : float in (0, 1], default=0.05
        Fraction of the steps that count.

    Returns
    -------
    same kind as `X`, of shape (n_kept, n_features)
        In the order of `X`.

    Raises
    ------
    ValueError
        If `X` and `predictions` have different numbers of rows.

    References
    ----------
    .. [1] S. K. Aithal, P. Maini, Z. C. Lipton and J. Z. Kolter, "Understanding Hallucinations in Diffusion Models
       through Mode Interpolation", NeurIPS 2024. arXiv:2406.09358.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import filter_samples
    >>> predictions = np.ones((25, 100, 1))
    >>> predictions[7, -2:] = 3.0  # row 7 jumps at the end
    >>> rows = filter_samples(np.arange(25).reshape(-1, 1), predictions)
    >>> len(rows), 7 in rows
    (24, False)
    """
    variances = trajectory_variance(predictions, window_size=window_size)
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows != len(variances):
        raise ValueError(f"X has {n_rows} rows and predictions {len(variances)}; give one trajectory for each row.")
    n_kept = int(np.ceil(keep * n_rows - 1e-9))
    return take_rows(X, np.sort(np.argsort(variances, kind="stable")[:n_kept]))


def interpolation_score(X: Any, X_real: Any) -> NDArray[np.float64]:
    """Compute the distance of each generated row from the real rows, relative to the distance between these.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Generated rows.
    X_real : array-like of shape (n_real, n_features)
        Real rows, at least three.

    Returns
    -------
    ndarray of shape (n_samples,)
        Distance to the nearest real row over the distance from there to the nearest other real row, in units of the
        differences between neighbours. About 1 for new real rows; far above 1 between modes or off the data; near 0 for
        near-copies of a real row.

    Raises
    ------
    ValueError
        On missing values or different numbers of columns.

    Examples
    --------
    >>> from skanomaly.generation import interpolation_score
    >>> interpolation_score([[0.001], [5.0]], [[0.0], [1.0], [2.0], [9.0], [10.0]]).round(1)
    array([0., 3.])
    """
    real = check_numbers(X_real, "X_real", min_samples=3)
    rows = check_numbers(in_order_of(X, X_real, other="X_real"), "X")
    if rows.shape[1] != real.shape[1]:
        raise ValueError(f"X has {rows.shape[1]} columns and X_real {real.shape[1]}; give the same columns.")
    scale = local_scale(real)
    rows, real = rows / scale, np.unique(real / scale, axis=0)
    if len(real) < 2:
        raise ValueError("The rows of X_real are all equal, so there is no distance between them.")
    distances, places = nearest_neighbors(real, rows, n_neighbors=1)
    spacing, _ = nearest_neighbors(real, n_neighbors=1, exclude="self")
    return np.asarray(distances[:, 0] / spacing[places[:, 0], 0])
