"""Quality of generated rows, compared with real ones."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._columns import in_order_of
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly._support._tables import read_numbers
from skanomaly._support._widths import local_scale

__all__ = ["evaluate_samples"]

Table = NDArray[np.float64]
_MOST_TESTED = 1000
_FAR, _NEAR = 0.99, 0.05
_ORDINARY = 0.9  # quantile of the radii beyond which none reaches: far rows would have wide neighbourhoods


@validate_params(
    {
        "generated": [Mapping, "array-like"],
        "X": ["array-like"],
        "X_real": ["array-like"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_permutations": [Interval(Integral, 19, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def evaluate_samples(
    generated: Any,
    X: Any,
    X_real: Any,
    *,
    n_neighbors: int = 5,
    n_permutations: int = 199,
    random_state: Any = None,
) -> pd.DataFrame:
    """Compare generated rows with held-out real rows, generator by generator.

    Parameters
    ----------
    generated : dict of str to array-like or fitted sampler, or one array-like
        Generated rows of shape (n_samples, n_features), or objects with a method ``sample``, of which as many rows are
        drawn as there are held-out rows.
    X : array-like of shape (n_train, n_features)
        Real rows that the generators were fitted to.
    X_real : array-like of shape (n_real, n_features)
        Held-out real rows.
    n_neighbors : int, default=5
        Neighbours that span the neighbourhood of a real row.
    n_permutations : int, default=199
        Permutations of the two-sample test.
    random_state : int, RandomState instance or None, default=None
        Draws permutations, and the 1,000 rows of each sample that are tested.

    Returns
    -------
    DataFrame
        A row for each generator, and a first one, "held-out", that compares one half of the held-out rows with the
        other: the values of a perfect generator. The columns:

        - `coverage`: fraction of held-out rows with a generated row in their neighbourhood; low if modes are missing.
        - `precision`: fraction of generated rows in the neighbourhood of a held-out row; low if rows are off the data.
        - `off_support`: fraction of generated rows farther from the training rows than 99 % of the held-out ones.
        - `near_copies`: fraction of generated rows nearer to a training row than 95 % of the held-out ones; above 0.05
          the generator repeats training rows.
        - `pvalue`: of the energy test that generated and held-out rows have one distribution.

    Raises
    ------
    ValueError
        On missing values, different numbers of columns, or fewer held-out rows than twice ``n_neighbors + 1``.

    Notes
    -----
    Distances are in units of the differences between neighbouring training rows. Coverage and precision depend on the
    number of rows; compare them within one table. What we changed: for the precision, the radius of a neighbourhood is
    at most the 90 % quantile of the radii; otherwise those of a few far rows would contain rows off the data.

    References
    ----------
    .. [1] T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen and T. Aila, "Improved Precision and Recall Metric for
       Assessing Generative Models", NeurIPS 2019. arXiv:1904.06991.
    .. [2] M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi and J. Yoo, "Reliable Fidelity and Diversity Metrics for Generative
       Models", ICML 2020. arXiv:2002.09797.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import MixtureDenoiser, evaluate_samples
    >>> X = np.random.default_rng(0).normal(size=(600, 2))
    >>> sampler = MixtureDenoiser(random_state=0).fit(X[:300])
    >>> table = evaluate_samples(
    ...     {"kernel": sampler, "shifted": X[:300] + 3}, X[:300], X[300:], random_state=0
    ... )
    >>> (table.precision > 0.7).tolist()
    [True, True, False]
    """
    random = generator(random_state)
    train = read_numbers(X, min_samples=3)
    real = in_order_of(X_real, X, name="X_real", other="X")
    real = read_numbers(real, "X_real", min_samples=2 * (n_neighbors + 1))
    safe = SafeRange(train, rescale="none")
    train = safe.apply(train)
    scale = local_scale(train)
    given = generated if isinstance(generated, Mapping) else {"generated": generated}
    tables = {str(name): _rows(rows, name, X, train.shape[1], len(real)) for name, rows in given.items()}
    if real.shape[1] != train.shape[1]:
        raise ValueError(f"X_real has {real.shape[1]} columns and X {train.shape[1]}; give the same columns.")
    train, real = train / scale, safe.apply(real) / scale
    to_train = nearest_neighbors(train, real, n_neighbors=1)[0][:, 0]
    limits = np.quantile(to_train, [_NEAR, _FAR])
    order = random.permutation(len(real))
    first, second = real[order[: len(real) // 2]], real[order[len(real) // 2 :]]
    found = {"held-out": _compared(first, second, train, limits, n_neighbors, n_permutations, random)}
    for name, rows in tables.items():
        found[name] = _compared(safe.apply(rows) / scale, real, train, limits, n_neighbors, n_permutations, random)
    return pd.DataFrame.from_dict(found, orient="index")


def _rows(given: Any, name: Any, X: Any, n_columns: int, n_rows: int) -> Table:
    drawn = given.sample(n_rows) if hasattr(given, "sample") and not hasattr(given, "columns") else given
    drawn = drawn[0] if isinstance(drawn, tuple) else drawn
    drawn = in_order_of(drawn, X, name=f"generated[{name!r}]", other="X")
    rows: Table = read_numbers(drawn, str(name))
    if rows.shape[1] != n_columns:
        raise ValueError(f"generated[{name!r}] has {rows.shape[1]} columns and X {n_columns}; give the same columns.")
    return rows


def _compared(
    rows: Table,
    real: Table,
    train: Table,
    limits: Table,
    n_neighbors: int,
    n_permutations: int,
    random: np.random.Generator,
) -> dict[str, float]:
    radii = nearest_neighbors(real, n_neighbors=min(n_neighbors, len(real) - 1), exclude="self")[0][:, -1]
    to_rows = nearest_neighbors(rows, real, n_neighbors=1)[0][:, 0]
    to_train = nearest_neighbors(train, rows, n_neighbors=1)[0][:, 0]
    return {
        "coverage": float(np.mean(to_rows <= radii)),
        "precision": float(np.mean(_within(rows, real, np.minimum(radii, np.quantile(radii, _ORDINARY))))),
        "off_support": float(np.mean(to_train > limits[1])),
        "near_copies": float(np.mean(to_train < limits[0])),
        "pvalue": _energy_test(rows, real, n_permutations, random),
    }


def _within(rows: Table, real: Table, radii: Table) -> NDArray[np.bool_]:
    """Say which rows lie in the neighbourhood of any real row."""
    found = np.zeros(len(rows), dtype=bool)
    norms = np.square(real).sum(axis=1)
    for start in range(0, len(rows), 512):
        part = rows[start : start + 512]
        squares = np.square(part).sum(axis=1)[:, None] + norms - 2 * part @ real.T
        found[start : start + 512] = (squares <= np.square(radii)).any(axis=1)
    return found


def _energy_test(rows: Table, real: Table, n_permutations: int, random: np.random.Generator) -> float:
    """P-value of the energy distance between two samples, by permutation."""
    first, second = (
        part if len(part) <= _MOST_TESTED else part[random.choice(len(part), _MOST_TESTED, replace=False)]
        for part in (rows, real)
    )
    both = np.concatenate([first, second])
    norms = np.square(both).sum(axis=1)
    distances = np.sqrt(np.maximum(norms[:, None] + norms - 2 * both @ both.T, 0.0))
    weights = np.concatenate([np.full(len(first), 1 / len(first)), np.full(len(second), -1 / len(second))])
    every = np.stack([weights, *(random.permutation(weights) for _ in range(n_permutations))])
    statistics = -np.einsum("ij,ij->i", every @ distances, every)
    return float(np.mean(statistics >= statistics[0] * (1 - 1e-12)))
