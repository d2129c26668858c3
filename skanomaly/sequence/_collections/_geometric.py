"""Distance of the code of a series from the centre of normal ones, or of a series from its reconstruction."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import training_steps
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._spectrum import estimate_spectrum
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._geometry import Euclidean, Hyperbolic, Space
from skanomaly.sequence._collections._representation import normal_sequences
from skanomaly.sequence._encoders._base import SequenceEncoder, SequenceInput
from skanomaly.sequence._encoders._random import ReservoirEncoder

__all__ = ["Contraction", "GeometricOneClass"]

_MAP = "map"
_COLLAPSED = 1e-4
_LARGEST = 1e6  # standard deviations of a code
Floats = NDArray[np.float64]


class Contraction(ParameterObject):
    """A small network that is trained to bring the codes of normal series together.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or None, default=None
        Sizes of the layers; the last are the outputs. None is [32, 16]. No layer has a bias.
    center : {"static", "running"}, default="static"
        "static": the centre is that of the outputs before training. "running": it is computed anew after each pass over
        the data.
    ridge : float, default=1e-4
        Half of it times the sum of squared weights is added to the loss; at least 0.
    max_iter : int, default=300
        Steps of training, each on one batch.
    batch_size : int, default=128
    learning_rate_init : float, default=0.001
        Learning rate of the first step; it falls to 0.

    See Also
    --------
    GeometricOneClass : Uses it.

    Examples
    --------
    >>> from skanomaly.sequence import Contraction
    >>> Contraction(center="running")
    Contraction(center='running')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", None],
        "center": [StrOptions({"static", "running"})],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = None,
        center: str = "static",
        ridge: float = 1e-4,
        max_iter: int = 300,
        batch_size: int = 128,
        learning_rate_init: float = 1e-3,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.center = center
        self.ridge = ridge
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init


def _tells_certainty(detector: Any) -> bool:
    if not isinstance(detector.space, Hyperbolic) or detector.target != "reconstruction":
        raise AttributeError("certainty needs space=Hyperbolic() and target='reconstruction'.")
    return True


