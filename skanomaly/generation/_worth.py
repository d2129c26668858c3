"""What noisy rows are worth."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, validate_params
from skanomaly._support._validation import check_numbers

__all__ = ["data_price_curve", "sample_worth"]


def sample_worth(noise_var: Any, signal_var: Any, *, parameter: str = "mean") -> Any:
    r"""Compute how many clean rows a noisy row is worth for estimating a Gaussian.

    Parameters
    ----------
    noise_var : float or array-like
        Variance of the noise :math:`s^2`.
    signal_var : float or array-like
        Variance of the clean values :math:`\sigma^2`; above 0.
    parameter : {"mean", "variance"}, default="mean"
        What is estimated.

    Returns
    -------
    float or ndarray
        Ratio of the Fisher information of a noisy row to that of a clean one: :math:`\sigma^2 / (\sigma^2 + s^2)` for
        the mean, its square for the variance.

    Raises
    ------
    ValueError
        If a variance is negative, `signal_var` is 0, or `parameter` is another word.

    Examples
    --------
    >>> from skanomaly.generation import sample_worth
    >>> sample_worth(1.0, 1.0)
    0.5
    >>> sample_worth(1.0, 1.0, parameter="variance")
    0.25
    """
    noise, signal = np.asarray(noise_var, dtype=np.float64), np.asarray(signal_var, dtype=np.float64)
    if parameter not in {"mean", "variance"}:
        raise ValueError(f"parameter={parameter!r} is not 'mean' or 'variance'.")
    if (noise < 0).any() or not (signal > 0).all():
        raise ValueError("noise_var must be at least 0 and signal_var above 0; both are variances.")
    worth = signal / (signal + noise)
    worth = np.square(worth) if parameter == "variance" else worth
    return worth if worth.ndim else float(worth)


@validate_params(
    {
        "estimator": [HasMethods("fit")],
        "X": ["array-like"],
        "noise_var": ["array-like"],
        "metric": [callable],
        "n_clean": ["array-like"],
        "n_noisy": ["array-like"],
        "n_repeats": [int],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def data_price_curve(
    estimator: Any,
    X: Any,
    noise_var: Any,
    *,
    metric: Callable[[Any], float],
    n_clean: Sequence[int],
    n_noisy: Sequence[int],
    n_repeats: int = 5,
    random_state: Any = None,
) -> pd.DataFrame:
    """Measure how many noisy rows replace one clean row.

    The estimator is fitted to clean rows alone, in growing numbers, and to the smallest number of clean rows with
    growing numbers of noisy ones. A mixed training table is worth the number of clean rows at which the first curve has
    its error.

    Parameters
    ----------
    estimator : estimator whose `fit` takes ``noise_var``
        For example :class:`NoiseAwareMixture`; cloned.
    X : array-like of shape (n_samples, n_features)
    noise_var : array-like of shape (n_samples,)
        Variance of the noise in each row. The rows with the smallest variance are the clean ones.
    metric : callable
        ``metric(fitted)`` is the error of a fitted estimator, lower is better: for example the distance of its means
        from known ones, or minus the mean of ``score_samples`` of held-out clean rows, plus a constant so that it is
        above 0.
    n_clean : sequence of int
        Numbers of clean rows, ascending, at least two.
    n_noisy : sequence of int
        Numbers of noisy rows added to ``n_clean[0]`` clean ones.
    n_repeats : int, default=5
        Draws of the rows; errors are medians over them.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.

    Returns
    -------
    DataFrame
        A row for each training table, with the columns `n_clean`, `n_noisy`, `error`, `clean_equivalent` (number of
        clean rows with the same error, interpolated on logarithmic axes; NaN beyond the largest number tried) and
        `price` (noisy rows for each clean row that they replace; NaN without noisy rows, infinite where they replace
        none).

    Raises
    ------
    ValueError
        If there are fewer clean or noisy rows than asked for, or an error is not above 0.

    References
    ----------
    .. [1] G. Daras, Y. Cherapanamjeri and C. Daskalakis, "How Much is a Noisy Image Worth? Data Scaling Laws for
       Ambient Diffusion", ICLR 2025. arXiv:2411.02780.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import NoiseAwareMixture, data_price_curve
    >>> random = np.random.default_rng(0)
    >>> noise_var = np.repeat([0.0, 1.0], [400, 2000])
    >>> X = random.normal(size=(2400, 1)) * np.sqrt(1 + noise_var)[:, None]
    >>> curve = data_price_curve(
    ...     NoiseAwareMixture(random_state=0),
    ...     X,
    ...     noise_var,
    ...     metric=lambda fitted: abs(fitted.means_[0, 0]),
    ...     n_clean=[50, 100, 200],
    ...     n_noisy=[200],
    ...     n_repeats=20,
    ...     random_state=0,
    ... )
    >>> curve[["n_clean", "n_noisy"]].values.tolist()
    [[50, 0], [100, 0], [200, 0], [50, 200]]
    """
    rows = check_numbers(X, "X")
    noise = np.asarray(noise_var, dtype=np.float64)
    if noise.shape != (len(rows),):
        raise ValueError(f"noise_var has shape {noise.shape}; give one variance for each of the {len(rows)} rows.")
    clean, noisy = np.flatnonzero(noise == noise.min()), np.flatnonzero(noise > noise.min())
    sizes = [int(size) for size in n_clean]
    added = [int(size) for size in n_noisy]
    if len(sizes) < 2 or sorted(set(sizes)) != sizes or sizes[0] < 2:
        raise ValueError(f"n_clean={list(n_clean)} must hold at least two ascending numbers from 2 upwards.")
    if sizes[-1] > len(clean) or max(added, default=0) > len(noisy):
        raise ValueError(
            f"X has {len(clean)} clean rows (smallest noise_var) and {len(noisy)} noisy ones, fewer than n_clean or "
            "n_noisy ask for."
        )
    random = generator(random_state)
    cases = [(size, 0) for size in sizes] + [(sizes[0], size) for size in added]
    errors = np.empty((n_repeats, len(cases)))
    for repeat in range(n_repeats):
        order, noisy_order = random.permutation(clean), random.permutation(noisy)
        for place, (n_first, n_second) in enumerate(cases):
            chosen = np.concatenate([order[:n_first], noisy_order[:n_second]])
            errors[repeat, place] = metric(clone(estimator).fit(rows[chosen], noise_var=noise[chosen]))
    found = np.median(errors, axis=0)
    if not (found > 0).all():
        raise ValueError("metric must return errors above 0; add a constant to a score.")
    equivalent = _equivalents(np.array(sizes), found[: len(sizes)], found)
    equivalent[: len(sizes)] = sizes
    gained = equivalent - np.array([size for size, _ in cases])
    n_added = np.array([size for _, size in cases], dtype=np.float64)
    price = np.full(len(cases), np.nan)
    mixed = n_added > 0
    price[mixed] = np.where(gained[mixed] > 0, n_added[mixed] / np.where(gained[mixed] > 0, gained[mixed], 1), np.inf)
    price[np.isnan(equivalent)] = np.nan
    return pd.DataFrame(
        {
            "n_clean": [size for size, _ in cases],
            "n_noisy": [size for _, size in cases],
            "error": found,
            "clean_equivalent": equivalent,
            "price": price,
        }
    )


def _equivalents(sizes: NDArray[np.intp], curve: NDArray[np.float64], errors: NDArray[np.float64]) -> Any:
    """Numbers of clean rows with these errors, on the falling envelope of the curve."""
    envelope = np.minimum.accumulate(curve)
    logs = np.interp(-np.log(errors), -np.log(envelope), np.log(sizes), right=np.nan)
    return np.exp(logs)
