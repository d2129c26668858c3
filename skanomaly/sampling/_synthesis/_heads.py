"""What is trained to distinguish normal rows from anomalies that were made, and the score that follows."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from skanomaly._networks import _losses as losses
from skanomaly._networks._autoencoding import on_spheres
from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import training_steps
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly._support._spectrum import estimate_spectrum

__all__ = [
    "ContrastiveHead",
    "DensityHead",
    "HingeHead",
    "LogisticHead",
    "NetworkHead",
    "OffsetHead",
    "Pairs",
    "TrainedHead",
]

_BODY, _ADAPTER, _DECODER = "body", "adapter", "decoder"
_LEAK = 0.2
_N_MEDOIDS = 4
_CONTRAST = 10.0
Array = NDArray[Any]
Floats = NDArray[np.float64]


class Pairs(NamedTuple):
    """Normal rows and anomalies, as a head is trained on them.

    Attributes
    ----------
    normal : ndarray of shape (n_normal, n_columns), float32
    anomalies : ndarray of shape (n_anomalies, n_columns), float32
    offsets : ndarray of shape (n_anomalies, n_columns), float32
        Displacement of each from its normal row; NaN for labelled anomalies.
    """

    normal: Array
    anomalies: Array
    offsets: Array

    def batch(self, numbers: NDArray[np.intp], noise: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return normal rows, as many anomalies, and the offsets of these."""
        drawn = noise.integers(len(self.anomalies), size=len(numbers))
        return self.normal[numbers], self.anomalies[drawn], self.offsets[drawn]


class NetworkHead(ParameterObject):
    """Base class of heads that are networks; a head writes ``_layers``, ``_loss`` and ``_scorer``."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    hidden_layer_sizes: Any
    max_iter: int
    batch_size: int
    learning_rate_init: float

    def _hidden(self, n_columns: int) -> list[int]:
        return layer_sizes(self.hidden_layer_sizes, [int(np.clip(2 * n_columns, 16, 256))])

    def _layers(self, n_columns: int) -> dict[str, Layers]:
        """Return the layers of the network."""
        return {_BODY: Layers((n_columns, *self._hidden(n_columns), 1), leak=_LEAK)}

    def _loss(self, network: Network, normal: Array, anomalies: Array, offsets: Array) -> float:
        """Add the gradient of the loss of a batch."""
        raise NotImplementedError

    def _scorer(self, network: Network, normal: Array, random: np.random.Generator) -> Callable[[Array], Floats]:
        """Return what turns standardised rows into outlyingness."""
        raise NotImplementedError

    def _train(self, pairs: Pairs, random: np.random.Generator) -> "TrainedHead":
        """Train the network."""
        network = Network(self._layers(pairs.normal.shape[1]), random, np.float32)

        def objective(numbers: NDArray[np.intp], noise: np.random.Generator) -> float:
            return self._loss(network, *pairs.batch(numbers, noise))

        schedule = Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init))
        with single_blas_thread():
            curve = train(network, objective, np.arange(len(pairs.normal)), random, schedule, steps=training_steps)
            found = TrainedHead(self._scorer(network, pairs.normal, random), np.array(curve))
        network.freeze()
        return found


class TrainedHead:
    """A head after training.

    Attributes
    ----------
    loss_curve : ndarray of shape (n_steps,)
    """

    def __init__(self, scorer: Callable[[Array], Floats], loss_curve: Floats) -> None:
        self._scorer = scorer
        self.loss_curve = loss_curve

    def outlyingness(self, rows: Array) -> Floats:
        """Score standardised rows; higher is more anomalous."""
        found = np.empty(len(rows))
        with single_blas_thread():
            for part, values in in_blocks(self._scorer, lambda part: rows[part].astype(np.float32), len(rows)):
                found[part] = values
        return found


class _Output:
    """Outlyingness is minus the output of the network."""

    def __init__(self, network: Network, names: tuple[str, ...]) -> None:
        self.network, self.names = network, names

    def __call__(self, rows: Array) -> Floats:
        for name in self.names:
            rows = self.network.forward(name, rows)[-1]
        return -rows[:, 0].astype(np.float64)


class LogisticHead(NetworkHead):
    """A classifying network; its logit is the score.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or None, default=None
        None is one layer of twice as many units as columns, at least 16 and at most 256.
    max_iter : int, default=600
        Steps of Adam, each on one batch of normal rows and as many anomalies.
    batch_size : int, default=128
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine.

    Examples
    --------
    >>> from skanomaly.sampling import LogisticHead, SyntheticAnomalyDetector
    >>> SyntheticAnomalyDetector(head=LogisticHead(max_iter=300))
    SyntheticAnomalyDetector(head=LogisticHead(max_iter=300))
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _loss(self, network: Network, normal: Array, anomalies: Array, offsets: Array) -> float:
        return _discriminate(network, (_BODY,), normal, anomalies, losses.logistic)

    def _scorer(self, network: Network, normal: Array, random: np.random.Generator) -> Callable[[Array], Floats]:
        return _Output(network, (_BODY,))


