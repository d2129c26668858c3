"""An autoencoder beside a discriminator of pairs of rows and codes."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._losses import logistic
from skanomaly._networks._network import Layers, Network
from skanomaly._networks._training import Schedule
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly.detectors._neural._codes import new_network
from skanomaly.detectors._neural._kinds import NETWORK_CONSTRAINTS, hidden_sizes
from skanomaly.detectors._neural._models import DenseModel, Material, Training

__all__ = ["AdversarialCode"]

_PAIRS = "pairs"
_LEAK = 0.2
_SLOWER = 0.1  # rate of the discriminator, as a fraction of the other


class AdversarialCode(ParameterObject):
    """An autoencoder whose codes and reconstructions also deceive a discriminator, as in a bidirectional GAN.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain.
    adversarial_weight : float, default=0.1
        Weight of the adversarial loss beside the error of the reconstruction; above 0.
    consistency : float, default=1.0
        Weight of the squared distance between the code of a row and that of its reconstruction; at least 0.
    hidden_layer_sizes : sequence of int or None, default=None
        As in :class:`DenseCode`; the discriminator has the same.
    max_iter : int, default=600
        Steps of both networks.
    batch_size : int, default=128
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine. The discriminator's is a tenth of it.

    Notes
    -----
    A discriminator is trained to distinguish rows and their codes from random normal codes and their decoded rows; the
    encoder and decoder to deceive it [1]_. What we changed: the second encoder [2]_, which encodes reconstructions, is
    the first. On embeddings neither a second encoder nor the adversarial loss was better than :class:`DenseCode`.

    References
    ----------
    .. [1] Donahue, J., Krähenbühl, P. and Darrell, T. (2017). "Adversarial feature learning". ICLR. arXiv:1605.09782.
    .. [2] Budianto, T., Nakai, T., Imoto, K., Takimoto, T. and Haruki, K. (2020). "Dual-encoder bidirectional
       generative adversarial networks for anomaly detection". ICMLA. arXiv:2012.11834.

    Examples
    --------
    >>> from skanomaly.detectors import AdversarialCode, Autoencoder
    >>> Autoencoder(kind=AdversarialCode(latent_dim=4))
    Autoencoder(kind=AdversarialCode(latent_dim=4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "latent_dim": NETWORK_CONSTRAINTS["latent_dim"],
        "adversarial_weight": [Interval(Real, 0, None, closed="neither")],
        "consistency": [Interval(Real, 0, None, closed="left")],
        "hidden_layer_sizes": ["array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        adversarial_weight: float = 0.1,
        consistency: float = 1.0,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.latent_dim = latent_dim
        self.adversarial_weight = adversarial_weight
        self.consistency = consistency
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(self, material: Material, random: np.random.Generator, after_step: Any) -> tuple[DenseModel, list[float]]:
        network = new_network(material, self, random)
        n_columns = material.rows.shape[1]
        model = DenseModel(network, n_columns)
        hidden = hidden_sizes(self.hidden_layer_sizes, n_columns, model.n_code)
        judge = Network({_PAIRS: Layers((n_columns + model.n_code, *hidden, 1), leak=_LEAK)}, random, np.float32)
        schedule = Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init))

        def objective(numbers: Any, noise: np.random.Generator) -> float:
            rows = material.take(numbers)
            value = adversarial_step(network, judge, rows, noise, float(self.adversarial_weight))
            judge.step(_SLOWER * schedule.rate_at(judge.n_steps))
            found = auto.reconstruct(network, rows, rows, consistency=float(self.consistency))
            return found.loss + value

        return model, Training(schedule, False, after_step).run(network, objective, material.numbers, random)  # noqa: FBT003


def adversarial_step(
    network: Network, judge: Network, rows: np.ndarray, noise: np.random.Generator, weight: float
) -> float:
    """Add the gradients of a discriminator and of what deceives it; return the loss of the latter.

    Parameters
    ----------
    network : Network
        With the layers "encoder" and "decoder".
    judge : Network
        With the layers "pairs".
    rows : ndarray of shape (n_rows, n_columns)
    noise : numpy.random.Generator
    weight : float

    Returns
    -------
    float
    """
    n_rows, n_columns = rows.shape
    encoded = network.forward(auto.ENCODER, rows)
    codes = noise.standard_normal((n_rows, encoded[-1].shape[1]), dtype=rows.dtype)
    decoded = network.forward(auto.DECODER, codes)
    pairs = np.concatenate([np.hstack([rows, encoded[-1]]), np.hstack([decoded[-1], codes])])
    signs = np.repeat([1.0, -1.0], n_rows).astype(rows.dtype)
    judged = judge.forward(_PAIRS, pairs)
    judge.backward(_PAIRS, judged, logistic(judged[-1], signs)[1])
    value, slopes = logistic(judged[-1], -signs)
    slopes = judge.input_slopes(_PAIRS, judged, slopes) * rows.dtype.type(weight)
    network.backward(auto.ENCODER, encoded, slopes[:n_rows, n_columns:])
    network.backward(auto.DECODER, decoded, slopes[n_rows:, :n_columns])
    return weight * value
