"""Model collapse: generators fitted to generated rows."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance
from sklearn.base import clone

from skanomaly._support._scales import SafeRange, column_scale
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions, validate_params
from skanomaly._support._tables import read_numbers

__all__ = ["collapse_variance", "recursive_generation"]

Table = NDArray[np.float64]
_TAIL = 0.01


@validate_params(
    {
        "X": ["array-like"],
        "generator": [
            StrOptions({"gaussian", "bootstrap"}),
            Interval(Real, 0, None, closed="neither"),
            HasMethods("fit"),
        ],
        "n_generations": [Interval(Integral, 1, None, closed="left")],
        "keep_real": [Interval(Real, 0, 1, closed="both")],
        "accumulate": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def recursive_generation(
    X: Any,
    generator: Any = "gaussian",
    *,
    n_generations: int = 20,
    keep_real: float = 0.0,
    accumulate: bool = False,
    random_state: Any = None,
) -> pd.DataFrame:
    """Repeatedly fit a generator to its own output, and measure the loss of variance, tails and distinct rows.

    Use it before training on synthetic rows: it shows after how many generations the tails are lost, and which fraction
    of real rows keeps them.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Real rows; each generation has as many.
    generator : {"gaussian", "bootstrap"}, float, or estimator with `fit` and `sample`, default="gaussian"
        "gaussian" fits mean and covariance by maximum likelihood, "bootstrap" draws rows with replacement. A number is
        a kernel density of that width, in standard deviations of the columns of each generation. An estimator, such as
        :class:`MixtureDenoiser` or scikit-learn's `GaussianMixture`, is cloned and fitted to each generation.
    n_generations : int, default=20
    keep_real : float in [0, 1], default=0.0
        Fraction of each generation that is drawn from the real rows.
    accumulate : bool, default=False
        Whether a generator is fitted to the rows of all earlier generations instead of the last one.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    DataFrame
        A row for each generation, from 0 (the real rows), with the columns `generation`, `variance` (mean over the
        columns, in units of the real variance), `squared_shift` (of the mean, in the same units), `distinct_rows`,
        `tail_fraction` (values beyond the 1 % and 99 % quantiles of the real ones; 0.02 at first) and `wasserstein`
        (mean distance of the columns, in standard deviations).

    Raises
    ------
    ValueError
        On missing values or fewer than three rows.

    See Also
    --------
    collapse_variance : The expected variance, in closed form.

    References
    ----------
    .. [1] A. Borji, "A Note on Shumailov et al. (2024): 'AI Models Collapse When Trained on Recursively Generated
       Data'", 2024. arXiv:2410.12954.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import recursive_generation
    >>> X = np.random.default_rng(0).normal(size=(100, 1))
    >>> history = recursive_generation(X, "bootstrap", n_generations=30, random_state=0)
    >>> history.distinct_rows.iloc[[0, 10, 30]].tolist()
    [100, 19, 7]
    """
    real = read_numbers(X, min_samples=3)
    real = SafeRange(real, rescale="none").apply(real)
    random = np.random.Generator(np.random.PCG64(draw_seed(random_state)))
    scale = np.asarray(column_scale(real))
    tails = np.quantile(real, [_TAIL, 1 - _TAIL], axis=0)
    rows, pool = real, real
    history = [_measured(0, rows, real, scale, tails)]
    for generation in range(1, n_generations + 1):
        rows = _next(generator, pool, len(real), random)
        kept = np.flatnonzero(random.random(len(rows)) < keep_real)
        rows[kept] = real[random.integers(len(real), size=len(kept))]
        pool = np.concatenate([pool, rows]) if accumulate else rows
        history.append(_measured(generation, rows, real, scale, tails))
    return pd.DataFrame(history)


def _next(kind: Any, rows: Table, n_rows: int, random: np.random.Generator) -> Table:
    """Draw a generation from a generator fitted to rows."""
    if isinstance(kind, str) and kind == "gaussian":
        centered = rows - rows.mean(axis=0)
        # Draws of normal weights times the rows have the covariance of the rows, and need no factor of it.
        _, values, vectors = np.linalg.svd(centered, full_matrices=False)
        normal = random.normal(size=(n_rows, len(values)))
        return np.asarray(rows.mean(axis=0) + normal * (values / np.sqrt(len(rows))) @ vectors)
    if isinstance(kind, str):
        return np.asarray(rows[random.integers(len(rows), size=n_rows)])
    if isinstance(kind, Real):
        chosen = rows[random.integers(len(rows), size=n_rows)]
        return np.asarray(chosen + float(kind) * rows.std(axis=0) * random.normal(size=chosen.shape))
    model = clone(kind)
    if "random_state" in model.get_params():
        model.set_params(random_state=int(random.integers(2**31 - 1)))
    drawn = model.fit(rows).sample(n_rows)
    drawn = drawn[0] if isinstance(drawn, tuple) else drawn
    # Some mixtures return the rows of one component after those of another.
    return np.asarray(drawn, dtype=np.float64)[random.permutation(n_rows)]


def _measured(generation: int, rows: Table, real: Table, scale: Table, tails: Table) -> dict[str, Any]:
    return {
        "generation": generation,
        "variance": float(np.mean(rows.var(axis=0) / np.square(scale))),
        "squared_shift": float(np.mean(np.square((rows.mean(axis=0) - real.mean(axis=0)) / scale))),
        "distinct_rows": len(np.unique(rows, axis=0)),
        "tail_fraction": float(np.mean((rows < tails[0]) | (rows > tails[1]))),
        "wasserstein": float(
            np.mean([wasserstein_distance(a, b) / c for a, b, c in zip(rows.T, real.T, scale, strict=True)])
        ),
    }


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "n_generations": [Interval(Integral, 0, None, closed="left"), "array-like"],
        "width": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def collapse_variance(n_samples: int, n_generations: Any, *, width: float = 0.0) -> Any:
    r"""Compute the expected variance after generations of fitting and drawing, in units of the first.

    Parameters
    ----------
    n_samples : int
        Rows of each generation.
    n_generations : int or array-like of int
    width : float, default=0.0
        Width of a kernel density in standard deviations; 0 is a Gaussian fitted by maximum likelihood, or the
        bootstrap.

    Returns
    -------
    float or ndarray
        :math:`\big((1 + c^2)(1 - 1/n)\big)^T`: below 1 the data collapse, above they spread. The median of a single run
        falls faster than this mean. Half is lost after about :math:`0.69\, n` generations without a kernel; the width
        that keeps the variance is about :math:`1 / \sqrt n`.

    Examples
    --------
    >>> from skanomaly.generation import collapse_variance
    >>> round(collapse_variance(200, 30), 3)
    0.86
    >>> round(collapse_variance(200, 30, width=0.3), 1)
    11.4
    """
    generations = np.asarray(n_generations)
    found = ((1.0 + width**2) * (1.0 - 1.0 / n_samples)) ** generations
    return found if generations.ndim else float(found)
