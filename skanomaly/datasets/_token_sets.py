"""Generated sets of tokens without an order, with tokens that do not fit the others of their set."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, validate_params

__all__ = ["make_token_sets"]

_SCENES = np.array([[0, 1, 2], [2, 3, 4], [4, 5, 0], [1, 3, 5]])
_N_COLUMNS = 5
_NORM = 2.0
_MAP = np.array([[2, 1], [1, 1]])
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@validate_params(
    {
        "n_train": [Interval(Integral, 1, None, closed="left")],
        "n_test": [Interval(Integral, 2, None, closed="left")],
        "anomalies": [StrOptions({"foreign", "unmatched"})],
        "n_pairs": [Interval(Integral, 2, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_token_sets(
    n_train: int = 300,
    n_test: int = 120,
    *,
    anomalies: str = "foreign",
    n_pairs: int = 6,
    noise: float = 0.05,
    random_state: Any = None,
) -> tuple[Floats, Floats, Labels, Labels]:
    """Make sets of tokens in random order; tokens of half of the test sets do not fit the others of their set.

    Every anomalous token is normal by itself, and has no position that it could miss.

    Parameters
    ----------
    n_train : int, default=300
        Number of training sets, all normal.
    n_test : int, default=120
        Number of test sets; half of them, rounded down, are anomalies.
    anomalies : {"foreign", "unmatched"}, default="foreign"
        "foreign": a set has tokens of three of six kinds; only four of the twenty choices of three kinds occur. An
        anomalous set has one token of a fourth kind. "unmatched": tokens come in pairs. One of a pair encodes two
        angles, the other two sums of these angles; no column of one is correlated with a column of the other. In an
        anomalous set the two tokens of one pair do not match.
    n_pairs : int, default=6
        A set has twice as many tokens; at least 2.
    noise : float, default=0.05
        Standard deviation of the noise of each column; at least 0.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_train : ndarray of shape (n_train, 2 * n_pairs, 5)
    X_test : ndarray of shape (n_test, 2 * n_pairs, 5)
    y_test : ndarray of shape (n_test,), int64
        +1 normal, -1 anomaly.
    token_labels : ndarray of shape (n_test, 2 * n_pairs), int64
        +1 for normal tokens, -1 for anomalous ones: one token, or both tokens of a pair.

    See Also
    --------
    make_patch_grids : Grids of patches, with positions or without.
    skanomaly.embeddings.TokenReconstructor : Detects both kinds.

    Examples
    --------
    >>> from skanomaly.datasets import make_token_sets
    >>> X_train, X_test, y_test, token_labels = make_token_sets(
    ...     anomalies="unmatched", random_state=0
    ... )
    >>> (
    ...     X_train.shape,
    ...     X_test.shape,
    ...     int((y_test == -1).sum()),
    ...     int((token_labels[-1] == -1).sum()),
    ... )
    ((300, 12, 5), (120, 12, 5), 60, 2)
    """
    rng = generator(random_state)
    prototypes = rng.standard_normal((_SCENES.max() + 1, _N_COLUMNS))
    prototypes *= _NORM / np.linalg.norm(prototypes, axis=1, keepdims=True)
    n_anomalies = n_test // 2
    y_test = np.repeat([1, -1], [n_test - n_anomalies, n_anomalies])

    def make(labels: Labels) -> tuple[Floats, Labels]:
        token_labels = np.ones((len(labels), 2 * n_pairs), dtype=np.int64)
        rows = np.flatnonzero(labels == -1)
        if anomalies == "foreign":
            scenes = _SCENES[rng.integers(len(_SCENES), size=len(labels))]
            kinds = np.take_along_axis(scenes, rng.integers(3, size=token_labels.shape), axis=1)
            for row in rows.tolist():
                kinds[row, 0] = rng.choice(np.setdiff1d(np.arange(len(prototypes)), scenes[row]))
            token_labels[rows, 0] = -1
            tokens = prototypes[kinds]
        else:
            angles = rng.uniform(0, 2 * np.pi, size=(len(labels), n_pairs, 2))
            images = angles @ _MAP
            images[rows, 0] = rng.uniform(0, 2 * np.pi, size=(len(rows), 2))
            token_labels[np.ix_(rows, np.array([0, n_pairs]))] = -1
            tokens = np.concatenate([_encoded(angles, 1.0), _encoded(images, -1.0)], axis=1)
        tokens = tokens + noise * rng.standard_normal(tokens.shape)
        order = rng.permuted(np.tile(np.arange(2 * n_pairs), (len(labels), 1)), axis=1)
        return np.take_along_axis(tokens, order[:, :, None], axis=1), np.take_along_axis(token_labels, order, axis=1)

    X_train, _ = make(np.ones(n_train, dtype=np.int64))
    X_test, token_labels = make(y_test)
    return X_train, X_test, y_test, token_labels


def _encoded(angles: Floats, side: float) -> Floats:
    return np.concatenate([np.cos(angles), np.sin(angles), np.full((*angles.shape[:-1], 1), side)], axis=-1)