class GeometricOneClass(SequenceDetector):
    r"""Distance from what is normal in a Euclidean, spherical or hyperbolic space.

    With ``target="center"`` the code of a series is compared with the centre of the codes of normal series. With
    ``target="reconstruction"`` a series is compared with its reconstruction; in the hyperbolic space errors then count
    more where the reconstruction is certain.

    Parameters
    ----------
    encoder : object or None, default=None
        How series become codes of one length, and are reconstructed, as in :class:`SequenceReconstructor`. None is
        ``ReservoirEncoder()``, a closed form: it expects each time point from those around it, so that its
        reconstruction is near 0 where it is uncertain.
    space : Euclidean, Spherical, Hyperbolic or None, default=None
        Where distances are measured. None is ``Euclidean()``.
    target : {"center", "reconstruction"}, default="center"
        What a series is compared with.
    contraction : Contraction or None, default=None
        A network trained to bring codes together, only for ``target="center"``. None leaves the codes, which are
        whitened, as they are: a closed form.
    contamination : float, default=0.1
        Fraction of the training series that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for encoders, weights and batches.

    Attributes
    ----------
    center_ : ndarray of shape (n_outputs,)
        Centre of the training series, in the space; only ``target="center"``.
    certainty_ : ndarray of shape (n_sequences,)
        Certainty of the training series, from 0 to 1; only with ``space=Hyperbolic()`` and
        ``target="reconstruction"``.
    loss_curve_ : ndarray of shape (n_steps,)
        Mean squared distance from the centre (one minus the cosine, in the spherical space) of each step of training;
        empty without a `contraction`.
    n_code_ : int
        Size of the code of a series.
    offset_ : float
        Threshold on ``score_samples``: series that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training series are frames with names that are all strings.

    See Also
    --------
    SequenceNeighbors : Distance to the nearest normal series; works for several kinds of normal series.
    SequenceReconstructor : Error of the reconstruction, by time points and channels.
    SlidingWindowDetector : Applies this detector to the windows of one series.

    Notes
    -----
    *Centre.* Codes are whitened by their Ledoit-Wolf covariance and divided by the root of their number. Without a
    `contraction` the score is a function of the Mahalanobis distance, nearly the same ranking in all three spaces. A
    contraction follows [1]_: a map without biases is trained to minimise the distance from the centre. What we changed:
    the encoder is not trained with it and has no graph of joints; the spherical space has no variational autoencoder; a
    constant is added to the inputs, so that the map can reach a centre other than 0. A map that sends all series to one
    point tells nothing; training that ends near it gives a warning.

    *Reconstruction.* A standardised series and its reconstruction are divided by the root of their number of values and
    put into the space. With :math:`h` the points, the score in the hyperbolic space is minus :math:`\lVert h(\hat x)
    \rVert^p\, d(h(x), h(\hat x))`, after [2]_. What we changed: there are no critics, no network between a series and
    its point, and the encoder is any. A series that is far from a certain reconstruction is "certain but wrong", one
    whose reconstruction is near 0 is uncertain; :meth:`certainty` tells them apart.

    `y`: series labelled -1 are left out of training; +1 and 0 are treated alike. Training series are scored by the
    model fitted on them.

    *When it fails.* Several kinds of normal series have no common centre. A contraction did not improve the rankings of
    the public collections that we measured.

    References
    ----------
    .. [1] Flaborea, A., di Melendugno, G. M. D., D'Arrigo, S., Sterpa, M. A., Sampieri, A. and Galasso, F. (2024).
       "Contracting skeletal kinematics for human-related video anomaly detection". Pattern Recognition 156.
       arXiv:2301.09489.
    .. [2] Flaborea, A., Prenkaj, B., Munjal, B., Sterpa, M. A., Aragona, D., Podo, L. and Galasso, F. (2023). "Are we
       certain it's anomalous?" CVPR workshops. arXiv:2211.09224.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import GeometricOneClass, Hyperbolic
    >>> random = np.random.default_rng(0)
    >>> waves = [
    ...     np.sin(np.linspace(0, 20, 80)) + 0.1 * random.normal(size=80) for _ in range(40)
    ... ]
    >>> detector = GeometricOneClass(
    ...     space=Hyperbolic(), contamination=0.02, random_state=0
    ... ).fit(waves)
    >>> detector.predict([waves[0], np.sin(np.linspace(0, 50, 80))])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "encoder": [SequenceEncoder, None],
        "space": [Space, None],
        "target": [StrOptions({"center", "reconstruction"})],
        "contraction": [Contraction, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        encoder: Any = None,
        *,
        space: Any = None,
        target: str = "center",
        contraction: Any = None,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.encoder = encoder
        self.space = space
        self.target = target
        self.contraction = contraction
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        encoder = ReservoirEncoder() if self.encoder is None else self.encoder
        self._place = Euclidean() if self.space is None else self.space
        encoder._validate_params()
        self._place._validate_params()
        if self.contraction is not None:
            self.contraction._validate_params()
            if self.target == "reconstruction":
                raise ValueError("contraction is for target='center'; leave it out for target='reconstruction'.")
        normal = normal_sequences(X, y, fewest=2)
        self._read = SequenceInput(normal)
        rows = self._read([normal[place] for place in self._read.ordinary(normal)])
        random = generator(self.random_state)
        for name in ("center_", "certainty_"):
            self.__dict__.pop(name, None)
        self._network: Network | None = None
        self.loss_curve_ = np.empty(0)
        with single_blas_thread():
            self._model = encoder._fit(rows, random)
            self.n_code_ = int(self._model.n_code)
            if self.target == "center":
                codes = self._model.encode(rows)
                self._whitening = estimate_spectrum(codes, covariance="ledoit_wolf")
                inputs = self._inputs(codes)
                if self.contraction is None:
                    self.center_ = self._place._center(self._place._points(inputs))
                else:
                    self._contract(inputs, self.contraction, random)
        if self.target == "reconstruction" and isinstance(self._place, Hyperbolic):
            self.certainty_ = self._pairs(self._read(X))[1]

    def _inputs(self, codes: Floats) -> Floats:
        whitened = np.asarray(self._whitening.whiten(codes), dtype=np.float64)
        return np.clip(whitened, -_LARGEST, _LARGEST) / np.sqrt(whitened.shape[1])

    @staticmethod
    def _with_constant(inputs: Floats) -> Floats:
        return np.column_stack([inputs, np.full(len(inputs), 1.0 / np.sqrt(inputs.shape[1]))])

    def _contract(self, inputs: Floats, options: Contraction, random: np.random.Generator) -> None:
        sizes = layer_sizes(options.hidden_layer_sizes, [32, 16])
        rows = self._with_constant(inputs) * np.sqrt(inputs.shape[1])
        network = Network({_MAP: Layers((rows.shape[1], *sizes), bias=False)}, random, np.float64)

        def center() -> Floats:
            return self._place._center(self._place._points(network.forward(_MAP, rows)[-1]))

        self.center_ = center()
        each = -(-len(rows) // min(int(options.batch_size), len(rows)))

        def objective(numbers: NDArray[np.intp], _: np.random.Generator) -> float:
            outputs = network.forward(_MAP, rows[numbers])
            loss, slopes = self._place._pull(outputs[-1], self.center_)
            network.backward(_MAP, outputs, slopes)
            return loss

        def after_step(step: int, _: float) -> None:
            if options.center == "running" and step % each == 0:
                self.center_ = center()

        schedule = Schedule(
            int(options.max_iter), int(options.batch_size), float(options.learning_rate_init), float(options.ridge)
        )
        losses = train(
            network, objective, np.arange(len(rows)), random, schedule, after_step=after_step, steps=training_steps
        )
        self.loss_curve_ = np.array(losses)
        outputs = network.forward(_MAP, rows)[-1]
        if len(rows) > 1 and float(outputs.std(axis=0).max()) < _COLLAPSED:
            warn_user(
                "The contraction sends all training series to nearly one point, so that scores tell little. Use a "
                "smaller max_iter or learning_rate_init, or leave the contraction out."
            )
        network.freeze()
        self._network = network

    def _vectors(self, rows: list[NDArray[np.float32]]) -> Floats:
        """Return the outputs for the codes of standardised series."""
        codes = self._model.encode(rows)
        parts = [found for _, found in in_blocks(self._inputs, codes.__getitem__, len(codes))]
        inputs = np.concatenate(parts)
        network = self._network
        if network is None:
            return inputs
        table = self._with_constant(inputs) * np.sqrt(inputs.shape[1])
        blocks = in_blocks(lambda block: network.forward(_MAP, block)[-1], table.__getitem__, len(table))
        return np.concatenate([found for _, found in blocks])

    def _pairs(self, rows: list[NDArray[np.float32]]) -> tuple[Floats, Floats]:
        """Return the weighted distance of each standardised series from its reconstruction, and its certainty."""
        with single_blas_thread():
            expected = self._model.reconstruct(rows)
        distances, certainties = np.empty(len(rows)), np.full(len(rows), np.nan)
        for place, (series, found) in enumerate(zip(rows, expected, strict=True)):
            root = np.sqrt(series.size)
            true, guess = (
                self._place._points(np.clip(part.astype(np.float64).reshape(1, -1), -_LARGEST, _LARGEST) / root)
                for part in (series, found)
            )
            certainty = self._place._certainty(guess)
            distances[place] = self._place._weighted(self._place._distances(guess, true), certainty)[0]
            if certainty is not None:
                certainties[place] = certainty[0]
        return distances, certainties

    def _outlyingness(self, X: list[NDArray[Any]]) -> Floats:
        rows = self._read(X)
        if self.target == "reconstruction":
            return self._pairs(rows)[0]
        with single_blas_thread():
            vectors = self._vectors(rows)
        return self._place._distances(self._place._points(vectors), self.center_)

    @available_if(_tells_certainty)
    def certainty(self, X: Any) -> Floats:
        """Return how certain the reconstruction of each series is.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        ndarray of shape (n_sequences,)
            From 0 to 1: the distance of the reconstruction from the centre of the ball, as a fraction of its radius. An
            anomaly of high certainty is certain but wrong.
        """
        check_is_fitted(self)
        return self._pairs(self._read(self._check(X, reset=False)))[1]
