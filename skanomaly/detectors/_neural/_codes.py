"""Kinds of autoencoders that are trained networks."""

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._losses import squared_error, uncertain_error
from skanomaly._networks._network import Layers, Network
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.detectors._neural._kinds import NETWORK_CONSTRAINTS, code_size, hidden_sizes, training_of
from skanomaly.detectors._neural._models import DenseModel, Material

__all__ = ["ConstrainedCode", "DenseCode", "MemoryCode", "UncertaintyCode", "VariationalCode", "new_network"]

Fitted = tuple[DenseModel, list[float]]


def new_network(
    material: Material,
    kind: Any,
    random: np.random.Generator,
    *,
    per_code: int = 1,
    per_column: int = 1,
    n_code: int | None = None,
    arrays: Any = None,
) -> Network:
    """Return an encoder and decoder: untrained, or with the weights of those that the material starts from."""
    n_columns, start = material.rows.shape[1], material.start
    n_code = code_size(material, kind.latent_dim) if n_code is None else n_code
    hidden = hidden_sizes(kind.hidden_layer_sizes, n_columns, n_code)
    layers = {
        auto.ENCODER: Layers((n_columns, *hidden, per_code * n_code)),
        auto.DECODER: Layers((n_code, *hidden[::-1], per_column * n_columns)),
    }
    network = Network(layers, random, np.float32, arrays=arrays)
    if start is not None:
        if start.layers != network.layers or start.arrays != network.arrays:
            found, wanted = ({name: one.sizes for name, one in each.layers.items()} for each in (start, network))
            raise ValueError(
                f"warm_start=True, and the network of the last fit has layers of sizes {found}, not {wanted}. Fit with "
                "warm_start=False, or with the columns and sizes of the last fit."
            )
        network.parameters[:] = start.parameters
    return network


