"""Spaces that codes are compared in: Euclidean, spherical, and the Poincaré ball."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval, validate_params

__all__ = [
    "Euclidean",
    "Hyperbolic",
    "Space",
    "Spherical",
    "exponential_map",
    "mobius_midpoint",
    "poincare_distance",
]

Floats = NDArray[np.float64]
_LARGEST_RADIUS = 1.0 - 1e-5
_TINY = 1e-12
_HUGE = 1e100
_STEPS = 100
_CURVATURE: dict[str, list[Any]] = {"curvature": [Interval(Real, 0, None, closed="neither")]}


def _norms(rows: Floats) -> Floats:
    largest = np.abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    unit = np.where(largest > _HUGE, largest, 1.0)  # squares of larger values are not finite
    rows = rows / unit
    return np.asarray(unit * np.sqrt((rows * rows).sum(axis=-1, keepdims=True)))


def _inside(points: Floats) -> Floats:
    """Move points that are outside the unit ball, or nearly so, inside."""
    return points * np.minimum(1.0, _LARGEST_RADIUS / np.maximum(_norms(points), _TINY))


def _exponential(vectors: Floats) -> Floats:
    lengths = np.maximum(_norms(vectors), _TINY)
    return np.asarray(vectors / lengths * np.minimum(np.tanh(lengths), _LARGEST_RADIUS))


def _ratio(first: Floats, second: Floats) -> Floats:
    """Return the distance over the root of the product of the two distances from the boundary."""
    room = (1.0 - (first * first).sum(axis=-1)) * (1.0 - (second * second).sum(axis=-1))
    return np.asarray(np.sqrt(((first - second) ** 2).sum(axis=-1) / room))


def _added(first: Floats, second: Floats) -> Floats:
    """Möbius addition."""
    inner = (first * second).sum(axis=-1, keepdims=True)
    one = (first * first).sum(axis=-1, keepdims=True)
    two = (second * second).sum(axis=-1, keepdims=True)
    return np.asarray(((1 + 2 * inner + two) * first + (1 - one) * second) / (1 + 2 * inner + one * two))


def _midpoint(points: Floats, weights: Floats) -> Floats:
    """Return the point of the unit ball with the smallest weighted sum of squared distances."""
    factors = weights[:, None] * 2.0 / (1.0 - (points * points).sum(axis=1, keepdims=True))
    center = (factors * points).sum(axis=0) / np.maximum((factors - weights[:, None]).sum(), _TINY)
    center = center / (1.0 + np.sqrt(max(0.0, 1.0 - float(center @ center))))  # half of it, in the sense of Möbius
    for _ in range(_STEPS):
        away = _added(-center[None], points)
        lengths = np.maximum(_norms(away), _TINY)
        step = (weights[:, None] * np.arctanh(np.minimum(lengths, _LARGEST_RADIUS)) * away / lengths).sum(axis=0)
        step /= weights.sum()
        center = _inside(_added(center, _exponential(step)))
        if float(np.abs(step).max()) < _TINY:
            break
    return np.asarray(center)


@validate_params({"first": ["array-like"], "second": ["array-like"], **_CURVATURE}, prefer_skip_nested_validation=True)
def poincare_distance(first: Any, second: Any, *, curvature: float = 1.0) -> Floats:
    r"""Distance between points of the Poincaré ball.

    Parameters
    ----------
    first, second : array-like of shape (n_points, n_dimensions)
        Points at most 1 / sqrt(`curvature`) from 0. Points nearer than 1e-5 to the boundary, or beyond it, are moved
        in.
    curvature : float, default=1.0
        Minus the curvature; above 0.

    Returns
    -------
    ndarray of shape (n_points,)

    See Also
    --------
    exponential_map : Vectors to points of the ball.
    mobius_midpoint : Mean of points.

    Notes
    -----
    With curvature -1, :math:`d(u, v) = \operatorname{arcosh}\big(1 + 2 \lVert u - v \rVert^2 / ((1 - \lVert u \rVert^2)
    (1 - \lVert v \rVert^2))\big)`, computed as twice an area hyperbolic sine, which is exact for near points [1]_.

    References
    ----------
    .. [1] Ganea, O., Bécigneul, G. and Hofmann, T. (2018). "Hyperbolic neural networks". NeurIPS, section 2.
       arXiv:1805.09112.

    Examples
    --------
    >>> from skanomaly.sequence import poincare_distance
    >>> poincare_distance([[0.0, 0.0]], [[0.5, 0.0]]).round(4)
    array([1.0986])
    """
    root = np.sqrt(curvature)
    one, two = (_inside(root * check_array(part, dtype=np.float64)) for part in (first, second))
    return np.asarray(2.0 * np.arcsinh(_ratio(one, two)) / root)


@validate_params({"X": ["array-like"], **_CURVATURE}, prefer_skip_nested_validation=True)
def exponential_map(X: Any, *, curvature: float = 1.0) -> Floats:
    r"""Map vectors to points of the Poincaré ball, by the exponential map at 0.

    Parameters
    ----------
    X : array-like of shape (n_points, n_dimensions)
    curvature : float, default=1.0
        Minus the curvature; above 0.

    Returns
    -------
    ndarray of shape (n_points, n_dimensions)
        :math:`\tanh(\sqrt c \lVert x \rVert)\, x / (\sqrt c \lVert x \rVert)`, at most 1 - 1e-5 times the radius of the
        ball from 0.

    See Also
    --------
    poincare_distance : Distances of points of the ball; that of a point from 0 is twice the length of its vector.

    References
    ----------
    .. [1] Ganea, O., Bécigneul, G. and Hofmann, T. (2018). "Hyperbolic neural networks". NeurIPS, section 2.
       arXiv:1805.09112.

    Examples
    --------
    >>> from skanomaly.sequence import exponential_map
    >>> exponential_map([[0.5, 0.0], [9.0, 0.0]]).round(4)
    array([[0.4621, 0.    ],
           [1.    , 0.    ]])
    """
    root = np.sqrt(curvature)
    return np.asarray(_exponential(root * check_array(X, dtype=np.float64)) / root)


@validate_params(
    {"X": ["array-like"], "sample_weight": ["array-like", None], **_CURVATURE}, prefer_skip_nested_validation=True
)
def mobius_midpoint(X: Any, *, sample_weight: Any = None, curvature: float = 1.0) -> Floats:
    """Mean of points of the Poincaré ball: the point with the smallest sum of squared distances.

    Parameters
    ----------
    X : array-like of shape (n_points, n_dimensions)
        Points at most 1 / sqrt(`curvature`) from 0. Points nearer than 1e-5 to the boundary, or beyond it, are moved
        in.
    sample_weight : array-like of shape (n_points,), default=None
        At least 0, with a sum above 0. None is equal weights.
    curvature : float, default=1.0
        Minus the curvature; above 0.

    Returns
    -------
    ndarray of shape (n_dimensions,)

    Raises
    ------
    ValueError
        If the weights are not as many as the points, or not as above.

    See Also
    --------
    poincare_distance : The distance.

    Notes
    -----
    The Möbius gyromidpoint of [1]_ has a closed form, which minimises another sum for points that are far apart. What
    we changed: it is the start of steps along the mean of the logarithms of the points, which end at the Fréchet mean.

    References
    ----------
    .. [1] Ungar, A. A. (2010). "Barycentric calculus in Euclidean and hyperbolic geometry". World Scientific,
       chapter 4. https://doi.org/10.1142/7740

    Examples
    --------
    >>> from skanomaly.sequence import mobius_midpoint
    >>> mobius_midpoint([[0.0, 0.0], [0.8, 0.0]]).round(4)
    array([0.5, 0. ])
    """
    root = np.sqrt(curvature)
    points = _inside(root * check_array(X, dtype=np.float64))
    weights = np.ones(len(points)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (len(points),) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(
            f"sample_weight has shape {weights.shape} and the sum {weights.sum():g}; give {len(points)} numbers of at "
            "least 0 with a sum above 0."
        )
    return _midpoint(points, weights / weights.max()) / root


class Space(ParameterObject, ABC):
    """Base class of spaces: where vectors are put, their centre, and the distance from it."""

    @abstractmethod
    def _points(self, vectors: Floats) -> Floats:
        """Put vectors into the space."""

    @abstractmethod
    def _center(self, points: Floats) -> Floats:
        """Return the centre of points."""

    @abstractmethod
    def _distances(self, points: Floats, others: Floats) -> Floats:
        """Return the outlyingness of points, compared with others or one centre."""

    @abstractmethod
    def _pull(self, vectors: Floats, center: Floats) -> tuple[float, Floats]:
        """Return the mean loss of vectors that a centre attracts, and its gradient in the vectors."""

    def _certainty(self, points: Floats) -> Floats | None:
        """Return how certain points are, from 0 to 1; None where the space does not tell."""
        return None

    def _weighted(self, distances: Floats, certainty: Floats | None) -> Floats:
        return distances


class Euclidean(Space):
    """Distances between vectors as they are.

    See Also
    --------
    GeometricOneClass : Uses it.

    Examples
    --------
    >>> from skanomaly.sequence import Euclidean
    >>> Euclidean()
    Euclidean()
    """

    def _points(self, vectors: Floats) -> Floats:
        return vectors

    def _center(self, points: Floats) -> Floats:
        return np.asarray(points.mean(axis=0))

    def _distances(self, points: Floats, others: Floats) -> Floats:
        return _norms(points - others)[:, 0]

    def _pull(self, vectors: Floats, center: Floats) -> tuple[float, Floats]:
        away = vectors - center
        return float((away * away).sum()) / len(vectors), 2 * away / len(vectors)


class Spherical(Space):
    """Angles between vectors, to which a constant coordinate is added, so that the mean is a direction.

    The distance of two directions is one minus their cosine.

    See Also
    --------
    GeometricOneClass : Uses it.

    Examples
    --------
    >>> from skanomaly.sequence import Spherical
    >>> Spherical()
    Spherical()
    """

    def _points(self, vectors: Floats) -> Floats:
        rows = np.column_stack([vectors, np.ones(len(vectors))])
        return np.asarray(rows / _norms(rows))

    def _center(self, points: Floats) -> Floats:
        center = points.mean(axis=0)
        return np.asarray(center / max(float(np.linalg.norm(center)), _TINY))

    def _distances(self, points: Floats, others: Floats) -> Floats:
        return np.asarray(0.5 * ((points - others) ** 2).sum(axis=1))  # one minus the cosine, without cancellation

    def _pull(self, vectors: Floats, center: Floats) -> tuple[float, Floats]:
        points = self._points(vectors)
        cosines = points @ center
        slopes = (cosines[:, None] * points - center)[:, :-1] * points[:, -1:]
        return float((1 - cosines).mean()), slopes / len(vectors)


class Hyperbolic(Space):
    r"""Distances in the Poincaré ball; they grow without bound towards its boundary.

    Parameters
    ----------
    curvature : float, default=1.0
        Minus the curvature; above 0.
    certainty_power : float, default=1.0
        The distance of a series from its reconstruction is multiplied by this power of its certainty; at least 0. With
        0 it is the distance alone.

    See Also
    --------
    GeometricOneClass : Uses it.
    poincare_distance : The distance.

    Notes
    -----
    Vectors become points by :func:`exponential_map`. The certainty of a point is its distance from 0, as a fraction of
    the radius of the ball: a model that averages over what it is not certain of makes short vectors [1]_.

    References
    ----------
    .. [1] Flaborea, A., Prenkaj, B., Munjal, B., Sterpa, M. A., Aragona, D., Podo, L. and Galasso, F. (2023). "Are we
       certain it's anomalous?" CVPR workshops. arXiv:2211.09224.

    Examples
    --------
    >>> from skanomaly.sequence import Hyperbolic
    >>> Hyperbolic(certainty_power=0)
    Hyperbolic(certainty_power=0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_CURVATURE,
        "certainty_power": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, curvature: float = 1.0, certainty_power: float = 1.0) -> None:
        self.curvature = curvature
        self.certainty_power = certainty_power

    def _points(self, vectors: Floats) -> Floats:
        return _exponential(np.sqrt(self.curvature) * vectors)  # in units of the radius of the ball

    def _center(self, points: Floats) -> Floats:
        return _midpoint(points, np.ones(len(points)))

    def _distances(self, points: Floats, others: Floats) -> Floats:
        return np.asarray(2.0 * np.arcsinh(_ratio(points, np.broadcast_to(others, points.shape)))) / np.sqrt(
            self.curvature
        )

    def _pull(self, vectors: Floats, center: Floats) -> tuple[float, Floats]:
        root = np.sqrt(self.curvature)
        scaled = root * vectors
        points = _exponential(scaled)
        ratios = _ratio(points, np.broadcast_to(center, points.shape))[:, None]
        distances = 2.0 * np.arcsinh(ratios)
        room, other = 1.0 - (points * points).sum(axis=1, keepdims=True), 1.0 - float(center @ center)
        relative = np.where(ratios > _TINY, distances / np.maximum(ratios, _TINY), 2.0)
        slopes = relative * (points - center) / (room * other) + distances * ratios * points / room
        slopes *= 4.0 / np.sqrt(1.0 + ratios**2)
        lengths = np.maximum(_norms(scaled), _TINY)
        turn = np.minimum(np.tanh(lengths), _LARGEST_RADIUS) / lengths
        grow = np.where(np.tanh(lengths) < _LARGEST_RADIUS, 1.0 - np.tanh(lengths) ** 2, 0.0)
        along = (scaled * slopes).sum(axis=1, keepdims=True) * scaled / lengths**2
        slopes = turn * slopes + (grow - turn) * along
        return float(np.square(distances).mean()) / self.curvature, slopes / (root * len(vectors))

    def _certainty(self, points: Floats) -> Floats | None:
        return _norms(points)[:, 0]

    def _weighted(self, distances: Floats, certainty: Floats | None) -> Floats:
        return distances if certainty is None else np.asarray(distances * certainty**self.certainty_power)
