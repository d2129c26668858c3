"""Tokens that do not fit the other tokens of their set."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import print_loss
from skanomaly._support._hooks import normal_samples
from skanomaly._support._network_input import NetworkInput
from skanomaly._support._patches import PatchSets
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, StrOptions
from skanomaly.base import PatchDetector
from skanomaly.embeddings._effects import FEWEST_FOR_MEDIAN, sample_medians
from skanomaly.embeddings._memory import SampleLookup
from skanomaly.embeddings._token_memories import ReferenceSets
from skanomaly.embeddings._token_methods import ContextPrototypes
from skanomaly.embeddings._token_models import Material
from skanomaly.embeddings._token_sets import stacks
from skanomaly.embeddings._whitening import limited

__all__ = ["TokenReconstructor"]

Floats = NDArray[np.float64]


class TokenReconstructor(PatchDetector):
    r"""How well each token of a set agrees with the other tokens of its set, or with a memory.

    For sets without an order: baskets, the events of a visit, patches without positions. A token may be normal by
    itself, and anomalous beside the others. The default has a closed form; only the methods that learn attention need
    torch, and only to be fitted (the extra ``neural``).

    Parameters
    ----------
    method : object, default=None
        From what a token is explained: a ``ContextPrototypes``, ``PartnerMap``, ``OtherTokens``, ``OwnPrototypes``,
        ``ReferenceSets``, ``MaskedMemory`` or ``TwoMemories``. None is ``ContextPrototypes()``. The first two do not
        need torch.
    centering : {"median"} or None, default=None
        "median" subtracts from each token the median of its set, column by column, so that sets that are shifted as a
        whole are not anomalous; sets of fewer than three tokens stay. It blurs prototypes where sets differ in content.
    verbose : bool, default=False
        Print the loss every hundred steps of training.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its tokens, or the mean of the given fraction of its
        tokens, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for k-means, weights, batches and noise.

    Attributes
    ----------
    loss_curve_ : ndarray of shape (n_steps,)
        Loss of each step of training; empty for ``ContextPrototypes``.
    n_iter_ : int
        Steps of training taken.
    n_patches_ : int or None
        Number of tokens of every training sample; None if samples differ.
    offset_ : float
        Threshold on ``score_samples``: samples with lower scores are anomalies.
    n_features_in_ : int
        Number of columns of a token.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.

    See Also
    --------
    PatchResidual : For samples whose patches are aligned.
    PatchNeighbors : Distance to a memory bank of patches.
    skanomaly.datasets.make_token_sets : Sets with tokens that do not fit the others.

    Notes
    -----
    Columns count in their own units: standardise the columns of tables first. Inside, tokens are centred and divided by
    one scale, and extreme values are limited. Sets that contain extreme values are left out of the training of
    networks. Steps of training read at most 256 tokens of a set; all tokens are scored.

    Methods that rebuild tokens score the squared Mahalanobis distance of the errors, under the Ledoit-Wolf covariance
    of training errors. torch computes gradients only, on one thread of the CPU. The weights are NumPy arrays, the
    scores are computed in NumPy, and global states of torch are not changed, so that fitted detectors can be stored and
    used where torch is not installed.

    `y`: samples labelled -1 are left out of the fit; +1 and 0 are treated alike.

    *When it fails.* On the sets we planted no attention was better than the methods without torch: the guide has the
    figures. A table, with samples of one token, has no context; use a detector of rows.

    Cost: for ``ContextPrototypes``, O(N M d) for N tokens and M prototypes, and a logistic regression; for the others,
    `max_iter` steps of a batch, each quadratic in the tokens of a set.

    References
    ----------
    .. [1] Luo, W. et al. (2025). "Exploring intrinsic normal prototypes within a single image for universal anomaly
       detection". CVPR. arXiv:2503.02424.
    .. [2] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.datasets import make_token_sets
    >>> from skanomaly.embeddings import PatchNeighbors, TokenReconstructor
    >>> X_train, X_test, y_test, _ = make_token_sets(random_state=0)
    >>> detector = TokenReconstructor(random_state=0).fit(X_train)
    >>> bool(roc_auc_score(y_test, detector.score_samples(X_test)) > 0.95)
    True
    >>> bool(
    ...     roc_auc_score(y_test, PatchNeighbors().fit(X_train).score_samples(X_test)) < 0.7
    ... )
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "method": [HasMethods("_fit"), None],
        "centering": [StrOptions({"median"}), None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        method: Any = None,
        centering: str | None = None,
        verbose: bool = False,
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.centering = centering
        self.verbose = verbose
        self.pooling = pooling
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:
        method = self._chosen()
        method._validate_params()
        normal = X.take(normal_samples(y, self._min_samples, "samples"))
        self._read = NetworkInput(normal.rows)
        rows = self._centred(normal)
        ordinary = np.zeros(len(rows), dtype=bool)
        ordinary[self._read.ordinary(normal.rows)] = True
        self._lookup = SampleLookup(normal) if isinstance(method, ReferenceSets) else None
        with single_blas_thread():
            self._model, losses = method._fit(
                Material(normal, rows, ordinary), generator(self.random_state), partial(print_loss, self)
            )
        self.loss_curve_, self.n_iter_ = np.array(losses), len(losses)

    def _chosen(self) -> Any:
        return ContextPrototypes() if self.method is None else self.method

    def _centred(self, sets: PatchSets) -> NDArray[np.float32]:
        """Return tokens as methods get them, less the median of their set."""
        rows = self._read(sets.rows)
        if self.centering is not None:
            large = (sets.sizes >= FEWEST_FOR_MEDIAN)[:, None]
            medians = np.where(large, sample_medians(sets.with_rows(rows), lambda part: part.rows), 0.0)
            rows -= medians.astype(np.float32)[sets.owners]
        return rows

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        method = self._chosen()
        scores = np.empty(len(X.rows))
        rows = self._centred(X)
        same = np.full(len(X), -1, dtype=np.intp) if self._lookup is None else self._lookup.find(X)
        with single_blas_thread(), np.errstate(over="ignore"):
            for numbers, places in stacks(X):
                scores[places] = method._scores(self._model, rows[places], same[numbers])
        return limited(scores)
