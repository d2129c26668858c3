"""Error of a sequence's reconstruction by an encoder."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import StrOptions
from skanomaly._support._spectrum import Spectrum, estimate_spectrum
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._representation import normal_sequences
from skanomaly.sequence._encoders._base import SequenceEncoder, SequenceInput
from skanomaly.sequence._encoders._random import ReservoirEncoder

__all__ = ["SequenceReconstructor"]

_MOST_FOR_COVARIANCE = 16_384
_TOLD_EVERY = 100
Floats = NDArray[np.float64]


class SequenceReconstructor(SequenceDetector):
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "encoder": [SequenceEncoder, None],
        "statistic": [StrOptions({"residual", "reconstruction", "absolute", "elbo"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        encoder: Any = None,
        *,
        statistic: str = "residual",
        verbose: bool = False,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.encoder = encoder
        self.statistic = statistic
        self.verbose = verbose
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        encoder = ReservoirEncoder() if self.encoder is None else self.encoder
        encoder._validate_params()
        normal = normal_sequences(X, y, fewest=2)
        self._read = SequenceInput(normal)
        ordinary = [normal[place] for place in self._read.ordinary(normal)]
        rows = self._read(ordinary)
        with single_blas_thread():
            self._model = encoder._fit(rows, generator(self.random_state), self._tell)
            self.loss_curve_, self.n_iter_ = np.array(self._model.losses), len(self._model.losses)
            self._space: Spectrum | None = None
            if self.statistic == "residual":
                errors = np.concatenate(self._errors(rows))
                every = max(1, len(errors) // _MOST_FOR_COVARIANCE)
                self._space = estimate_spectrum(errors[::every], covariance="ledoit_wolf")

    def _tell(self, step: int, loss: float) -> None:
        if self.verbose and step % _TOLD_EVERY == 0:
            print(f"{type(self).__name__}: step {step}, loss {loss:.6f}")  # noqa: T201  # verbose

    def _errors(self, rows: list[NDArray[np.float32]]) -> list[Floats]:
        """Return the errors of standardised sequences."""
        return [found - series for found, series in zip(self._model.reconstruct(rows), rows, strict=True)]

    def _split(self, errors: Floats) -> Floats:
        """Split the outlyingness of time points among the channels."""
        if self.statistic == "absolute":
            return np.abs(errors) / errors.shape[1]
        if self._space is None:
            return np.square(errors) / errors.shape[1]
        return self._space.contributions(errors - self._space.location, self._space.whiten(errors))

    def _by_channel(self, X: list[NDArray[Any]]) -> list[Floats]:
        with single_blas_thread(), np.errstate(over="ignore"):
            return [self._split(errors) for errors in self._errors(self._read(X))]

    def _outlyingness(self, X: list[NDArray[Any]]) -> Floats:
        found = np.array([parts.sum(axis=1).mean() for parts in self._by_channel(X)])
        if self.statistic == "elbo":
            with single_blas_thread():
                found = found + self._model.divergence(self._read(X))
        return found

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[Floats]:
        return [parts.sum(axis=1) for parts in self._by_channel(X)]
