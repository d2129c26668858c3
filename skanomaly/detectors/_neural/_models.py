"""Fitted autoencoders: what they give back of standardised rows, and the gradient of the error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._network import Network
from skanomaly._networks._training import Schedule, train
from skanomaly._support._callbacks import training_steps
from skanomaly._support._network_input import NetworkInput

__all__ = ["DenseModel", "FeatureModel", "LinearModel", "Material", "Reconstruction", "Training"]

_BLOCK_ROWS = 4096
_COPIES = 4  # corrupted copies of each row
Rows = NDArray[np.float32]
Array = NDArray[Any]


class Reconstruction(NamedTuple):
    """Codes of rows, and their errors, divided by the predicted standard deviation where there is one.

    Attributes
    ----------
    code : ndarray of shape (n_rows, n_code)
    residuals : ndarray of shape (n_rows, n_columns), float64
    """

    code: Array
    residuals: NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """Training rows, read when they are needed.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        As the user gave them.
    read : NetworkInput
    numbers : ndarray of shape (n_ordinary,), intp
        Rows to train on.
    start : Network or None, default=None
        Network whose weights training starts from.
    """

    rows: Array
    read: NetworkInput
    numbers: NDArray[np.intp]
    start: Network | None = None

    def take(self, numbers: NDArray[np.intp]) -> Rows:
        """Return some rows, standardised."""
        return self.read(self.rows[numbers])

    def sample(self, most: int) -> Rows:
        """Return evenly spaced rows, at most twice as many as asked for."""
        return self.take(self.numbers[:: max(1, len(self.numbers) // most)])

    def blocks(self) -> Any:
        """Yield all rows to train on, in blocks."""
        for start in range(0, len(self.numbers), _BLOCK_ROWS):
            yield self.take(self.numbers[start : start + _BLOCK_ROWS])


@dataclass(frozen=True)
class Training:
    """How a network is trained, and what it told.

    Parameters
    ----------
    schedule : Schedule
    early_stopping : bool
        Hold a tenth of the rows out.
    after_step : callable or None
    """

    schedule: Schedule
    early_stopping: bool
    after_step: Callable[[int, float], None] | None

    def run(
        self,
        network: Network,
        objective: Callable[[NDArray[np.intp], np.random.Generator], float],
        rows: NDArray[np.intp],
        random: np.random.Generator,
        after_step: Callable[[int, float], None] | None = None,
    ) -> list[float]:
        """Train a network; return its losses."""

        def told(step: int, loss: float) -> None:
            for function in (after_step, self.after_step):
                if function is not None:
                    function(step, loss)

        held_out = None
        n_held = len(rows) // 10
        if self.early_stopping and n_held:
            mixed = random.permutation(rows)
            held_out, rows = np.sort(mixed[:n_held]), np.sort(mixed[n_held:])
        losses = train(
            *(network, objective, rows, random, self.schedule),
            held_out=held_out,
            after_step=told,
            steps=training_steps,
        )
        network.freeze()
        return losses


class LinearModel:
    """Projection on principal components.

    Parameters
    ----------
    center : ndarray of shape (n_columns,)
    directions : ndarray of shape (n_columns, n_code)
    """

    def __init__(self, center: Array, directions: Array) -> None:
        self.center, self.directions = center.astype(np.float64), directions.astype(np.float64)
        self.n_code = directions.shape[1]

    def __call__(self, rows: Rows) -> Reconstruction:
        """Return codes and residuals."""
        centred = rows - self.center
        code = centred @ self.directions
        return Reconstruction(code, code @ self.directions.T - centred)

    def gradient(self, rows: Rows) -> Array:
        """Return the gradient of the mean squared error of each row in its columns."""
        return -2.0 / rows.shape[1] * self(rows).residuals


class FeatureModel:
    """Ridge regression of rows on random features of corrupted rows.

    Parameters
    ----------
    weights : ndarray of shape (n_columns, n_hidden)
    bias : ndarray of shape (n_hidden,)
    coef : ndarray of shape (n_hidden + 1, n_columns)
        The last row is the intercept.
    """

    def __init__(self, weights: Rows, bias: Rows, coef: Array) -> None:
        self.weights, self.bias, self.coef = weights, bias, coef
        self.n_code = weights.shape[1]

    @staticmethod
    def features(weights: Rows, bias: Rows, rows: Rows) -> Rows:
        """Return hyperbolic tangents of random projections."""
        hidden = rows @ weights
        hidden += bias
        return np.tanh(hidden, out=hidden)

    @classmethod
    def fit(
        cls, material: Material, n_features: int, *, noise: float, ridge: float, random: np.random.Generator
    ) -> "FeatureModel":
        """Fit the ridge regression in one pass."""
        n_columns = material.rows.shape[1]
        weights = random.standard_normal((n_columns, n_features), dtype=np.float32) / np.float32(np.sqrt(n_columns))
        bias = random.uniform(-1, 1, size=n_features).astype(np.float32)
        gram = np.zeros((n_features + 1, n_features + 1))
        products = np.zeros((n_features + 1, n_columns))
        n_rows = 0
        for rows in material.blocks():
            for _ in range(_COPIES):
                corrupted = rows + np.float32(noise) * random.standard_normal(rows.shape, dtype=np.float32)
                hidden = np.ones((len(rows), n_features + 1), dtype=np.float32)
                hidden[:, :-1] = cls.features(weights, bias, corrupted)
                gram += hidden.T @ hidden
                products += hidden.T @ rows
                n_rows += len(rows)
        penalty = np.full(n_features + 1, ridge * n_rows)
        penalty[-1] = 1e-6 * n_rows  # of the intercept
        gram[np.diag_indices_from(gram)] += penalty
        return cls(weights, bias, scipy.linalg.solve(gram, products, assume_a="pos"))

    def __call__(self, rows: Rows) -> Reconstruction:
        """Return features and residuals."""
        hidden = self.features(self.weights, self.bias, rows)
        return Reconstruction(hidden, hidden @ self.coef[:-1] + self.coef[-1] - rows)

    def gradient(self, rows: Rows) -> Array:
        """Return the gradient of the mean squared error of each row in its columns."""
        hidden, residuals = self(rows)
        inner = (residuals @ self.coef[:-1].T) * (1 - np.square(hidden, dtype=np.float64))
        return 2.0 / rows.shape[1] * (inner @ self.weights.T - residuals)


class DenseModel:
    """A trained encoder and decoder.

    Parameters
    ----------
    network : Network
    n_columns : int
    middle : {"plain", "spheres", "means", "memory"}
        What happens to the outputs of the encoder.
    size : float, default=0
        Columns of each sphere, or limit of the weights of the memory.
    uncertain : bool, default=False
        Whether the decoder also gives log-variances.
    """

    def __init__(
        self, network: Network, n_columns: int, *, middle: str = "plain", size: float = 0, uncertain: bool = False
    ) -> None:
        self.network, self.n_columns = network, n_columns
        self.middle, self.size, self.uncertain = middle, size, uncertain
        self.n_code = network.layers[auto.DECODER].sizes[0]

    def code_of(self, outputs: Array) -> auto.Code:
        """Return the code of outputs of the encoder."""
        if self.middle == "spheres":
            return auto.on_spheres(outputs, int(self.size))
        if self.middle == "memory":
            return auto.recall(self.network, outputs, self.size, 0.0, learn=False)
        if self.middle == "means":
            n_code = self.n_code
            return auto.Code(
                outputs[:, :n_code], 0.0, lambda slopes: np.concatenate([slopes, np.zeros_like(slopes)], axis=1)
            )
        return auto.plain(outputs)

    def _decoded(self, rows: Rows) -> tuple[list[Array], auto.Code, list[Array]]:
        encoded = self.network.forward(auto.ENCODER, rows)
        found = self.code_of(encoded[-1])
        return encoded, found, self.network.forward(auto.DECODER, found.code)

    def __call__(self, rows: Rows) -> Reconstruction:
        """Return codes and residuals."""
        _, found, decoded = self._decoded(rows)
        outputs = decoded[-1].astype(np.float64)
        residuals = outputs[:, : self.n_columns] - rows
        if self.uncertain:
            residuals *= np.exp(-0.5 * np.clip(outputs[:, self.n_columns :], -20.0, 20.0))
        return Reconstruction(found.code, residuals)

    def gradient(self, rows: Rows) -> Array:
        """Return the gradient of the mean squared error of each row in its columns."""
        encoded, found, decoded = self._decoded(rows)
        residuals = (decoded[-1][:, : self.n_columns] - rows) * np.float32(2.0 / self.n_columns)
        slopes = np.zeros_like(decoded[-1])
        slopes[:, : self.n_columns] = residuals
        code_slopes = self.network.input_slopes(auto.DECODER, decoded, slopes)
        return self.network.input_slopes(auto.ENCODER, encoded, found.back(code_slopes)) - residuals
