"""Distance of patches to a memory bank."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._hooks import normal_samples
from skanomaly._support._labels import read_labels
from skanomaly._support._patches import PatchSets
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import PatchDetector
from skanomaly.embeddings._bank import PatchBank
from skanomaly.embeddings._effects import (
    FEWEST_FOR_MEDIAN,
    MOST_CLUSTERED,
    mode_means,
    ordinary_patches,
    position_means,
    sample_medians,
)
from skanomaly.embeddings._memory import AttentionLookup, Memory, SampleLookup, grid_or_none, self_distances
from skanomaly.embeddings._whitening import BLOCK_PATCHES, range_of, spectrum_of

__all__ = ["PatchNeighbors"]

_FEWEST_WHITENED = 3  # two patches have the covariance of their difference, and Ledoit and Wolf's rule would keep it
_N_PROTOTYPES = 6
Floats = NDArray[np.float64]


class PatchNeighbors(PatchDetector):
    r"""Distance of patches to the nearest patches of a memory bank, of their own sample, or both.

    The farther a patch is from all patches of the bank, the more anomalous it is. It sees novel patches. Misplaced ones
    it sees if the search is restricted to positions (``PatchBank(radius=0)``). A shift of the whole sample makes all of
    its patches anomalous, unless the metric is "centered" or the reference "self".

    Parameters
    ----------
    bank : PatchBank or None, default=None
        Which patches are kept, and where they may be looked for; None keeps all.
    n_neighbors : int, default=1
        Number of nearest patches whose mean distance is the outlyingness. One is best for clean training data.
    metric : {"whitened", "centered", "euclidean", "cosine"}, default="whitened"
        "whitened" is the Euclidean distance after whitening by the covariance of the training patches, shrunk by Ledoit
        and Wolf's rule, if they are at least three; where the bank has a radius, by their covariance around the means
        of their positions.
        "centered" is the same after the median patch of each sample is subtracted from its patches; samples with fewer
        than three patches are not centred.
    reference : {"train", "self", "both"}, default="train"
        "self" compares a patch with prototypes of its own sample, made from its other patches; it needs no memory and
        is not misled by shifts. "both" multiplies the two distances.
    lookup : AttentionLookup or None, default=None
        None takes the nearest patches; an :class:`AttentionLookup` rebuilds the patch from all of the bank, and needs
        ``metric="cosine"``.
    anomaly_weight : float, default=0.5
        Weight of the distance to the labelled anomalous patches, which is subtracted; at least 0.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Number of threads. The scores do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed for the bank and for k-means.

    Attributes
    ----------
    bank_ : ndarray of shape (n_bank, n_features)
        Patches that were kept.
    n_neighbors_ : int
        Number of neighbours that are used.
    prototypes_ : ndarray of shape (n_prototypes, n_features)
        Codebook of "self" and "both", in the space of the metric; empty for "train".
    shrinkage_ : float
        Weight of the identity in the covariance that whitens; 0 for other metrics.
    n_patches_ : int or None
        Number of patches of every training sample; None if samples differ.
    offset_ : float
        Threshold on ``score_samples``: samples with lower scores are anomalies.
    n_features_in_ : int
        Number of columns of a patch.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.

    See Also
    --------
    PatchResidual : Means of positions instead of a bank; the first choice for aligned samples.
    skanomaly.detectors.NearestNeighborsDetector : The same for tables, with contributions of columns.

    Notes
    -----
    The memory bank of patches is that of [1]_. What we changed: distances are exact and whitened, the whole training
    sample that is equal to the query is left out, so that training samples are scored like new ones, and neighbours of
    the nearest patch do not weigh the score of a sample. Prototypes of the own sample follow [2]_ without training:
    with a codebook :math:`c_m` from k-means, the prototype :math:`m` is the mean of the patches weighted by the softmax
    over patches of :math:`\langle c_m, x_i \rangle`, without the patch that is scored.

    `y`: samples labelled -1, of them only the patches labelled -1 where `fit` gets `patch_labels`, form a second bank
    [3]_ [4]_. With :math:`d^+` and :math:`d^-` the distances to the two, the outlyingness is :math:`d^+ - w d^-`. A
    labelled sample is left out of the second bank when it is scored itself; if it is the only one, the median
    :math:`d^-` of the first bank is used. +1 and 0 are treated alike.

    With a single training sample, as in one-shot use, its patches are compared with each other.

    ``nearest_residuals`` gives the differences from the nearest normal patch. Their absolute values are features for a
    classifier that carries over to other kinds of objects [4]_: fit one detector for each kind on its normal samples,
    and one classifier on the residuals of all.

    Cost: O(N n_bank d) for N patches, in blocks of one matrix product; with a radius, the bank is stored once for each
    position that may look into it. Where few directions hold most of the spread of a large bank, these come first and
    rule out most pairs. Memory: three to four times the bank.

    References
    ----------
    .. [1] Roth, K., Pemula, L., Zepeda, J., Schölkopf, B., Brox, T. and Gehler, P. (2022). "Towards total recall in
       industrial anomaly detection". CVPR. https://doi.org/10.1109/CVPR52688.2022.01392
    .. [2] Luo, W. et al. (2025). "Exploring intrinsic normal prototypes within a single image for universal anomaly
       detection". CVPR. arXiv:2503.02424.
    .. [3] Wang, Y., Wang, X., Gong, Y. and Xiao, J. (2025). "Normal-abnormal guided generalist anomaly detection".
       NeurIPS. arXiv:2510.00495.
    .. [4] "Domain-independent detection of known anomalies" (2024). arXiv:2407.02910.

    Examples
    --------
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.embeddings import PatchBank, PatchNeighbors
    >>> X_train, X_test, y_test, _ = make_patch_grids(anomalies="misplaced", random_state=0)
    >>> for radius in (None, 0):
    ...     detector = PatchNeighbors(bank=PatchBank(radius=radius)).fit(X_train)
    ...     print(
    ...         radius, bool(roc_auc_score(y_test, detector.score_samples(X_test)) > 0.95)
    ...     )
    None False
    0 True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "bank": [PatchBank, None],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"whitened", "centered", "euclidean", "cosine"})],
        "reference": [StrOptions({"train", "self", "both"})],
        "lookup": [AttentionLookup, None],
        "anomaly_weight": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    _min_samples = 1

    def __init__(
        self,
        *,
        bank: PatchBank | None = None,
        n_neighbors: int = 1,
        metric: str = "whitened",
        reference: str = "train",
        lookup: AttentionLookup | None = None,
        anomaly_weight: float = 0.5,
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.bank = bank
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.reference = reference
        self.lookup = lookup
        self.anomaly_weight = anomaly_weight
        self.pooling = pooling
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, patch_labels: Any = None) -> Self:
        """Fill the memory bank.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            Training samples; a table holds samples of one patch.
        y : array-like of shape (n_samples,), default=None
            Samples labelled -1 form a second bank; +1 and 0 are treated alike.
        patch_labels : array-like of shape (n_samples, n_patches) or list of array-like, default=None
            -1 for the patches of samples labelled -1 that belong to the second bank. The others are not used. None
            takes all patches of these samples. Labels of patches of other samples are ignored.

        Returns
        -------
        self
            The fitted detector.
        """
        return self._run_fit(X, y, patch_labels=patch_labels)

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:
        bank = PatchBank() if self.bank is None else self.bank
        for part in (bank, self.lookup):
            if part is not None:
                part._validate_params()
        if self.lookup is not None and self.metric != "cosine":
            raise ValueError(f"lookup={self.lookup!r} measures cosines; set metric='cosine', not {self.metric!r}.")
        is_normal = normal_samples(y, self._min_samples, "samples")
        normal = X.take(is_normal)
        if len(normal.rows) < 2:
            raise ValueError(f"Found array with {len(normal)} sample(s) of one patch while two patches are required.")
        grid = grid_or_none(self.n_patches_, bank.radius)
        random = generator(self.random_state)
        self._fit_metric(normal, per_position=grid is not None)
        transformed = self._transform(normal)
        self._lookup = SampleLookup(normal)
        groups = normal.owners if len(normal) > 1 else normal.positions
        self._one_sample = len(normal) == 1
        kept = bank._choose(normal, transformed, random)
        rows, positions = normal.rows[kept], normal.positions[kept]
        coded, groups = transformed[kept], groups[kept]
        if bank.augment is not None:
            if grid is not None:
                raise ValueError("bank has both augment and a radius; what augment returns has no positions.")
            more = self._augmented(bank, rows)
            sources = np.arange(len(more)) % len(rows)
            samples = PatchSets(more, np.arange(len(more) + 1))
            rows, positions = np.concatenate([rows, more]), np.concatenate([positions, positions[sources]])
            coded = np.concatenate([coded, self._transform(samples)])
            groups = np.concatenate([groups, groups[sources]])
        self.bank_ = rows
        options: dict[str, Any] = {
            "metric": "cosine" if self.metric == "cosine" else "euclidean",
            "lookup": self.lookup,
            "grid": grid,
            "radius": bank.radius or 0,
        }
        self._memory = Memory(coded, groups, positions, n_neighbors=self.n_neighbors, **options)
        if self._memory.n_neighbors < 1:
            raise ValueError(
                "The bank leaves no patch of another sample to compare with. Keep more samples, or use a larger radius."
            )
        self.n_neighbors_ = self._memory.n_neighbors
        self._fit_prototypes(transformed, random)
        self._fit_anomalies(X.take(~is_normal), ~is_normal, metadata.get("patch_labels"), X, options)

    def _fit_metric(self, normal: PatchSets, *, per_position: bool) -> None:
        self._range = range_of(normal.rows)
        self._spectrum, self.shrinkage_ = None, 0.0
        if self.metric in {"whitened", "centered"}:
            kept = ordinary_patches(normal, self._range)
            if kept.sum() < _FEWEST_WHITENED:
                self.shrinkage_ = 1.0
                return
            centers = self._centers(normal)
            owners, positions = normal.owners, normal.positions

            def centered(rows: slice, part: PatchSets) -> Floats:
                values = np.asarray(self._range.apply(part.rows), dtype=np.float64)
                return values if centers is None else values - centers[owners[rows]]

            means = position_means(normal, centered, kept) if per_position and len(normal) > 1 else None

            def residuals(part: slice) -> Floats:
                values = np.asarray(self._range.apply(normal.rows[part]), dtype=np.float64)
                values = values if centers is None else values - centers[owners[part]]
                return values if means is None else values - means[positions[part]]

            self._spectrum = spectrum_of(normal.rows, residuals, covariance="ledoit_wolf", kept=kept)
            self.shrinkage_ = self._spectrum.shrinkage

    def _centers(self, samples: PatchSets) -> Floats | None:
        if self.metric != "centered":
            return None
        centers = sample_medians(samples, lambda part: self._range.apply(part.rows))
        centers[samples.sizes < FEWEST_FOR_MEDIAN] = 0.0
        return centers

    def _transform(self, samples: PatchSets) -> NDArray[Any]:
        """Transform patches to the space of the distances."""
        if self.metric == "cosine":
            return samples.rows
        out = np.empty(samples.rows.shape, dtype=samples.rows.dtype)
        for part, block in samples.blocks(BLOCK_PATCHES):
            rows = self._range.apply(block.rows)
            centers = self._centers(block)
            if centers is not None:
                rows = rows - centers[block.owners]
            if self._spectrum is not None:
                rows = self._spectrum.whiten(rows)
                if out.shape[1] != rows.shape[1]:
                    out = np.empty((len(out), rows.shape[1]), dtype=out.dtype)
            out[part] = rows
        return out

    @staticmethod
    def _augmented(bank: PatchBank, rows: NDArray[Any]) -> NDArray[Any]:
        more = np.asarray(bank.augment(rows.copy()), dtype=rows.dtype)  # type: ignore[misc]
        if more.ndim != 2 or more.shape[1] != rows.shape[1] or not np.isfinite(more).all():
            raise ValueError(
                f"augment returned an array of shape {more.shape} with finite values: {bool(np.isfinite(more).all())}; "
                f"it must return finite patches of shape (n_more, {rows.shape[1]})."
            )
        return np.ascontiguousarray(more)

    def _fit_prototypes(self, transformed: NDArray[Any], random: np.random.Generator) -> None:
        self.prototypes_ = np.empty((0, transformed.shape[1]))
        if self.reference == "train":
            return
        chosen = np.sort(random.permutation(len(transformed))[:MOST_CLUSTERED])
        rows = transformed[chosen].astype(np.float64)
        self.prototypes_ = mode_means(rows, _N_PROTOTYPES, n_rounds=3, seed=int(random.integers(2**31)))

    def _fit_anomalies(
        self,
        anomalies: PatchSets,
        labelled: NDArray[np.bool_],
        patch_labels: Any,
        X: PatchSets,
        options: dict[str, Any],
    ) -> None:
        self._anomalies = None
        chosen = np.ones(len(anomalies.rows), dtype=bool)
        if patch_labels is not None:
            flat = _flat_labels(patch_labels, X)
            chosen = flat[labelled[X.owners]] == -1
        if not chosen.any():
            return
        transformed = self._transform(anomalies)
        self._anomaly_lookup = SampleLookup(anomalies)
        owners = anomalies.owners[chosen]
        self._only_anomaly = int(owners[0]) if (owners == owners[0]).all() else -1
        self._anomalies = Memory(
            transformed[chosen],
            owners,
            anomalies.positions[chosen],
            n_neighbors=1,
            metric=options["metric"],
            lookup=self.lookup,
            grid=None,
            radius=0,
            leave_out=self._only_anomaly < 0,
        )
        positions = np.zeros(len(self._memory.rows), dtype=np.intp)
        distances = self._anomalies.outlyingness(self._memory.rows, positions, None, self.n_jobs)
        self._median_anomaly_distance = float(np.median(distances))

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        scores = np.empty(len(X.rows))
        for part, block in X.blocks(BLOCK_PATCHES):
            transformed = self._transform(block)
            found = np.ones(len(block.rows))
            if self.reference != "self":
                left_out = self._left_out(block)
                found = self._memory.outlyingness(transformed, self._positions(block), left_out, self.n_jobs)
            if self.reference != "train":
                found = found * self_distances(block.with_rows(transformed), self.prototypes_)
            if self._anomalies is not None and self.anomaly_weight > 0:
                found = found - self.anomaly_weight * self._from_anomalies(block, transformed)
            scores[part] = found
        return scores

    def _positions(self, block: PatchSets) -> NDArray[np.intp]:
        if self.bank is not None and self.bank.radius is not None and block.n_patches != self.n_patches_:
            raise ValueError(
                f"X must have {self.n_patches_} patches a sample, as in fit, since the bank has a radius; it has "
                f"{np.unique(block.sizes).tolist()[:5]}."
            )
        return block.positions

    def _left_out(self, block: PatchSets) -> NDArray[np.intp]:
        """Return the group of the bank that each patch must not be compared with, or -1."""
        own = np.repeat(self._lookup.find(block), block.sizes)
        return np.where(own >= 0, block.positions, -1) if self._one_sample else own

    def _from_anomalies(self, block: PatchSets, transformed: NDArray[Any]) -> Floats:
        memory = self._anomalies
        own = np.repeat(self._anomaly_lookup.find(block), block.sizes)
        alone = (own >= 0) & (own == self._only_anomaly)
        left_out = own if self._only_anomaly < 0 else None
        distances = memory.outlyingness(transformed, block.positions, left_out, self.n_jobs)  # type: ignore[union-attr]
        return np.where(alone, self._median_anomaly_distance, distances)

    def nearest_residuals(self, X: Any) -> Any:
        """Return the difference of each patch from the nearest normal patch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            A table holds samples of one patch.

        Returns
        -------
        ndarray of shape (n_samples, n_patches, n_features), list of ndarray, or for a table ndarray of shape \
(n_samples, n_features)
            In units of the data. A training sample is compared with the others.
        """
        check_is_fitted(self)
        if self.lookup is not None:
            raise ValueError(f"lookup={self.lookup!r} has no nearest patch. Use lookup=None.")
        samples = self._check(X, reset=False)
        residuals = np.empty(samples.rows.shape)
        for part, block in samples.blocks(BLOCK_PATCHES):
            transformed = self._transform(block)
            indices = self._memory.nearest(transformed, self._positions(block), self._left_out(block), self.n_jobs)[1]
            residuals[part] = block.rows - self.bank_[indices[:, 0]].astype(np.float64)
        is_table = samples.n_patches == 1 and np.ndim(X) == 2
        return residuals if is_table else samples.split(residuals)


def _flat_labels(patch_labels: Any, X: PatchSets) -> NDArray[np.int8]:
    """Return the labels of all patches in one array."""
    parts = [np.asarray(labels).ravel() for labels in patch_labels]
    sizes = [len(part) for part in parts]
    if sizes != X.sizes.tolist():
        raise ValueError(
            f"patch_labels must have one label for each patch of each of the {len(X)} samples, and has the shape "
            f"{np.shape(patch_labels) if len(set(sizes)) == 1 else sizes[:5]}."
        )
    return read_labels(np.concatenate(parts), len(X.rows), name="patch_labels", zero="normal")
