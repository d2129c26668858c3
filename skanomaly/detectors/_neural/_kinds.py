"""Kinds of autoencoders without training: principal components and random features."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._network import layer_sizes
from skanomaly._networks._training import Schedule
from skanomaly._support._network_input import leading_variance
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly.detectors._neural._models import FeatureModel, LinearModel, Material, Training

__all__ = ["TRAINING_CONSTRAINTS", "PrincipalComponents", "RandomFeatures", "code_size", "hidden_sizes", "training_of"]

_MOST_FOR_COMPONENTS = 4096
_MOST_FEATURES = 512
LATENT = [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")]
TRAINING_CONSTRAINTS: dict[str, list[Any]] = {
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "early_stopping": ["boolean"],
}
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "latent_dim": LATENT,
    "hidden_layer_sizes": ["array-like", None],
    **TRAINING_CONSTRAINTS,
}


def code_size(material: Material, latent_dim: float) -> int:
    """Return the size of the code, from the explained variance, or the last fit, where it is a fraction."""
    if isinstance(latent_dim, Integral):
        return int(latent_dim)
    if material.start is not None:
        return material.start.layers[auto.DECODER].sizes[0]
    return leading_variance(material.sample(_MOST_FOR_COMPONENTS), float(latent_dim))[2]


def hidden_sizes(given: Any, n_columns: int, n_code: int) -> list[int]:
    """Return the sizes of the hidden layers of an encoder."""
    return layer_sizes(given, [int(np.clip(2 * (n_columns + n_code), 16, 256))])


def training_of(kind: Any, after_step: Any) -> Training:
    """Return how a network is trained, from the parameters of its kind."""
    schedule = Schedule(int(kind.max_iter), int(kind.batch_size), float(kind.learning_rate_init))
    return Training(schedule, bool(kind.early_stopping), after_step)


class PrincipalComponents(ParameterObject):
    """The linear autoencoder: projection on principal components, in closed form.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Number of components; a float in (0, 1) is the fraction of the variance that they explain.

    Notes
    -----
    A linear autoencoder with the squared error learns the space of the leading principal components (Baldi and Hornik
    1989 [1]_); this is its exact solution.

    References
    ----------
    .. [1] Baldi, P. and Hornik, K. (1989). "Neural networks and principal component analysis: learning from examples
       without local minima". Neural Networks 2(1), 53-58. https://doi.org/10.1016/0893-6080(89)90014-2

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, PrincipalComponents
    >>> Autoencoder(kind=PrincipalComponents(latent_dim=3))
    Autoencoder(kind=PrincipalComponents(latent_dim=3))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"latent_dim": LATENT}

    def __init__(self, *, latent_dim: float = 0.9) -> None:
        self.latent_dim = latent_dim

    def _fit(
        self, material: Material, random: np.random.Generator, after_step: Any
    ) -> tuple[LinearModel, list[float]]:  # the hook's form
        rows = material.sample(_MOST_FOR_COMPONENTS)
        fraction = 0.5 if isinstance(self.latent_dim, Integral) else float(self.latent_dim)
        _, directions, n_code = leading_variance(rows, fraction)
        if isinstance(self.latent_dim, Integral):
            n_code = min(int(self.latent_dim), rows.shape[1])
        return LinearModel(rows.mean(axis=0, dtype=np.float64), directions[:, :n_code]), []


class RandomFeatures(ParameterObject):
    """A denoising autoencoder whose first layer is random and whose second is a ridge regression.

    Parameters
    ----------
    n_features : int or None, default=None
        Number of random features; None is four times the number of columns, at least 64 and at most 512.
    noise : float, default=0.3
        Standard deviation of the noise that the regression removes, in root mean variances of the columns.
    ridge : float, default=0.01
        Penalty for each row.

    Notes
    -----
    Features are hyperbolic tangents of random projections (an extreme learning machine [1]_). Four noisy copies of each
    row are regressed on the row. On public tables and embeddings it was about as good as trained kinds, in a tenth of
    the time.

    References
    ----------
    .. [1] Huang, G.-B., Zhu, Q.-Y. and Siew, C.-K. (2006). "Extreme learning machine: theory and applications".
       Neurocomputing 70(1-3), 489-501. https://doi.org/10.1016/j.neucom.2005.12.126

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, RandomFeatures
    >>> Autoencoder(kind=RandomFeatures(noise=0.2))
    Autoencoder(kind=RandomFeatures(noise=0.2))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_features": [Interval(Integral, 1, None, closed="left"), None],
        "noise": [Interval(Real, 0, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, n_features: int | None = None, noise: float = 0.3, ridge: float = 1e-2) -> None:
        self.n_features = n_features
        self.noise = noise
        self.ridge = ridge

    def _fit(
        self,
        material: Material,
        random: np.random.Generator,
        after_step: Any,  # the hook's form
    ) -> tuple[FeatureModel, list[float]]:
        n_features = self.n_features
        if n_features is None:
            n_features = int(np.clip(4 * material.rows.shape[1], 64, _MOST_FEATURES))
        model = FeatureModel.fit(material, int(n_features), noise=self.noise, ridge=self.ridge, random=random)
        return model, []
