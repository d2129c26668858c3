"""Generated tables whose normal rows follow rules, lie on a manifold or on a circle, or carry a nuisance attribute."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.datasets._planting import TABLE, at_least, count_anomalies, positive, shuffle_rows

__all__ = ["make_coloured_digits", "make_lifted_circle", "make_logical_anomalies", "make_manifold_anomalies"]

_N_RULES = 3
_LARGEST_GAP = 0.6  # squared radius of the anomalies inside a circle
_N_DIGITS = 5
_N_COLOURS = 3


@validate_params({**TABLE, "n_features": at_least(7)}, prefer_skip_nested_validation=True)
def make_logical_anomalies(
    n_samples: int = 500,
    n_features: int = 16,
    *,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make normal rows that obey three rules, with anomalies that violate one of them.

    The rules are: column 1 is at least column 0; column 4 is the sum of columns 2 and 3, up to noise with the standard
    deviation 0.02; column 6 is above 0.6 where column 5 is above 0.5, and below 0.4 elsewhere. Each value of an anomaly
    is in the range of its column, so that no single column shows it.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=16
        Number of columns, at least 7. The columns after the seventh are uniform in [0, 1] and in no rule.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows. The three rules are violated equally often.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    See Also
    --------
    skanomaly.embeddings.ChecklistDetector : Finds these rules.

    Notes
    -----
    Logical anomalies, such as a missing or surplus part, have parts that are each normal.

    Examples
    --------
    >>> from skanomaly.datasets import make_logical_anomalies
    >>> X, y = make_logical_anomalies(random_state=0)
    >>> (
    ...     bool((X[y == 1, 1] >= X[y == 1, 0]).all()),
    ...     bool((X[y == -1, 1] >= X[y == -1, 0]).all()),
    ... )
    (True, False)
    """
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    X = rng.random((n_samples, n_features))
    X[:, :2].sort(axis=1)
    total = X[:, 2] + X[:, 3]
    X[:, 4] = np.clip(total + 0.02 * rng.standard_normal(n_samples), 0.0, 2.0)
    X[:, 6] = 0.4 * X[:, 6] + np.where(X[:, 5] > 0.5, 0.6, 0.0)
    rule = np.full(n_samples, _N_RULES)
    rule[n_samples - n_anomalies :] = np.arange(n_anomalies) % _N_RULES
    order, addition, threshold = (rule == index for index in range(_N_RULES))
    X[order, :2] = X[order, :2][:, ::-1]
    X[addition, 4] = total[addition] + np.where(total > 1.0, -1.0, 1.0)[addition] * rng.uniform(
        0.15, 0.4, size=np.count_nonzero(addition)
    )
    X[threshold, 6] = 1.0 - X[threshold, 6]
    return shuffle_rows(X[: n_samples - n_anomalies], X[n_samples - n_anomalies :], rng)


