"""What a one-class network is trained for, and the score that follows."""

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks import _losses as losses
from skanomaly._networks._autoencoding import on_spheres
from skanomaly._networks._network import Network
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._scales import usable_scale
from skanomaly._support._sklearn import Interval

__all__ = ["MAP", "DeepSAD", "Margin", "MeanShifted", "Plan", "ProjectionOutlyingness", "SVDD", "SoftBoundary", "Task"]

MAP = "map"  # name of the layers
_LEAST_CENTER = 0.1
_LABELLED = 0.25  # labelled anomalies in a batch, as a fraction of its other rows
_WARM_UP = 0.2
_UPDATES = 20
_CHECK_ROWS = 4096
_MAD = 1.4826
Array = NDArray[Any]
Floats = NDArray[np.float64]


class Task(NamedTuple):
    """What an objective trains on.

    Attributes
    ----------
    network : Network
        With the layers "map".
    take : callable
        Returns rows by their numbers, as the network gets them.
    normal : ndarray of shape (n_normal,), intp
        Rows that are not labelled as anomalies.
    anomalies : ndarray of shape (n_anomalies,), intp
    labels : ndarray of shape (n_rows,), int8
    random : numpy.random.Generator
    n_steps : int
    """

    network: Network
    take: Callable[[NDArray[np.intp]], Array]
    normal: NDArray[np.intp]
    anomalies: NDArray[np.intp]
    labels: NDArray[np.int8]
    random: np.random.Generator
    n_steps: int

    def sample(self, most: int = _CHECK_ROWS) -> Array:
        """Return the outputs of evenly spaced normal rows."""
        numbers = self.normal[:: max(1, len(self.normal) // most)]
        return self.network.forward(MAP, self.take(numbers))[-1]

    def with_anomalies(self, numbers: NDArray[np.intp], noise: np.random.Generator) -> NDArray[np.intp]:
        """Add labelled anomalies to a batch, drawn with replacement: a rare kind would be missing in most batches."""
        if not len(self.anomalies):
            return numbers
        return np.concatenate([numbers, noise.choice(self.anomalies, max(1, round(_LABELLED * len(numbers))))])


class Plan(NamedTuple):
    """How to train for an objective, and to score.

    Attributes
    ----------
    objective : callable
        For ``_networks._training.train``.
    score : callable
        Takes outputs of the network; large is anomalous.
    after_step : callable or None
    """

    objective: Callable[[NDArray[np.intp], np.random.Generator], float]
    score: Callable[[Array], Floats]
    after_step: Callable[[int, float], None] | None = None


def _center_of(task: Task) -> Array:
    """Return the mean output; no coordinate is nearer to 0 than 0.1 of the spread, so that 0 is no solution."""
    outputs = task.sample()
    center = outputs.mean(axis=0)
    least = _LEAST_CENTER * max(float(outputs.std()), 1e-6)
    return np.where(np.abs(center) < least, np.where(center < 0, -least, least), center).astype(outputs.dtype)


def _squared_distances(outputs: Array, center: Array) -> Floats:
    differences = outputs.astype(np.float64) - center
    found: Floats = np.einsum("ij,ij->i", differences, differences)
    return found


def _run(task: Task, numbers: NDArray[np.intp], loss: Callable[[Array], tuple[float, Array]]) -> float:
    outputs = task.network.forward(MAP, task.take(numbers))
    value, slopes = loss(outputs[-1])
    task.network.backward(MAP, outputs, slopes)
    return value


class SVDD(ParameterObject):
    """Squared distance of the outputs to a fixed centre.

    Notes
    -----
    One-class Deep SVDD [1]_. The layers have no biases, and the centre, the mean of the outputs before training, has no
    coordinate near 0: otherwise a constant map would be a solution.

    References
    ----------
    .. [1] Ruff, L. et al. (2018). "Deep one-class classification". ICML. https://proceedings.mlr.press/v80/ruff18a.html

    Examples
    --------
    >>> from skanomaly.detectors import SVDD, OneClassNetwork
    >>> OneClassNetwork(objective=SVDD())
    OneClassNetwork(objective=SVDD())
    """

    def __init__(self) -> None:
        pass

    def _plan(self, task: Task) -> Plan:
        center = _center_of(task)

        def objective(numbers: Any, noise: np.random.Generator) -> float:  # noqa: ARG001  # the form of objectives
            return _run(task, numbers, partial(losses.svdd, center=center))

        return Plan(objective, partial(_squared_distances, center=center))


class SoftBoundary(ParameterObject):
    """Volume of a ball around a fixed centre, and the distance of outputs beyond it.

    Parameters
    ----------
    nu : float, default=0.1
        Fraction of the training rows beyond the ball, in (0, 1).

    Notes
    -----
    Soft-boundary Deep SVDD [1]_. For a fifth of the training the loss is that of :class:`SVDD`; then the radius is the
    quantile of the distances, found anew twenty times. It was about as good as `SVDD` here.

    References
    ----------
    .. [1] Ruff, L. et al. (2018). "Deep one-class classification". ICML. https://proceedings.mlr.press/v80/ruff18a.html

    Examples
    --------
    >>> from skanomaly.detectors import OneClassNetwork, SoftBoundary
    >>> OneClassNetwork(objective=SoftBoundary(nu=0.05))
    OneClassNetwork(objective=SoftBoundary(nu=0.05))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"nu": [Interval(Real, 0, 1, closed="neither")]}

    def __init__(self, *, nu: float = 0.1) -> None:
        self.nu = nu

    def _plan(self, task: Task) -> Plan:
        center, nu = _center_of(task), float(self.nu)
        warm_up, every = int(_WARM_UP * task.n_steps), max(1, task.n_steps // _UPDATES)
        radius = [0.0]

        def objective(numbers: Any, noise: np.random.Generator) -> float:  # noqa: ARG001  # the form of objectives
            if radius[0] == 0.0:
                return _run(task, numbers, partial(losses.svdd, center=center))
            return _run(task, numbers, lambda outputs: losses.soft_boundary(outputs, center, radius[0], nu))

        def update(step: int, loss: float) -> None:  # noqa: ARG001  # the form of callbacks
            if step >= warm_up and step % every == 0:
                radius[0] = float(np.quantile(_squared_distances(task.sample(), center), 1 - nu))

        return Plan(objective, partial(_squared_distances, center=center), update)


class DeepSAD(ParameterObject):
    """Squared distance to a fixed centre for normal rows, and its inverse for labelled anomalies.

    Parameters
    ----------
    eta : float, default=1.0
        Weight of the labelled rows; above 0.

    Notes
    -----
    Deep semi-supervised anomaly detection [1]_. Without labelled anomalies it is :class:`SVDD`. What we changed: each
    batch gets labelled anomalies, drawn with replacement, a quarter of its size, and a hundredth of the mean squared
    distance before training is added to the distance that is inverted.

    References
    ----------
    .. [1] Ruff, L. et al. (2020). "Deep semi-supervised anomaly detection". ICLR. arXiv:1906.02694.

    Examples
    --------
    >>> from skanomaly.detectors import DeepSAD, OneClassNetwork
    >>> OneClassNetwork(objective=DeepSAD(eta=2.0))
    OneClassNetwork(objective=DeepSAD(eta=2.0))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"eta": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, *, eta: float = 1.0) -> None:
        self.eta = eta

    def _plan(self, task: Task) -> Plan:
        center = _center_of(task)
        unit = max(float(_squared_distances(task.sample(), center).mean()), 1e-12)
        size = np.float32(1 / np.sqrt(unit))  # distances are near 1, so that they and their inverses weigh alike

        def objective(numbers: Any, noise: np.random.Generator) -> float:
            batch = task.with_anomalies(numbers, noise)

            def loss(outputs: Array) -> tuple[float, Array]:
                value, slopes = losses.deep_sad(
                    outputs * size, center * size, task.labels[batch], float(self.eta), 0.01
                )
                return value, slopes * size

            return _run(task, batch, loss)

        return Plan(objective, partial(_squared_distances, center=center))


class Margin(ParameterObject):
    """Squared distance to a fixed centre for normal rows; labelled anomalies are pushed beyond a margin.

    Parameters
    ----------
    width : float, default=3.0
        Margin, in root mean squared distances of normal rows before training; above 0.

    Notes
    -----
    The distance term of conditioned latent clusters, with the anomalies' centre left free. Without labelled anomalies
    it is :class:`SVDD`. Each batch gets labelled anomalies, drawn with replacement, a quarter of its size.

    References
    ----------
    .. [1] Hadsell, R., Chopra, S. and LeCun, Y. (2006). "Dimensionality reduction by learning an invariant mapping".
       CVPR. https://doi.org/10.1109/CVPR.2006.100

    Examples
    --------
    >>> from skanomaly.detectors import Margin, OneClassNetwork
    >>> OneClassNetwork(objective=Margin(width=5.0))
    OneClassNetwork(objective=Margin(width=5.0))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"width": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, *, width: float = 3.0) -> None:
        self.width = width

    def _plan(self, task: Task) -> Plan:
        center = _center_of(task)
        width = float(self.width) * float(np.sqrt(_squared_distances(task.sample(), center).mean()))

        def objective(numbers: Any, noise: np.random.Generator) -> float:
            batch = task.with_anomalies(numbers, noise)
            return _run(task, batch, lambda outputs: losses.margin(outputs, center, task.labels[batch], width))

        return Plan(objective, partial(_squared_distances, center=center))


class MeanShifted(ParameterObject):
    """Contrast of two noisy views of each row, seen from the mean of all rows; scored by the nearest training rows.

    Parameters
    ----------
    temperature : float, default=0.25
    noise : float, default=0.1
        Standard deviation of the noise of a view, in root mean variances of the columns.
    shift : bool, default=True
        Whether directions are taken from the mean direction, as published, or from 0.

    Notes
    -----
    Mean-shifted contrastive loss [1]_, which adapts features that were learnt elsewhere. Outputs are scaled to norm 1;
    the score is minus the sum of squared distances to the two nearest of at most 2,000 training rows, a row itself left
    out. What we changed: the views differ by noise, as rows of a table have no image augmentations. On frozen
    embeddings of images adapting lost against no adapting at all, with the shift far less than without it.

    References
    ----------
    .. [1] Reiss, T. and Hoshen, Y. (2023). "Mean-shifted contrastive loss for anomaly detection". AAAI.
       arXiv:2106.03844.

    Examples
    --------
    >>> from skanomaly.detectors import MeanShifted, OneClassNetwork
    >>> OneClassNetwork(objective=MeanShifted(noise=0.2))
    OneClassNetwork(objective=MeanShifted(noise=0.2))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="neither")],
        "shift": ["boolean"],
    }

    def __init__(self, *, temperature: float = 0.25, noise: float = 0.1, shift: bool = True) -> None:
        self.temperature = temperature
        self.noise = noise
        self.shift = shift

    def _plan(self, task: Task) -> Plan:
        n_outputs = task.network.layers[MAP].sizes[-1]
        center = on_spheres(task.sample(), n_outputs).code.mean(axis=0) * np.float32(self.shift)

        def objective(numbers: Any, noise: np.random.Generator) -> float:
            rows = task.take(numbers)
            passes, views = [], []
            for _ in range(2):
                seen = rows + np.float32(self.noise) * noise.standard_normal(rows.shape, dtype=np.float32)
                outputs = task.network.forward(MAP, seen)
                unit = on_spheres(outputs[-1], n_outputs)
                shifted = on_spheres(unit.code - center, n_outputs)
                passes.append((outputs, unit, shifted))
                views.append(shifted.code)
            loss, *slopes = losses.contrast(views[0], views[1], float(self.temperature))
            for (outputs, unit, shifted), found in zip(passes, slopes, strict=True):
                task.network.backward(MAP, outputs, unit.back(shifted.back(found)))
            return loss

        return Plan(objective, _directions)


