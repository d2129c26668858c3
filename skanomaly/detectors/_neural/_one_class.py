"""A trained map whose distance to the place of normal rows is the score."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import print_loss, training_steps
from skanomaly._support._hooks import normal_samples
from skanomaly._support._network_input import NetworkInput
from skanomaly._support._patches import PatchSets
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._spectrum import Spectrum, estimate_spectrum
from skanomaly._support._warnings import warn_user
from skanomaly.base import PatchDetector
from skanomaly.detectors._mixed import ValueLookup
from skanomaly.detectors._neural._objectives import MAP, SVDD, MeanShifted, Task

__all__ = ["OneClassNetwork"]

_MOST_FOR_COVARIANCE = 8192
_MOST_STORED = 2000
_N_NEIGHBORS = 2
_COLLAPSED = 1e-3
Floats = NDArray[np.float64]


class OneClassNetwork(PatchDetector):
    r"""A network trained to bring normal rows together; the distance to their place is the score.

    Parameters
    ----------
    objective : SVDD, SoftBoundary, DeepSAD, Margin, ProjectionOutlyingness, MeanShifted or None, default=None
        What the network is trained for. None is ``SVDD()``. Only ``DeepSAD`` and ``Margin`` use labelled anomalies.
    hidden_layer_sizes : sequence of int or None, default=None
        Sizes of the layers; the last are the outputs. None is twice the number of columns (16 to 128), then the number
        of columns (4 to 32); for ``MeanShifted`` one linear layer that starts from the identity.
    covariance : {"ledoit_wolf", "oas", "empirical"} or None, default="ledoit_wolf"
        Whiten the rows by this estimate of the covariance of the training rows. None takes the columns as they are;
        ``MeanShifted`` then takes directions from 0, as suits embeddings, not from the mean.
    max_iter : int, default=400
        Steps of Adam, each on one batch.
    batch_size : int, default=128
    learning_rate_init : float, default=0.001
        Learning rate of the first step; it falls to 0 along a cosine.
    verbose : bool, default=False
        Print the loss every hundred steps of training.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample of several patches: the largest or the mean outlyingness of its patches, or the mean of the
        given fraction of its patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for weights, batches and noise.

    Attributes
    ----------
    loss_curve_ : ndarray of shape (n_steps,)
        Loss of each step of training.
    n_iter_ : int
        Steps of training taken.
    n_patches_ : int or None
        Number of patches of every training sample; None if samples differ.
    offset_ : float
        Threshold on ``score_samples``: samples that score below are anomalies.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    KrigingDetector : Better without labels on the tables we measured, and faster.
    Autoencoder : Error of reconstruction.
    skanomaly.sampling.SyntheticAnomalyDetector : Trains on anomalies that are made.

    Notes
    -----
    `y`: labelled anomalies are used by ``DeepSAD`` and ``Margin``; the other objectives leave them out. There the same
    label counts for all patches of a sample.

    Layers are rectified linear units without biases, on centred inputs. What we changed: the inputs have a constant
    column, except with ``MeanShifted``. Without it the row in the middle of the data has the output 0, which is no
    centre, so that it would score as an anomaly. A map that sends all rows to one place tells nothing; training that
    ends near it gives a warning.

    Networks compute in float32, in blocks of 256 rows, so that the score of a row does not depend on its batch. Weights
    are NumPy arrays. A distance of learnt outputs is no sum over columns; there is no ``feature_contributions``.

    *When it helps.* With some labelled anomalies of the kind that is searched for. Without labels, the distance to
    the nearest whitened row was better on 19 of 24 tables, and on embeddings.

    Cost: `max_iter` steps of O(batch_size · parameters); O(n · parameters) for scoring n rows.

    References
    ----------
    .. [1] Ruff, L. et al. (2021). "A unifying review of deep and shallow anomaly detection". Proceedings of the IEEE
       109(5), 756-795. https://doi.org/10.1109/JPROC.2021.3052449

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import DeepSAD, OneClassNetwork
    >>> random = np.random.default_rng(0)
    >>> X = np.vstack([random.normal(size=(200, 4)), random.normal(3, 0.3, size=(6, 4))])
    >>> y = np.where(np.arange(206) < 200, 1, -1)
    >>> detector = OneClassNetwork(
    ...     objective=DeepSAD(), contamination=0.05, random_state=0
    ... ).fit(X, y)
    >>> detector.predict([[0.0, 0.0, 0.0, 0.0], [3.2, 3.0, 2.8, 3.0]])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "objective": [HasMethods("_plan"), None],
        "hidden_layer_sizes": ["array-like", None],
        "covariance": [StrOptions({"ledoit_wolf", "oas", "empirical"}), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        objective: Any = None,
        hidden_layer_sizes: Any = None,
        covariance: str | None = "ledoit_wolf",
        max_iter: int = 400,
        batch_size: int = 128,
        learning_rate_init: float = 1e-3,
        verbose: bool = False,
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.objective = objective
        self.hidden_layer_sizes = hidden_layer_sizes
        self.covariance = covariance
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.verbose = verbose
        self.pooling = pooling
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **_: Any) -> None:
        chosen = SVDD() if self.objective is None else self.objective
        chosen._validate_params()
        normal_samples(y, self._min_samples, "samples")
        labels = np.repeat(y, X.sizes)
        normal = np.flatnonzero(labels >= 0)
        kept = X.rows if len(normal) == len(X.rows) else X.rows[normal]
        self._read = NetworkInput(kept, center=self.covariance is not None or not isinstance(chosen, MeanShifted))
        ordinary = normal[self._read.ordinary(kept)]
        random = generator(self.random_state)
        with single_blas_thread():
            self._space: Spectrum | None = None
            if self.covariance is not None:
                part = ordinary[:: max(1, len(ordinary) // _MOST_FOR_COVARIANCE)]
                self._space = estimate_spectrum(self._read(X.rows[part]), covariance=self.covariance)
            self._constant = not isinstance(chosen, MeanShifted)
            self._network = self._new_network(random)
            task = Task(
                self._network,
                lambda numbers: self._inputs(X.rows[numbers]),
                ordinary,
                np.flatnonzero(labels < 0),
                labels,
                random,
                int(self.max_iter),
            )
            before = task.sample()
            plan = chosen._plan(task)
            self._score = plan.score

            def told(step: int, loss: float) -> None:
                if plan.after_step is not None:
                    plan.after_step(step, loss)
                print_loss(self, step, loss)

            schedule = Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init))
            losses = train(
                *(self._network, plan.objective, ordinary, random, schedule), after_step=told, steps=training_steps
            )
            self.loss_curve_, self.n_iter_ = np.array(losses), len(losses)
            self._warn_of_collapse(before, task.sample())
            self._store(X.rows, ordinary, random, stored=isinstance(chosen, MeanShifted))
        self._network.freeze()

    def _new_network(self, random: np.random.Generator) -> Network:
        n_columns = self.n_features_in_
        if self._space is not None and self._space.vectors is not None and self._space.rest == 0:
            n_columns = self._space.vectors.shape[1]
        if self.hidden_layer_sizes is None and not self._constant:
            layers = Layers((n_columns, n_columns), bias=False, identity=True)
        else:
            default = [int(np.clip(2 * n_columns, 16, 128)), int(np.clip(n_columns, 4, 32))]
            sizes = layer_sizes(self.hidden_layer_sizes, default)
            layers = Layers((n_columns + self._constant, *sizes), bias=False)
        return Network({MAP: layers}, random, np.float32)

    def _inputs(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return rows as the network gets them."""
        return self._prepared(self._read(rows))

    def _prepared(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Whiten rows that were read, and add a constant column."""
        if self._space is not None:
            rows = np.asarray(self._space.whiten(rows), dtype=np.float32)
        return np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)]) if self._constant else rows

    def _warn_of_collapse(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Warn if the outputs of all rows came to one place, relative to their size."""
        spreads = []
        for outputs in (before, after):
            size = float(np.sqrt(np.square(outputs, dtype=np.float64).mean()))
            spreads.append(float(outputs.std(axis=0, dtype=np.float64).mean()) / size if size > 0 else 0.0)
        if spreads[0] > 0 and spreads[1] < _COLLAPSED * spreads[0]:
            warn_user(
                f"The network of {type(self).__name__} sends nearly all training rows to one place: their spread, "
                f"relative to their size, fell to {spreads[1] / spreads[0]:.1e} of what it was. Scores tell little. "
                f"Lower learning_rate_init={self.learning_rate_init} or max_iter={self.max_iter}."
            )

    def _store(self, rows: NDArray[Any], ordinary: NDArray[np.intp], random: Any, *, stored: bool) -> None:
        """Keep outputs of training rows, where the score is the distance to the nearest."""
        self._bank: Floats | None = None
        if stored:
            numbers = ordinary
            if len(numbers) > _MOST_STORED:
                numbers = np.sort(random.choice(numbers, _MOST_STORED, replace=False))
            bank = np.unique(rows[numbers], axis=0)
            self._lookup = ValueLookup(bank)
            self._bank = np.empty((len(bank), self._network.layers[MAP].sizes[-1]))
            for part, found in in_blocks(self._outputs_score, lambda part: self._inputs(bank[part]), len(bank)):
                self._bank[part] = found

    def _outputs_score(self, block: NDArray[np.float32]) -> Floats:
        return self._score(self._network.forward(MAP, block)[-1])

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        scores = np.empty(len(X.rows))
        same = None if self._bank is None else self._lookup.find(X.rows)
        with single_blas_thread(), np.errstate(over="ignore"):
            for part, found in in_blocks(self._block_scores, lambda part: self._read(X.rows[part]), len(X.rows)):
                scores[part] = found if same is None else self._to_nearest(found, same[part])
        return scores

    def _block_scores(self, block: NDArray[np.float32]) -> Floats:
        found = self._outputs_score(self._prepared(block))
        return found if self._bank is None else 2.0 - 2.0 * (found @ self._bank.T)

    def _to_nearest(self, squares: Floats, same: NDArray[np.intp]) -> Floats:
        """Sum the smallest squared distances to stored rows; a row is left out for itself."""
        squares[same >= 0, same[same >= 0]] = np.inf
        n_neighbors = min(_N_NEIGHBORS, max(1, squares.shape[1] - 1))
        nearest = np.sort(np.partition(squares, n_neighbors - 1, axis=1)[:, :n_neighbors], axis=1)
        return np.where(np.isfinite(nearest), nearest, 0.0).sum(axis=1)
