"""A transformer that says which time points of windows are anomalous; needs torch."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._torch import Weights, in_one_thread, loaded, new_module, train_module
from skanomaly._networks._torch_patches import PatchShape, patch_transformer
from skanomaly._networks._training import Schedule, in_blocks
from skanomaly._support._callbacks import training_steps
from skanomaly._support._optional import import_optional
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly.sequence._encoders._base import AfterStep

__all__ = ["AttentionClassifier"]

_COUNT = [Interval(Integral, 1, None, closed="left")]


class AttentionClassifier(ParameterObject):
    """A transformer over patches with relative positions, for :class:`DegradationDetector`; needs torch.

    Parameters
    ----------
    patch_size : int, default=4
        Time points of a patch; windows are cut to a multiple of it.
    n_units : int, default=32
        Size of a token; a multiple of `n_heads`.
    n_layers : int, default=2
    n_heads : int, default=4
    max_iter : int, default=600
        Steps of training, each on one batch.
    batch_size : int, default=16
    learning_rate_init : float, default=0.001
        Learning rate of the first step; it falls to 0.

    Notes
    -----
    The network of AnomalyBERT [1]_: a linear map of patches, layers of attention and of a dense network with
    normalisation before each, learnt biases by the distance between patches, and one logit a time point. It is smaller
    by default, and trained by far fewer steps.

    References
    ----------
    .. [1] Jeong, Y., Yang, E., Ryu, J. H., Park, I. and Kang, M. (2023). "AnomalyBERT: self-supervised transformer for
       time series anomaly detection using data degradation scheme". ICLR workshop on machine learning for IoT.
       arXiv:2305.04468.

    Examples
    --------
    >>> from skanomaly.sequence import AttentionClassifier, DegradationDetector
    >>> DegradationDetector(AttentionClassifier(patch_size=8))
    DegradationDetector(classifier=AttentionClassifier(patch_size=8))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "patch_size": _COUNT,
        "n_units": _COUNT,
        "n_layers": _COUNT,
        "n_heads": _COUNT,
        "max_iter": _COUNT,
        "batch_size": _COUNT,
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        patch_size: int = 4,
        n_units: int = 32,
        n_layers: int = 2,
        n_heads: int = 4,
        max_iter: int = 600,
        batch_size: int = 16,
        learning_rate_init: float = 1e-3,
    ) -> None:
        self.patch_size = patch_size
        self.n_units = n_units
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(
        self,
        windows: NDArray[np.float64],
        anomalous: NDArray[np.bool_],
        random: np.random.Generator,
        after_step: AfterStep,
    ) -> "_PatchModel":
        if self.n_units % self.n_heads:
            raise ValueError(f"n_units={self.n_units} must be a multiple of n_heads={self.n_heads}.")
        torch = import_optional("torch", extra="neural")
        size = min(int(self.patch_size), windows.shape[1])
        shape = PatchShape(
            windows.shape[2],
            size,
            -(-windows.shape[1] // size),
            int(self.n_units),
            int(self.n_layers),
            int(self.n_heads),
        )
        module = new_module(lambda: patch_transformer(shape), random)
        inputs = torch.from_numpy(_filled(windows, shape))
        targets = torch.from_numpy(anomalous.astype(np.float32))

        def loss_of(numbers: NDArray[np.intp], _: np.random.Generator) -> Any:
            chosen = torch.from_numpy(numbers)
            logits = module(inputs[chosen])[:, : targets.shape[1]]
            return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets[chosen])

        schedule = Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init), 1e-5)
        weights, losses = train_module(
            module, loss_of, len(windows), random, schedule, after_step=after_step, steps=training_steps
        )
        return _PatchModel(shape, weights, losses)


def _filled(windows: NDArray[np.float64], shape: PatchShape) -> NDArray[np.float32]:
    """Repeat the last time points of windows until they are whole patches."""
    missing = shape.n_patches * shape.patch_size - windows.shape[1]
    return np.pad(windows, ((0, 0), (0, missing), (0, 0)), mode="edge").astype(np.float32)


class _PatchModel:
    """A trained transformer; its weights are arrays."""

    def __init__(self, shape: PatchShape, weights: Weights, losses: list[float]) -> None:
        self._shape, self._weights, self.losses = shape, weights, losses

    def probabilities(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each time point of windows to be anomalous."""
        torch = import_optional("torch", extra="neural")
        module = loaded(lambda: patch_transformer(self._shape), self._weights)
        rows = _filled(windows, self._shape)
        out = np.empty(windows.shape[:2])
        with in_one_thread(), torch.no_grad():
            for part, found in in_blocks(
                lambda block: torch.sigmoid(module(torch.from_numpy(block))).numpy(), lambda part: rows[part], len(rows)
            ):
                out[part] = found[:, : windows.shape[1]]
        return out
