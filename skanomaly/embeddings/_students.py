"""Students of distillation that are networks."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._autoencoding import DECODER, ENCODER, corrupted, reconstruct
from skanomaly._networks._losses import squared_error
from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import Schedule, in_blocks, train
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import training_steps
from skanomaly._support._network_input import NetworkInput
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval, StrOptions

__all__ = ["FittedBranch", "FittedStudent", "NetworkStudent"]

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
    bottleneck : int or None, default=None
        Units of the narrowest layer of an autoencoder that predicts the target too; a second student predicts what
        the autoencoder gives, and their squared difference is one more error. EfficientAD's branch for samples whose
        parts are normal, but not together. None: no branch.
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
    :class:`skanomaly.detectors.KrigingDetector`. What we changed in the branch of the autoencoder: the second student
    is a network of its own, not the second half of the first one's outputs.

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
        "bottleneck": [Interval(Integral, 1, None, closed="left"), None],
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
        bottleneck: int | None = None,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
    ) -> None:
        self.target = target
        self.hard_quantile = hard_quantile
        self.shuffled_weight = shuffled_weight
        self.bottleneck = bottleneck
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _schedule(self) -> Schedule:
        return Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init))

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

        with single_blas_thread():
            train(*(self._network, objective, np.arange(len(inputs)), random, plan._schedule()), steps=training_steps)
        self._network.freeze()

    def _wanted(self, rows: Floats, *, raw: bool = False) -> Floats:
        """Return what is to be predicted; `raw` before it is standardised."""
        if self._teacher is None:
            wanted = rows[:, self._target]
        else:
            teacher, seen = self._teacher, self._seen(rows[:, self._source])
            n_outputs = teacher.layers[_TEACHER].sizes[-1]
            wanted = _outputs(lambda block: teacher.forward(_TEACHER, block)[-1], seen, n_outputs)
        return wanted if raw else (wanted - self._center) / self._scale

    def targets(self, rows: Floats) -> tuple[Array, Floats]:
        """Return what the student sees of rows, and what it is to predict, standardised."""
        return self._seen(rows[:, self._source]), self._wanted(rows)

    def errors(self, rows: Floats, leverages: Floats, error: str) -> Floats:  # as of other students
        """Return the error of each row."""
        seen, wanted = self.targets(rows)
        predicted = _outputs(lambda block: self._network.forward(_STUDENT, block)[-1], seen, wanted.shape[1])
        if error == "squared":
            return np.asarray(np.mean(np.square(wanted - predicted), axis=1))
        lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(predicted, axis=1)
        products = np.einsum("ij,ij->i", wanted, predicted)
        return np.asarray(1 - np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0))


class FittedBranch:
    """An autoencoder that predicts what a student does, and a second student that predicts the autoencoder.

    Parameters
    ----------
    student : FittedStudent
    rows : ndarray of shape (n_rows, n_columns), float64
    kept : ndarray of shape (n_kept,), intp
        Rows to train on.
    plan : NetworkStudent
    random : numpy.random.Generator
    """

    def __init__(
        self, student: FittedStudent, rows: Floats, kept: NDArray[np.intp], plan: NetworkStudent, random: Any
    ) -> None:
        self._student, self.leverages = student, np.zeros(len(rows))
        inputs, wanted = student.targets(rows[kept])
        hidden, n_code = plan._hidden(inputs.shape[1]), int(plan.bottleneck or 1)
        self._network = Network(
            {
                ENCODER: Layers((inputs.shape[1], *hidden, n_code)),
                DECODER: Layers((n_code, *hidden[::-1], wanted.shape[1])),
            },
            random,
            np.float32,
        )
        self._second = Network({_STUDENT: Layers((inputs.shape[1], *hidden, wanted.shape[1]))}, random, np.float32)
        targets = wanted.astype(np.float32)

        def of_autoencoder(numbers: NDArray[np.intp], _: np.random.Generator) -> float:
            return reconstruct(self._network, inputs[numbers], targets[numbers]).loss

        with single_blas_thread():
            train(self._network, of_autoencoder, np.arange(len(inputs)), random, plan._schedule(), steps=training_steps)
        given = _outputs(self._rebuilt, inputs, wanted.shape[1]).astype(np.float32)

        def of_student(numbers: NDArray[np.intp], _: np.random.Generator) -> float:
            outputs = self._second.forward(_STUDENT, inputs[numbers])
            value, slopes = squared_error(outputs[-1], given[numbers])
            self._second.backward(_STUDENT, outputs, slopes)
            return value

        with single_blas_thread():
            train(self._second, of_student, np.arange(len(inputs)), random, plan._schedule(), steps=training_steps)
        self._network.freeze()
        self._second.freeze()

    def _rebuilt(self, block: Array) -> Array:
        return self._network.forward(DECODER, self._network.forward(ENCODER, block)[-1])[-1]

    def errors(self, rows: Floats, leverages: Floats, error: str) -> Floats:  # as of other students
        """Return the mean squared difference of the autoencoder and the second student, of each row."""
        seen, wanted = self._student.targets(rows)

        def differences(block: Array) -> Array:
            return self._rebuilt(block) - self._second.forward(_STUDENT, block)[-1]

        return np.asarray(np.square(_outputs(differences, seen, wanted.shape[1])).mean(axis=1))


def _outputs(function: Callable[[Array], Array], seen: Array, n_outputs: int) -> Floats:
    """Apply a network to all rows, in blocks."""
    found = np.empty((len(seen), n_outputs))
    with single_blas_thread():
        for part, values in in_blocks(function, lambda part: seen[part], len(seen)):
            found[part] = values
    return found
