"""Students of distillation that are networks."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._autoencoding import corrupted
from skanomaly._networks._losses import squared_error
from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import training_steps
from skanomaly._support._network_input import NetworkInput
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval, StrOptions

__all__ = ["FittedStudent", "NetworkStudent"]

_STUDENT, _TEACHER = "student", "teacher"
_TINY = 1e-12
Floats = NDArray[np.float64]
Array = NDArray[Any]


class NetworkStudent(ParameterObject):
    """A student of :class:`DistillationDetector` that is a network.

    Parameters
    ----------
    target : {"columns", "random"}, default="columns"
        "columns" are the columns of the other level. "random" are the outputs of a random network of all columns, for
        vectors that have no levels; `n_views` such networks are drawn.
    hard_quantile : float, default=0.0
        Only errors above this quantile of a batch are reduced; in [0, 1). EfficientAD's hard mining.
    shuffled_weight : float, default=0.0
        Weight of the mean squared output for rows whose columns are shuffled, so that the student does not generalise;
        at least 0. EfficientAD takes images of other things for that.
    hidden_layer_sizes : sequence of int or None, default=None
        None is one layer of twice as many units as columns seen, at least 16 and at most 256.
    max_iter : int, default=600
        Steps of Adam, each on one batch.
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
        Learning rate of the first step; it falls to 0 along a cosine.

    Notes
    -----
    Random targets are those of random network distillation [2]_, whose closed form is
    :class:`skanomaly.detectors.KrigingDetector`.

    References
    ----------
    .. [1] Batzner, K., Heckler, L. and König, R. (2024). "EfficientAD: accurate visual anomaly detection at
       millisecond-level latencies". WACV. arXiv:2303.14535.
    .. [2] Burda, Y., Edwards, H., Storkey, A. and Klimov, O. (2019). "Exploration by random network distillation".
       ICLR. arXiv:1810.12894.

    Examples
    --------
    >>> from skanomaly.embeddings import DistillationDetector, NetworkStudent
    >>> DistillationDetector(student=NetworkStudent(target="random"))
    DistillationDetector(student=NetworkStudent(target='random'))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "target": [StrOptions({"columns", "random"})],
        "hard_quantile": [Interval(Real, 0, 1, closed="left")],
        "shuffled_weight": [Interval(Real, 0, None, closed="left")],
        "hidden_layer_sizes": ["array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        target: str = "columns",
        hard_quantile: float = 0.0,
        shuffled_weight: float = 0.0,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
    ) -> None:
        self.target = target
        self.hard_quantile = hard_quantile
        self.shuffled_weight = shuffled_weight
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _hidden(self, n_columns: int) -> list[int]:
        return layer_sizes(self.hidden_layer_sizes, [int(np.clip(2 * n_columns, 16, 256))])


class FittedStudent:
    """A network that predicts some columns from others, or the outputs of a random network.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64
    kept : ndarray of shape (n_kept,), intp
        Rows to train on.
    source, target : ndarray of intp
        Columns seen, and columns predicted; of random targets only the first count.
    plan : NetworkStudent
    random : numpy.random.Generator
    """

    def __init__(
        self,
        rows: Floats,
        kept: NDArray[np.intp],
        source: NDArray[np.intp],
        target: NDArray[np.intp],
        plan: NetworkStudent,
        random: np.random.Generator,
    ) -> None:
        self._source, self._target = source, target
        self.leverages = np.zeros(len(rows))
        self._seen = NetworkInput(rows[kept][:, source])
        hidden = plan._hidden(len(source))
        n_outputs = hidden[-1] if plan.target == "random" else len(target)
        sizes = {_STUDENT: Layers((len(source), *hidden, n_outputs))}
        self._teacher: Network | None = None
        if plan.target == "random":
            self._teacher = Network({_TEACHER: Layers((len(source), *hidden, n_outputs))}, random, np.float32)
            self._teacher.freeze()
        wanted = self._wanted(rows[kept], raw=True)
        self._center = wanted.mean(axis=0)
        spread = wanted.std(axis=0)
        self._scale = np.where(spread > _TINY * (1 + np.abs(self._center)), spread, 1.0)
        self._network = Network(sizes, random, np.float32)
        inputs = self._seen(rows[kept][:, source])
        targets = ((wanted - self._center) / self._scale).astype(np.float32)

        def objective(numbers: NDArray[np.intp], noise: np.random.Generator) -> float:
            batch = inputs[numbers]
            outputs = self._network.forward(_STUDENT, batch)
            value, slopes = squared_error(outputs[-1], targets[numbers])
            if plan.hard_quantile:
                hard = np.abs(slopes) >= np.quantile(np.abs(slopes), plan.hard_quantile)
                slopes *= hard * np.float32(hard.size / np.count_nonzero(hard))
            self._network.backward(_STUDENT, outputs, slopes)
            if plan.shuffled_weight:
                other = self._network.forward(_STUDENT, corrupted(batch, "swap", 1.0, noise))
                away, slopes = squared_error(other[-1], np.zeros_like(other[-1]))
                self._network.backward(_STUDENT, other, slopes * np.float32(plan.shuffled_weight))
                value += float(plan.shuffled_weight) * away
            return value

        schedule = Schedule(int(plan.max_iter), int(plan.batch_size), float(plan.learning_rate_init))
        with single_blas_thread():
            train(self._network, objective, np.arange(len(inputs)), random, schedule, steps=training_steps)
        self._network.freeze()

    def _wanted(self, rows: Floats, *, raw: bool = False) -> Floats:
        """Return what is to be predicted; `raw` before it is standardised."""
        if self._teacher is None:
            wanted = rows[:, self._target]
        else:
            teacher = self._teacher
            wanted = np.empty((len(rows), teacher.layers[_TEACHER].sizes[-1]))
            seen = self._seen(rows[:, self._source])
            with single_blas_thread():
                for part, found in in_blocks(
                    lambda block: teacher.forward(_TEACHER, block)[-1], lambda part: seen[part], len(rows)
                ):
                    wanted[part] = found
        return wanted if raw else (wanted - self._center) / self._scale

    def errors(self, rows: Floats, leverages: Floats, error: str) -> Floats:  # as of other students
        """Return the error of each row."""
        wanted = self._wanted(rows)
        seen = self._seen(rows[:, self._source])
        predicted = np.empty_like(wanted)
        with single_blas_thread():
            for part, found in in_blocks(
                lambda block: self._network.forward(_STUDENT, block)[-1], lambda part: seen[part], len(rows)
            ):
                predicted[part] = found
        if error == "squared":
            return np.asarray(np.mean(np.square(wanted - predicted), axis=1))
        lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(predicted, axis=1)
        products = np.einsum("ij,ij->i", wanted, predicted)
        return np.asarray(1 - np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0))