def _directions(outputs: Array) -> Floats:
    """Return unit vectors, from which distances to stored ones are taken."""
    return on_spheres(outputs, outputs.shape[1]).code.astype(np.float64)


class ProjectionOutlyingness(ParameterObject):
    """Outlyingness of the outputs along random projections: the distance to their median, in MAD.

    Parameters
    ----------
    n_projections : int, default=100
    n_modes : int, default=1
        Groups of normal rows, found by k-means before training; the nearest counts.

    Notes
    -----
    Deep random projection outlyingness [1]_: medians and MAD are those of the outputs before training, as the centre
    of :class:`SVDD` is. Training and score take the mean over the projections.

    References
    ----------
    .. [1] Bauw, M., Velasco-Forero, S., Angulo, J., Adnet, C. and Airiau, O. (2021). "Deep random projection
       outlyingness for unsupervised anomaly detection". ICML workshop. arXiv:2106.15307.

    Examples
    --------
    >>> from skanomaly.detectors import OneClassNetwork, ProjectionOutlyingness
    >>> OneClassNetwork(objective=ProjectionOutlyingness(n_modes=3))
    OneClassNetwork(objective=ProjectionOutlyingness(n_modes=3))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_projections": [Interval(Integral, 1, None, closed="left")],
        "n_modes": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, n_projections: int = 100, n_modes: int = 1) -> None:
        self.n_projections = n_projections
        self.n_modes = n_modes

    def _plan(self, task: Task) -> Plan:
        outputs = task.sample()
        directions = task.random.standard_normal((outputs.shape[1], int(self.n_projections)), dtype=np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        from sklearn.cluster import KMeans

        projected = outputs @ directions
        n_modes = min(int(self.n_modes), len(np.unique(outputs, axis=0)))
        seed = int(task.random.integers(2**31 - 1))
        modes = (
            KMeans(n_modes, n_init=2, random_state=seed).fit_predict(outputs)
            if n_modes > 1
            else np.zeros(len(outputs), dtype=int)
        )
        medians = np.array([np.median(projected[modes == mode], axis=0) for mode in range(n_modes)])
        spread = np.median(np.abs(projected - medians[modes]), axis=0)
        directions = (directions / (_MAD * usable_scale(spread, np.abs(medians).max(axis=0)))).astype(np.float32)
        medians = np.array([np.median((outputs @ directions)[modes == mode], axis=0) for mode in range(n_modes)])

        def distances(seen: Array) -> Floats:
            return np.stack([np.abs(seen - median).mean(axis=1) for median in medians], axis=1)

        def loss(found: Array) -> tuple[float, Array]:
            seen = found @ directions
            nearest = medians[distances(seen).argmin(axis=1)].astype(seen.dtype)
            value, slopes = losses.projection_outlyingness(seen, nearest)
            return value, slopes @ directions.T

        def objective(numbers: Any, noise: np.random.Generator) -> float:  # noqa: ARG001  # the form of objectives
            return _run(task, numbers, loss)

        return Plan(objective, partial(_nearest_outlyingness, directions=directions, medians=medians))


def _nearest_outlyingness(outputs: Array, directions: Array, medians: Array) -> Floats:
    seen = outputs @ directions
    parts = [np.abs(seen - median).mean(axis=1, dtype=np.float64) for median in medians]
    return np.asarray(np.min(parts, axis=0))