def _discriminate(
    network: Network, names: tuple[str, ...], normal: Array, anomalies: Array, loss: Callable[..., tuple[float, Array]]
) -> float:
    """Add the gradient of a loss of the signs of normal rows and anomalies."""
    signs = np.repeat([1.0, -1.0], [len(normal), len(anomalies)]).astype(np.float32)
    passes = [network.forward(names[0], np.concatenate([normal, anomalies]))]
    for name in names[1:]:
        passes.append(network.forward(name, passes[-1][-1]))
    value, slopes = loss(passes[-1][-1], signs)
    for name, outputs in zip(names[::-1], passes[::-1], strict=True):
        slopes = network.backward(name, outputs, slopes, inputs=name != names[0])
    return value


class HingeHead(NetworkHead):
    """A linear adapter and a discriminator with a hinge loss, as in SimpleNet.

    Parameters
    ----------
    margin : float, default=0.5
        Output beyond which a row adds nothing to the loss; above 0.
    hidden_layer_sizes : sequence of int or None, default=None
        Of the discriminator; as in :class:`LogisticHead`.
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.001
        As in :class:`LogisticHead`.

    Notes
    -----
    SimpleNet [1]_ adds Gaussian noise after the adapter; here the anomalies are those of the synthesizer, before it.
    The scale of the noise decides: too small, and nothing is learnt.

    References
    ----------
    .. [1] Liu, Z., Zhou, Y., Xu, Y. and Wang, Z. (2023). "SimpleNet: a simple network for image anomaly detection and
       localization". CVPR. arXiv:2303.15140.

    Examples
    --------
    >>> from skanomaly.sampling import HingeHead, SyntheticAnomalyDetector
    >>> SyntheticAnomalyDetector(head=HingeHead(margin=1.0))
    SyntheticAnomalyDetector(head=HingeHead(margin=1.0))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkHead._parameter_constraints,  # scikit-learn's name for a class's declaration
        "margin": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        margin: float = 0.5,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 1e-3,
    ) -> None:
        self.margin = margin
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _layers(self, n_columns: int) -> dict[str, Layers]:
        return {_ADAPTER: Layers((n_columns, n_columns), identity=True), **super()._layers(n_columns)}

    def _loss(self, network: Network, normal: Array, anomalies: Array, offsets: Array) -> float:
        def loss(outputs: Array, signs: Array) -> tuple[float, Array]:
            return losses.hinge(outputs, signs, float(self.margin))

        return _discriminate(network, (_ADAPTER, _BODY), normal, anomalies, loss)

    def _scorer(self, network: Network, normal: Array, random: np.random.Generator) -> Callable[[Array], Floats]:
        return _Output(network, (_ADAPTER, _BODY))


class DensityHead(LogisticHead):
    """A Gaussian density of normal rows on the last hidden layer of a classifying network, as in CutPaste.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or None, default=None
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.002
        As in :class:`LogisticHead`.

    Notes
    -----
    The squared Mahalanobis distance of the last hidden layer, under the Ledoit-Wolf covariance of normal rows [1]_.
    The network has to find what is normal, not only where the synthetic anomalies are.

    References
    ----------
    .. [1] Li, C.-L., Sohn, K., Yoon, J. and Pfister, T. (2021). "CutPaste: self-supervised learning for anomaly
       detection and localization". CVPR. arXiv:2104.04015.

    Examples
    --------
    >>> from skanomaly.sampling import DensityHead, SyntheticAnomalyDetector
    >>> SyntheticAnomalyDetector(head=DensityHead(hidden_layer_sizes=[32]))
    SyntheticAnomalyDetector(head=DensityHead(hidden_layer_sizes=[32]))
    """

    def _scorer(self, network: Network, normal: Array, random: np.random.Generator) -> Callable[[Array], Floats]:
        return _Density(network, normal)


class _Density:
    """Squared Mahalanobis distance on the last hidden layer."""

    def __init__(self, network: Network, normal: Array) -> None:
        self.network = network
        self.space = estimate_spectrum(network.forward(_BODY, normal)[-2], covariance="ledoit_wolf")

    def __call__(self, rows: Array) -> Floats:
        return np.square(self.space.whiten(self.network.forward(_BODY, rows)[-2])).sum(axis=1)


class OffsetHead(NetworkHead):
    """A network that predicts how far a row was displaced, and where to; the size of the prediction is the score.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or None, default=None
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.002
        As in :class:`LogisticHead`.

    Notes
    -----
    MC4AD [1]_ for rows: the mean absolute error of the displacement, and one minus its cosine; normal rows are
    displaced by 0. What we changed: one prediction, not two that are averaged, which scored alike. Labelled anomalies,
    whose displacement is not known, are not used.

    References
    ----------
    .. [1] Liang, H. et al. (2025). "Examining the source of defects from a mechanical perspective for 3D anomaly
       detection". arXiv:2505.05901.

    Examples
    --------
    >>> from skanomaly.sampling import OffsetHead, SyntheticAnomalyDetector
    >>> SyntheticAnomalyDetector(head=OffsetHead(max_iter=300))
    SyntheticAnomalyDetector(head=OffsetHead(max_iter=300))
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _layers(self, n_columns: int) -> dict[str, Layers]:
        return {_BODY: Layers((n_columns, *self._hidden(n_columns), n_columns))}

    def _train(self, pairs: Pairs, random: np.random.Generator) -> TrainedHead:
        known = np.isfinite(pairs.offsets).all(axis=1)
        return super()._train(Pairs(pairs.normal, pairs.anomalies[known], pairs.offsets[known]), random)

    def _loss(self, network: Network, normal: Array, anomalies: Array, offsets: Array) -> float:
        outputs = network.forward(_BODY, np.concatenate([normal, anomalies]))
        targets = np.concatenate([np.zeros_like(normal), offsets])
        value, slopes = losses.projection_outlyingness(outputs[-1], targets)
        cosine, more = losses.cosine_error(outputs[-1][len(normal) :], offsets)
        slopes[len(normal) :] += more
        network.backward(_BODY, outputs, slopes)
        return value + cosine

    def _scorer(self, network: Network, normal: Array, random: np.random.Generator) -> Callable[[Array], Floats]:
        return _Size(network)