class DenseCode(ParameterObject):
    """A dense encoder and decoder, of plain, corrupted or circular codes.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain
        (DFR [1]_).
    hidden_layer_sizes : sequence of int or None, default=None
        Sizes of the hidden layers of the encoder, which the decoder mirrors. None is one layer of twice as many units
        as columns and code, at least 16 and at most 256.
    topology : {"euclidean", "sphere", "torus"}, default="euclidean"
        "sphere" divides the code by its norm: two numbers are a circle. "torus" does so for each pair of numbers. Data
        around a closed curve cannot be encoded continuously on a line [2]_.
    corruption : {"gaussian", "mask", "swap"} or None, default=None
        What is done to a row before it is encoded; its clean values are to be reconstructed. "gaussian" adds noise,
        "mask" sets values to their mean, "swap" takes them from other rows.
    corruption_rate : float, default=0.3
        Standard deviation of the noise, or fraction of the values, in root mean variances of the columns.
    max_iter : int, default=600
        Steps of Adam, each on one batch.
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
        Learning rate of the first step; it falls to 0 along a cosine.
    early_stopping : bool, default=False
        Hold a tenth of the rows out, stop when their loss no longer falls, and keep the best parameters.

    References
    ----------
    .. [1] Yang, J., Shi, Y. and Qi, Z. (2020). "DFR: deep feature reconstruction for unsupervised anomaly
       segmentation". arXiv:2012.07122.
    .. [2] Batson, J., Haaf, C. G., Kahn, Y. and Roberts, D. A. (2021). "Topological obstructions to autoencoding".
       Journal of High Energy Physics 2021(4), 280. https://doi.org/10.1007/JHEP04(2021)280

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, DenseCode
    >>> Autoencoder(kind=DenseCode(latent_dim=2, topology="sphere"))
    Autoencoder(kind=DenseCode(latent_dim=2, topology='sphere'))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NETWORK_CONSTRAINTS,
        "topology": [StrOptions({"euclidean", "sphere", "torus"})],
        "corruption": [StrOptions({"gaussian", "mask", "swap"}), None],
        "corruption_rate": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        hidden_layer_sizes: Any = None,
        topology: str = "euclidean",
        corruption: str | None = None,
        corruption_rate: float = 0.3,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
        early_stopping: bool = False,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.topology = topology
        self.corruption = corruption
        self.corruption_rate = corruption_rate
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping

    def _fit(self, material: Material, random: np.random.Generator, after_step: Any) -> Fitted:
        n_code = code_size(material, self.latent_dim)
        size = 0
        if self.topology != "euclidean":
            n_code = max(2, n_code)
            if self.topology == "torus" and n_code % 2:
                if isinstance(self.latent_dim, Integral):
                    raise ValueError(f"latent_dim={n_code} must be even for topology='torus': two numbers a circle.")
                n_code += 1
            size = n_code if self.topology == "sphere" else 2
        network = new_network(material, self, random, n_code=n_code)
        model = DenseModel(network, material.rows.shape[1], middle="spheres" if size else "plain", size=size)
        middle = partial(auto.on_spheres, size=size) if size else auto.plain

        def objective(numbers: Any, noise: np.random.Generator) -> float:
            rows = material.take(numbers)
            inputs = rows
            if self.corruption is not None:
                inputs = auto.corrupted(rows, self.corruption, self.corruption_rate, noise)
            return auto.reconstruct(network, inputs, rows, middle=middle).loss

        return model, training_of(self, after_step).run(network, objective, material.numbers, random)


class VariationalCode(ParameterObject):
    """A variational autoencoder; with `context_weight` also a context-encoding one.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain.
    hidden_layer_sizes : sequence of int or None, default=None
        As in :class:`DenseCode`.
    kl_weight : float, default=0.005
        Weight of the divergence of the code from a standard normal distribution, both means over their entries.
    context_weight : float, default=0.0
        Fraction of the loss that is the error of reconstructing a row of which some values were set to their mean,
        from the mean of its code (StRegA's loss [2]_); in [0, 1).
    mask_rate : float, default=0.3
        Fraction of the values that are set to their mean; only with `context_weight`.
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
    early_stopping : bool, default=False
        As in :class:`DenseCode`.

    Notes
    -----
    Rows are scored from the mean of their code, without noise, so that equal rows have equal scores.

    References
    ----------
    .. [1] Kingma, D. P. and Welling, M. (2014). "Auto-encoding variational Bayes". ICLR. arXiv:1312.6114.
    .. [2] Chatterjee, S. et al. (2022). "StRegA: unsupervised anomaly detection in brain MRIs using a compact
       context-encoding variational autoencoder". Computers in Biology and Medicine 149, 106093.
       https://doi.org/10.1016/j.compbiomed.2022.106093

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, VariationalCode
    >>> Autoencoder(kind=VariationalCode(context_weight=0.5))
    Autoencoder(kind=VariationalCode(context_weight=0.5))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NETWORK_CONSTRAINTS,
        "kl_weight": [Interval(Real, 0, None, closed="left")],
        "context_weight": [Interval(Real, 0, 1, closed="left")],
        "mask_rate": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        hidden_layer_sizes: Any = None,
        kl_weight: float = 0.005,
        context_weight: float = 0.0,
        mask_rate: float = 0.3,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
        early_stopping: bool = False,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kl_weight = kl_weight
        self.context_weight = context_weight
        self.mask_rate = mask_rate
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping

    def _fit(self, material: Material, random: np.random.Generator, after_step: Any) -> Fitted:
        network = new_network(material, self, random, per_code=2)
        n_columns = material.rows.shape[1]
        model = DenseModel(network, n_columns, middle="means")
        weight = 1.0 - float(self.context_weight)

        def objective(numbers: Any, noise: np.random.Generator) -> float:
            rows = material.take(numbers)
            middle = partial(
                auto.sampled,
                centers=0.0,
                noise=noise.standard_normal((len(rows), model.n_code), dtype=np.float32),
                weight=weight * float(self.kl_weight),
            )
            loss = auto.reconstruct(network, rows, rows, middle=middle, weight=weight).loss
            if self.context_weight:
                masked = auto.corrupted(rows, "mask", self.mask_rate, noise)
                loss += auto.reconstruct(network, masked, rows, middle=model.code_of, weight=1.0 - weight).loss
            return loss

        return model, training_of(self, after_step).run(network, objective, material.numbers, random)


class MemoryCode(ParameterObject):
    """An autoencoder whose code is a mean of stored codes, weighted by similarity.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain.
    n_slots : int, default=50
        Number of stored codes, which are learnt. Weights below one over it are set to 0.
    entropy_weight : float, default=0.0002
        Weight of the entropy of the weights of a row in the loss.
    hidden_layer_sizes : sequence of int or None, default=None
        As in :class:`DenseCode`.
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
    early_stopping : bool, default=False
        As in :class:`DenseCode`.

    References
    ----------
    .. [1] Gong, D. et al. (2019). "Memorizing normality to detect anomaly: memory-augmented deep autoencoder for
       unsupervised anomaly detection". ICCV. arXiv:1904.02639.

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, MemoryCode
    >>> Autoencoder(kind=MemoryCode(n_slots=20))
    Autoencoder(kind=MemoryCode(n_slots=20))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NETWORK_CONSTRAINTS,
        "n_slots": [Interval(Integral, 1, None, closed="left")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        n_slots: int = 50,
        entropy_weight: float = 2e-4,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
        early_stopping: bool = False,
    ) -> None:
        self.latent_dim = latent_dim
        self.n_slots = n_slots
        self.entropy_weight = entropy_weight
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping

    def _fit(self, material: Material, random: np.random.Generator, after_step: Any) -> Fitted:
        n_code = code_size(material, self.latent_dim)
        network = new_network(material, self, random, n_code=n_code, arrays={auto.MEMORY: (int(self.n_slots), n_code)})
        shrink = 1.0 / int(self.n_slots)
        model = DenseModel(network, material.rows.shape[1], middle="memory", size=shrink)

        def objective(numbers: Any, noise: np.random.Generator) -> float:  # noqa: ARG001  # the form of objectives
            rows = material.take(numbers)
            middle = partial(auto.recall, network, shrink=shrink, weight=float(self.entropy_weight))
            return auto.reconstruct(network, rows, rows, middle=middle).loss

        return model, training_of(self, after_step).run(network, objective, material.numbers, random)


class UncertaintyCode(ParameterObject):
    """An autoencoder that also predicts the variance of each value; errors are divided by it.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain.
    hidden_layer_sizes : sequence of int or None, default=None
        As in :class:`DenseCode`.
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
    early_stopping : bool, default=False
        As in :class:`DenseCode`.

    References
    ----------
    .. [1] Mao, Y., Xue, F.-F., Wang, R., Zhang, J., Zheng, W.-S. and Liu, H. (2020). "Abnormality detection in chest
       X-ray images using uncertainty prediction autoencoders". MICCAI. https://doi.org/10.1007/978-3-030-59725-2_51

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, UncertaintyCode
    >>> Autoencoder(kind=UncertaintyCode(latent_dim=4))
    Autoencoder(kind=UncertaintyCode(latent_dim=4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = NETWORK_CONSTRAINTS

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
        early_stopping: bool = False,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping

    def _fit(self, material: Material, random: np.random.Generator, after_step: Any) -> Fitted:
        network = new_network(material, self, random, per_column=2)
        model = DenseModel(network, material.rows.shape[1], uncertain=True)

        def objective(numbers: Any, noise: np.random.Generator) -> float:  # noqa: ARG001  # the form of objectives
            rows = material.take(numbers)
            return auto.reconstruct(network, rows, rows, error=uncertain_error).loss

        return model, training_of(self, after_step).run(network, objective, material.numbers, random)


class ConstrainedCode(ParameterObject):
    """An autoencoder whose reconstructions have the codes of their rows.

    Parameters
    ----------
    latent_dim : int or float, default=0.9
        Size of the code; a float in (0, 1) is the fraction of the variance that as many principal components explain.
    consistency : float, default=1.0
        Weight of the squared distance between the code of a row and that of its reconstruction.
    hidden_layer_sizes : sequence of int or None, default=None
        As in :class:`DenseCode`.
    max_iter : int, default=600
    batch_size : int, default=128
    learning_rate_init : float, default=0.004
    early_stopping : bool, default=False
        As in :class:`DenseCode`.

    References
    ----------
    .. [1] Chen, X. and Konukoglu, E. (2018). "Unsupervised detection of lesions in brain MRI using constrained
       adversarial auto-encoders". MIDL. arXiv:1806.04972.

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, ConstrainedCode
    >>> Autoencoder(kind=ConstrainedCode(consistency=0.1))
    Autoencoder(kind=ConstrainedCode(consistency=0.1))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NETWORK_CONSTRAINTS,
        "consistency": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        latent_dim: float = 0.9,
        consistency: float = 1.0,
        hidden_layer_sizes: Any = None,
        max_iter: int = 600,
        batch_size: int = 128,
        learning_rate_init: float = 4e-3,
        early_stopping: bool = False,
    ) -> None:
        self.latent_dim = latent_dim
        self.consistency = consistency
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping

    def _fit(self, material: Material, random: np.random.Generator, after_step: Any) -> Fitted:
        network = new_network(material, self, random)
        model = DenseModel(network, material.rows.shape[1])

        def objective(numbers: Any, noise: np.random.Generator) -> float:  # noqa: ARG001  # the form of objectives
            rows = material.take(numbers)
            found = auto.reconstruct(network, rows, rows, error=squared_error, consistency=float(self.consistency))
            return found.loss

        return model, training_of(self, after_step).run(network, objective, material.numbers, random)