@validate_params(
    {
        **TABLE,
        "n_features": at_least(2),
        "n_dimensions": at_least(1),
        "anomalies": [StrOptions({"off", "on"})],
        "size": positive(zero=False),
        "curvature": positive(),
        "noise": positive(),
    },
    prefer_skip_nested_validation=True,
)
def make_manifold_anomalies(
    n_samples: int = 500,
    n_features: int = 20,
    *,
    n_dimensions: int = 3,
    anomalies: str = "off",
    size: float = 4.0,
    curvature: float = 0.0,
    noise: float = 0.1,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    r"""Make rows near a manifold of few dimensions, with anomalies far away on the manifold or off it.

    A normal row has the standard normal coordinates :math:`z` on the manifold, the curved part
    :math:`c (z^2 - 1) / \sqrt 2` in further directions, and white noise in the remaining ones. All are rotated at
    random.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=20
        Number of columns; more than `n_dimensions`, and at least twice as many where the manifold is curved.
    n_dimensions : int, default=3
        Number of dimensions of the manifold.
    anomalies : {"off", "on"}, default="off"
        "off": the noise is multiplied by `size`; a reconstruction error shows this. "on": the coordinates are
        multiplied by `size`; the reconstruction is good, and only the density on the manifold shows it.
    size : float, default=4.0
        Factor of the standard deviation, above 0.
    curvature : float, default=0.0
        The factor :math:`c`; 0 is a plane.
    noise : float, default=0.1
        Standard deviation of the noise of normal rows.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    Raises
    ------
    ValueError
        If there are too few columns for the manifold.

    See Also
    --------
    skanomaly.detectors.Autoencoder : Finds both kinds with ``statistic="sum"``.

    Notes
    -----
    The two kinds are those that a reconstruction error and a distance in the code of an autoencoder find separately
    (Denouden, Salay, Czarnecki, Abdelzad, Phan and Vernekar 2018).

    References
    ----------
    .. [1] Denouden, T. et al. (2018). "Improving reconstruction autoencoder out-of-distribution detection with
       Mahalanobis distance". https://arxiv.org/abs/1812.02765

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skanomaly.datasets import make_manifold_anomalies
    >>> X, y = make_manifold_anomalies(random_state=0)
    >>> plane = PCA(3).fit(X)
    >>> error = np.linalg.norm(X - plane.inverse_transform(plane.transform(X)), axis=1)
    >>> bool(np.median(error[y == -1]) > 2 * np.median(error[y == 1]))
    True
    """
    taken = n_dimensions * (2 if curvature else 1)
    if taken > n_features - (0 if curvature else 1):
        raise ValueError(
            f"n_features is {n_features}; {'a curved' if curvature else 'a'} manifold of n_dimensions={n_dimensions} "
            f"needs at least {taken if curvature else taken + 1} columns."
        )
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    factor = np.where(np.arange(n_samples) < n_samples - n_anomalies, 1.0, size)[:, None]
    coordinates = rng.standard_normal((n_samples, n_dimensions)) * (factor if anomalies == "on" else 1.0)
    parts = [coordinates]
    if curvature:
        parts.append(curvature * (coordinates**2 - 1.0) / np.sqrt(2.0))
    X = np.zeros((n_samples, n_features))
    X[:, :taken] = np.hstack(parts)
    white = noise * rng.standard_normal((n_samples, n_features))
    white[:, :taken] *= 1.0 if curvature else 0.0
    X += white * (factor if anomalies == "off" else 1.0)
    rotation = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    X = X @ rotation.T
    return shuffle_rows(X[: n_samples - n_anomalies], X[n_samples - n_anomalies :], rng)


@validate_params(
    {**TABLE, "n_features": at_least(2), "noise": positive()},
    prefer_skip_nested_validation=True,
)
def make_lifted_circle(
    n_samples: int = 500,
    n_features: int = 16,
    *,
    noise: float = 0.02,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make rows near a circle in many dimensions, with anomalies inside the circle.

    The anomalies are nearer to the mean than normal rows. A code with the topology of a line cannot represent the
    circle without a tear.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=16
        Number of columns, at least 2; the plane of the circle is random.
    noise : float, default=0.02
        Standard deviation of the white noise. The radius is 1.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows: uniform in the disk of radius 0.77.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    See Also
    --------
    skanomaly.detectors.DenseCode : Has codes with the topology of a line, a sphere or a torus.
    make_bimodal : Anomalies between two modes.

    References
    ----------
    .. [1] Batson, J., Haaf, C. G., Kahn, Y. and Roberts, D. A. (2021). "Topological obstructions to autoencoding".
       Journal of High Energy Physics. https://doi.org/10.1007/JHEP04(2021)280

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.datasets import make_lifted_circle
    >>> X, y = make_lifted_circle(random_state=0)
    >>> distance = np.linalg.norm(X, axis=1)
    >>> bool(distance[y == -1].max() < distance[y == 1].min())
    True
    """
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    basis = np.linalg.qr(rng.standard_normal((n_features, 2)))[0]
    angle = rng.uniform(0.0, 2.0 * np.pi, size=n_samples)
    radius = np.ones(n_samples)
    radius[n_samples - n_anomalies :] = np.sqrt(rng.uniform(0.0, _LARGEST_GAP, size=n_anomalies))
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    X = points @ basis.T + noise * rng.standard_normal((n_samples, n_features))
    return shuffle_rows(X[: n_samples - n_anomalies], X[n_samples - n_anomalies :], rng)


@validate_params(
    {
        "anomalies": [StrOptions({"digit", "colour"})],
        "mixing": [StrOptions({"additive", "multiplicative"})],
        "n_features": at_least(2),
        "strength": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_coloured_digits(
    *,
    anomalies: str = "digit",
    mixing: str = "additive",
    n_features: int = 128,
    strength: float = 1.0,
    random_state: Any = None,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
]:
    """Make embeddings of coloured digits, of which either the digit or the colour may be anomalous.

    The 1,797 digits of :func:`sklearn.datasets.load_digits` are projected at random, and each has one of three colours.
    The training data are a half of the digits 0 to 4 in the first colour. The test data are all others, so that one of
    digit and colour is the anomaly and the other is a nuisance.

    Parameters
    ----------
    anomalies : {"digit", "colour"}, default="digit"
        "digit": the digits 5 to 9 are the anomalies, in any colour. "colour": the second and third colours are, on any
        digit.
    mixing : {"additive", "multiplicative"}, default="additive"
        "additive": a colour adds a vector of its own, which a projection removes. "multiplicative": a colour selects a
        third of the columns, in which the digit is; no projection removes that.
    n_features : int, default=128
        Number of columns, at least 2.
    strength : float, default=1.0
        Length of the vector of a colour, relative to the root mean square distance of the digits from their mean. Only
        with additive colours.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_train : ndarray of shape (n_train, n_features)
    X_test : ndarray of shape (n_test, n_features)
    y_test : ndarray of shape (n_test,), int64
        +1 normal, -1 anomaly.
    colours_test : ndarray of shape (n_test,), int64
        Colour of each test row, 0 to 2; all training rows have the colour 0.
    concepts : ndarray of shape (3, n_features)
        Mean embedding of the digits in each colour, for :class:`~skanomaly.embeddings.ConceptProjector`.

    See Also
    --------
    skanomaly.embeddings.ConceptProjector : Removes an attribute from embeddings, or keeps it alone.

    Examples
    --------
    >>> from skanomaly.datasets import make_coloured_digits
    >>> X_train, X_test, y_test, colours_test, concepts = make_coloured_digits(
    ...     random_state=0
    ... )
    >>> X_train.shape, X_test.shape, concepts.shape
    ((450, 128), (1347, 128), (3, 128))
    """
    rng = generator(random_state)
    images, digits = load_digits(return_X_y=True)
    images = images / 16.0
    colours = rng.integers(_N_COLOURS, size=len(images))
    drawn = rng.permutation(len(images))
    training = np.zeros(len(images), dtype=bool)
    training[drawn[digits[drawn] < _N_DIGITS][: len(images) // 4 + 1]] = True
    colours[training] = 0
    embedded = images @ rng.standard_normal((images.shape[1], n_features)) / np.sqrt(n_features)
    if mixing == "additive":
        vectors = rng.standard_normal((_N_COLOURS, n_features))
        vectors *= strength * np.sqrt(embedded.var(axis=0).sum()) / np.linalg.norm(vectors, axis=1, keepdims=True)
        X, concepts = embedded + vectors[colours], vectors
    else:
        taken = np.sqrt(_N_COLOURS) * (np.arange(n_features) % _N_COLOURS == np.arange(_N_COLOURS)[:, None])
        X, concepts = embedded * taken[colours], embedded.mean(axis=0) * taken
    test = ~training
    wrong = digits[test] >= _N_DIGITS if anomalies == "digit" else colours[test] > 0
    return X[training], X[test], np.where(wrong, -1, 1).astype(np.int64), colours[test], concepts