class _Size:
    """Mean absolute output."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, rows: Array) -> Floats:
        return np.abs(self.network.forward(_BODY, rows)[-1]).mean(axis=1, dtype=np.float64)


class ContrastiveHead(NetworkHead):
    """An embedding in which normal rows have one direction and anomalies another; scored by the nearest medoid.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or None, default=None
        The last are the outputs. None is twice, then half the number of columns, between 16 and 256, and 4 and 64.
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.002
        As in :class:`LogisticHead`.

    Notes
    -----
    CSE [1]_: one minus the cosine of two normal rows, and half of one plus the cosine of a normal row and an anomaly;
    a decoder that reconstructs the rows keeps the embedding informative. The score is the cosine distance to the
    nearest of four cluster centres of normal rows. What we changed: the nearest centre, where the released code takes
    the farthest.

    References
    ----------
    .. [1] Thomine, S. and Snoussi, H. (2024). "CSE: surface anomaly detection with contrastively selected embedding".
       VISAPP. arXiv:2403.01859.

    Examples
    --------
    >>> from skanomaly.sampling import ContrastiveHead, SyntheticAnomalyDetector
    >>> SyntheticAnomalyDetector(head=ContrastiveHead(max_iter=300))
    SyntheticAnomalyDetector(head=ContrastiveHead(max_iter=300))
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _layers(self, n_columns: int) -> dict[str, Layers]:
        hidden = self._hidden(n_columns)
        if self.hidden_layer_sizes is None:
            hidden.append(int(np.clip(n_columns // 2, 4, 64)))
        return {
            _BODY: Layers((n_columns, *hidden), leak=_LEAK),
            _DECODER: Layers((hidden[-1], *hidden[-2::-1], n_columns), leak=_LEAK),
        }

    def _loss(self, network: Network, normal: Array, anomalies: Array, offsets: Array) -> float:
        n_rows = len(normal)
        rows = np.concatenate([normal, anomalies])
        outputs = network.forward(_BODY, rows)
        decoded = network.forward(_DECODER, outputs[-1])
        value, slopes = losses.squared_error(decoded[-1], rows)
        code_slopes = network.backward(_DECODER, decoded, slopes, inputs=True)
        unit = on_spheres(outputs[-1], outputs[-1].shape[1])
        first, other = unit.code[:n_rows], unit.code[n_rows:]
        partners = np.roll(first, 1, axis=0)
        alike, unlike = (first * partners).sum(axis=1), (first * other).sum(axis=1)
        value += _CONTRAST * float((1 - alike).mean() + (1 + unlike).mean() / 2)
        unit_slopes = np.empty_like(unit.code)
        share = np.float32(_CONTRAST / n_rows)
        unit_slopes[:n_rows] = share * (other / 2 - partners - np.roll(first, -1, axis=0))
        unit_slopes[n_rows:] = share / 2 * first
        network.backward(_BODY, outputs, code_slopes + unit.back(unit_slopes))
        return value

    def _scorer(self, network: Network, normal: Array, random: np.random.Generator) -> Callable[[Array], Floats]:
        return _NearestMedoid(network, normal, int(random.integers(2**31 - 1)))


class _NearestMedoid:
    """Cosine distance to the nearest of some cluster centres."""

    def __init__(self, network: Network, normal: Array, seed: int) -> None:
        self.network = network
        units = self._units(normal)
        n_clusters = min(_N_MEDOIDS, len(np.unique(units, axis=0)))
        centers = KMeans(n_clusters, n_init=2, random_state=seed).fit(units).cluster_centers_
        self.centers = (centers / np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-12)).T

    def _units(self, rows: Array) -> Floats:
        outputs = self.network.forward(_BODY, rows)[-1]
        return on_spheres(outputs, outputs.shape[1]).code.astype(np.float64)

    def __call__(self, rows: Array) -> Floats:
        return 1.0 - (self._units(rows) @ self.centers).max(axis=1)
