"""Autoencoders: what a row looks like after a narrow or noisy passage."""

from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._networks._network import Network
from skanomaly._networks._training import in_blocks
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import print_loss
from skanomaly._support._hooks import normal_samples
from skanomaly._support._network_input import NetworkInput
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._patches import PatchSets
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._spectrum import Spectrum, estimate_spectrum
from skanomaly.base import PatchDetector
from skanomaly.detectors._neural._kinds import RandomFeatures
from skanomaly.detectors._neural._models import Material

__all__ = ["Autoencoder", "PerturbedReconstruction"]

_MOST_FOR_COVARIANCE = 8192
_TINY = 1e-12
_FEWEST_FOR_JUMPS = 3
Floats = NDArray[np.float64]


class PerturbedReconstruction(ParameterObject):
    """Score of an autoencoder: the error after a small step that reduces it.

    Parameters
    ----------
    size : float, default=0.01
        Size of the step in each column, along the sign of the gradient, in root mean variances of the columns; above 0.

    Notes
    -----
    The score of STATE [1]_: the row that was moved is both input and target. On embeddings steps of up to 0.05 changed
    the area under the ROC curve by less than 0.2 points here.

    References
    ----------
    .. [1] Wang, Y., Qin, C., Bai, Y., Xu, Y., Ma, X. and Fu, Y. (2022). "Making reconstruction-based method great again
       for video anomaly detection". ICDM. arXiv:2301.12048.

    Examples
    --------
    >>> from skanomaly.detectors import Autoencoder, PerturbedReconstruction
    >>> Autoencoder(statistic=PerturbedReconstruction(size=0.05))
    Autoencoder(statistic=PerturbedReconstruction(size=0.05))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"size": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, *, size: float = 0.01) -> None:
        self.size = size


def _score_is_a_sum(detector: Any) -> bool:
    return isinstance(detector.statistic, str) and detector.statistic in {"reconstruction", "residual"}


class Autoencoder(PatchDetector):
    r"""Error of a row's reconstruction from a narrow code, or from its noisy copy.

    The default has a closed form: no network is trained. Kinds that are trained networks are objects given as `kind`.

    Parameters
    ----------
    kind : object, default=None
        How rows are encoded and reconstructed, with the parameters of training: a ``RandomFeatures``,
        ``PrincipalComponents``, ``DenseCode``, ``VariationalCode``, ``MemoryCode``, ``UncertaintyCode``,
        ``ConstrainedCode`` or ``AdversarialCode``. None is ``RandomFeatures()``.
    statistic : str or PerturbedReconstruction, default="residual"
        Of a row's error: "residual", "reconstruction", "latent", "sum", "gradient", or an object.
        "reconstruction" is the mean squared error over the columns. "residual" is the squared Mahalanobis distance of
        the errors, under the Ledoit-Wolf covariance of training errors. "latent" is that of the code. "sum" adds
        "reconstruction" and "latent", each divided by its standard deviation in training. "gradient" is the mean
        absolute gradient of the error in the columns.
    warm_start : bool, default=False
        Start training from the network of the last fit, and keep its centre and scale of the columns, instead of
        beginning anew. Fit to data of many places first, then to a few rows of a new one. For trained kinds only.
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
    latent_dim_ : int
        Size of the code.
    loss_curve_ : ndarray of shape (n_steps,)
        Loss of each step of training; empty for kinds with a closed form.
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
    KrigingDetector : Often better on tables, and faster.
    GaussianDetector : The squared Mahalanobis distance of the rows themselves.
    OneClassNetwork : A trained map whose distance to a centre is the score.
    skanomaly.embeddings.TiledDetector : An autoencoder for each block of columns or patches.

    Notes
    -----
    Columns count in their own units: standardise the columns of a table first; embeddings are best as they are. Inside,
    rows are centred and divided by one scale, extreme values are limited, and rows with them left out of training.
    Networks compute in float32, in blocks of 256 rows, so that the score of a row does not depend on its batch. Weights
    are NumPy arrays.

    Training samples were fitted, so their errors are smaller than those of new samples: the more units and steps, the
    smaller. With little data `early_stopping` of a kind, or a closed form, keeps the threshold useful.

    `y`: samples labelled -1 are left out of training; +1 and 0 are treated alike.

    ``feature_contributions`` exists for the scores "reconstruction" and "residual", which are sums over columns.

    *When it fails.* A code as large as the intrinsic dimension of the data reconstructs anomalies too. "reconstruction"
    does not see anomalies on the manifold of the data, however far they are; "latent" sees no others, and "sum" both
    (Denouden and others 2018 [3]_). On the public tables we measured no network was better than the variance of
    kriging: the guide has the figures.

    Cost: `max_iter` steps of O(batch_size · parameters); O(n · parameters) for scoring n rows.

    References
    ----------
    .. [1] Hinton, G. E. and Salakhutdinov, R. R. (2006). "Reducing the dimensionality of data with neural networks".
       Science 313(5786), 504-507. https://doi.org/10.1126/science.1127647
    .. [2] Cai, Y., Zhang, W., Chen, H. and Cheng, K.-T. (2025). "MedIAnomaly: a comparative study of anomaly detection
       in medical images". Medical Image Analysis 102, 103500. https://doi.org/10.1016/j.media.2025.103500
    .. [3] Denouden, T. et al. (2018). "Improving reconstruction autoencoder out-of-distribution detection with
       Mahalanobis distance". arXiv:1812.02765.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import Autoencoder
    >>> random = np.random.default_rng(0)
    >>> rows = random.normal(size=(300, 2)) @ random.normal(
    ...     size=(2, 6)
    ... ) + 0.1 * random.normal(size=(300, 6))
    >>> detector = Autoencoder(contamination=0.02, random_state=0).fit(rows)
    >>> detector.predict([rows[0], random.normal(size=6)])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "kind": [HasMethods("_fit"), None],
        "statistic": [
            StrOptions({"residual", "reconstruction", "latent", "sum", "gradient"}),
            PerturbedReconstruction,
        ],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        kind: Any = None,
        statistic: Any = "residual",
        warm_start: bool = False,
        verbose: bool = False,
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.kind = kind
        self.statistic = statistic
        self.warm_start = warm_start
        self.verbose = verbose
        self.pooling = pooling
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **_: Any) -> None:
        kind = RandomFeatures() if self.kind is None else self.kind
        for part in (kind, self.statistic):
            if isinstance(part, ParameterObject):
                part._validate_params()
        start = self._start(kind)
        normal = X.take(normal_samples(y, self._min_samples, "samples"))
        if start is None:
            self._read = NetworkInput(normal.rows)
        material = Material(normal.rows, self._read, self._read.ordinary(normal.rows), start)
        self._model: Any
        with single_blas_thread():
            self._model, losses = kind._fit(material, generator(self.random_state), partial(print_loss, self))
            self.latent_dim_ = int(self._model.n_code)
            self.loss_curve_, self.n_iter_ = np.array(losses), len(losses)
            self._measure(material)

    def _start(self, kind: Any) -> Network | None:
        """Return the network that training starts from."""
        if not self.warm_start:
            return None
        if not hasattr(kind, "max_iter"):
            raise ValueError(
                f"warm_start=True, and {type(kind).__name__} has a closed form, without steps to start from. Use "
                "warm_start=False, or a kind that is trained, such as DenseCode()."
            )
        network = getattr(getattr(self, "_model", None), "network", None)
        return network if isinstance(network, Network) else None

    def _measure(self, material: Material) -> None:
        """Estimate from training rows what the score is measured by."""
        self._residual_space: Spectrum | None = None
        self._code_space: Spectrum | None = None
        self._spreads = (1.0, 1.0)
        wanted = self.statistic if isinstance(self.statistic, str) else ""
        if wanted not in {"residual", "latent", "sum"}:
            return
        rows = material.sample(_MOST_FOR_COVARIANCE)
        codes, residuals = [], []
        for _, (code, errors) in in_blocks(lambda block: tuple(self._model(block)), lambda part: rows[part], len(rows)):
            codes.append(code)
            residuals.append(errors)
        errors = np.concatenate(residuals)
        if wanted == "residual":
            self._residual_space = estimate_spectrum(errors, covariance="ledoit_wolf")
            return
        code = np.concatenate(codes).astype(np.float64)
        self._code_space = estimate_spectrum(code, covariance="ledoit_wolf")
        if wanted == "sum":
            parts = np.square(errors).mean(axis=1), np.square(self._code_space.whiten(code)).sum(axis=1)
            self._spreads = max(float(parts[0].std()), _TINY), max(float(parts[1].std()), _TINY)

    def code_jumps(self, X: Any) -> Floats:
        """Find where the code tears the data: rows whose nearest row has a distant code.

        A code on a line, of data on a ring, has a seam: two neighbours get the two ends of the line. Rows at the seam
        have large errors although they are normal, and a code of another topology has none.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Normal rows, such as the training rows; at least 3.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distance of the code of a row from that of its nearest other row in `X`, relative to their distance in `X`,
            divided by the median over the rows. Values far above 1, together in one place, are a seam.

        Raises
        ------
        ValueError
            If samples have several patches, or there are fewer than three rows.

        References
        ----------
        .. [1] Batson, J., Haaf, C. G., Kahn, Y. and Roberts, D. A. (2021). "Topological obstructions to autoencoding".
           Journal of High Energy Physics 2021(4), 280. https://doi.org/10.1007/JHEP04(2021)280
        """
        from sklearn.neighbors import NearestNeighbors

        check_is_fitted(self)
        sets = self._check(X, reset=False)
        if len(sets.rows) != len(sets) or len(sets) < _FEWEST_FOR_JUMPS:
            raise ValueError(
                f"X has {len(sets)} samples of {len(sets.rows)} patches in all. Give at least {_FEWEST_FOR_JUMPS} "
                "rows: one patch for each sample."
            )
        rows = self._read(sets.rows)
        codes = self._in_blocks(
            lambda block: self._model(block).code, sets.rows, np.empty((len(rows), self.latent_dim_))
        )
        distances, nearest = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors()
        jumps = np.linalg.norm(codes - codes[nearest[:, 0]], axis=1)
        ratios = np.divide(jumps, distances[:, 0], out=np.zeros(len(rows)), where=distances[:, 0] > 0)
        typical = float(np.median(ratios))
        return ratios / typical if typical > 0 else ratios

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        return self._in_blocks(self._block_outlyingness, X.rows, np.empty(len(X.rows)))

    def _in_blocks(self, function: Any, rows: NDArray[Any], found: Floats) -> Floats:
        with single_blas_thread(), np.errstate(over="ignore"):
            for part, values in in_blocks(function, lambda part: self._read(rows[part]), len(rows)):
                found[part] = values
        return found

    def _block_outlyingness(self, block: NDArray[np.float32]) -> Floats:
        if not isinstance(self.statistic, str):
            step = np.float32(self.statistic.size) * np.sign(self._model.gradient(block)).astype(np.float32)
            return np.square(self._model(block - step).residuals).mean(axis=1)
        if self.statistic == "gradient":
            return np.abs(np.asarray(self._model.gradient(block), dtype=np.float64)).mean(axis=1)
        code, residuals = self._model(block)
        if self.statistic in {"reconstruction", "residual"}:
            return self._split(residuals).sum(axis=1)
        space: Any = self._code_space
        found = np.square(space.whiten(code.astype(np.float64))).sum(axis=1)
        if self.statistic == "latent":
            return found
        return np.square(residuals).mean(axis=1) / self._spreads[0] + found / self._spreads[1]

    def _split(self, residuals: Floats) -> Floats:
        """Split errors among the columns."""
        if self._residual_space is None:
            return np.square(residuals) / residuals.shape[1]
        space = self._residual_space
        return space.contributions(residuals - space.location, space.whiten(residuals))

    @available_if(_score_is_a_sum)
    def _contributions(self, X: PatchSets) -> Floats:
        """Split the error of each patch among the columns, and take the mean over the patches that count."""
        parts = self._in_blocks(lambda block: self._split(self._model(block).residuals), X.rows, np.empty(X.rows.shape))
        if X.n_patches == 1:
            return parts
        values = parts.sum(axis=1)
        found = np.empty((len(X), X.rows.shape[1]))
        for sample, (start, stop) in enumerate(zip(X.edges[:-1], X.edges[1:], strict=True)):
            order = start + np.argsort(-values[start:stop], kind="stable")
            found[sample] = parts[order[: _n_counted(stop - start, self.pooling)]].mean(axis=0)
        return found


def _n_counted(n_patches: int, pooling: str | float) -> int:
    """Return of how many patches the score is the mean."""
    if isinstance(pooling, str):
        return 1 if pooling == "max" else n_patches
    return min(max(int(np.ceil(pooling * n_patches - 1e-9)), 1), n_patches)
