"""Similarity of vectors and patches to concepts that are given or learnt."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._extremes import require_squares
from skanomaly._support._patches import PatchSets, pool_patches
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import PatchDetector
from skanomaly.embeddings._whitening import BLOCK_PATCHES, limited, range_of, squared_distances, unit_vectors

__all__ = ["PrototypeDetector"]

Floats = NDArray[np.float64]


class PrototypeDetector(PatchDetector):
    r"""Similarity to prototypes of what is normal and of kinds of anomalies.

    The prototypes are vectors in the space of the data: text vectors of an encoder of images and text, means of
    labelled samples, or learnt from labels. A sample is anomalous if it is more like an anomalous prototype than a
    normal one.

    Parameters
    ----------
    prototypes : array-like of shape (n_prototypes, n_features) or None, default=None
        None takes the means of the concepts that `fit` is given, or else of the normal and of the anomalous samples.
    prototype_labels : array-like of shape (n_prototypes,) or None, default=None
        Concept of each prototype: 0 is normal, other whole numbers above 0 are kinds of anomalies; several prototypes
        may have the same. Needed with `prototypes`.
    metric : {"cosine", "euclidean"}, default="cosine"
        Similarity: the cosine, or minus half the squared distance.
    learn : {"none", "offset", "full"}, default="none"
        "offset" learns one shift for the normal prototypes and one for the anomalous ones, "full" the prototypes
        themselves, both from the labels in `y`. Samples of several patches are learnt from as bags, by the patches that
        `pooling` selects.
    temperature : float, default=0.07
        Divides the similarities; above 0. A small value leaves the most similar prototype of each group only.
    ridge : float, default=0.01
        Penalty on the squared lengths of what is learnt; at least 0.
    local_weight : float or None, default=None
        None pools the scores of patches. A number in [0, 1] scores one vector for each sample: the mean of the patches
        weighted by their probability of being anomalous, with this weight, and the plain mean with the rest.
    active_concepts : sequence of int or None, default=None
        Kinds of anomalies that count; prototypes of the others count as normal. It may be changed after `fit`, by
        ``set_params``; the threshold stays. None: all.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].

    Attributes
    ----------
    prototypes_ : ndarray of shape (n_prototypes, n_features)
        Those given or averaged, with the learnt changes added.
    prototype_labels_ : ndarray of shape (n_prototypes,), int64
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
    ConceptProjector : Removes or keeps what differs between concepts.
    PatchNeighbors : Distance to normal patches, which was better where both were possible.

    Notes
    -----
    With similarities :math:`s_k` to the prototypes, the outlyingness of a vector is :math:`\tau\,(\operatorname{lse}_{k
    \in A} s_k/\tau - \operatorname{lse}_{k \in N} s_k/\tau)`, where lse is the logarithm of a sum of exponentials,
    :math:`A` are the anomalous prototypes and :math:`N` the normal ones. It is the temperature times the log-odds of
    the softmax of [1]_ over all prototypes, so ``anomaly_probability`` has the same order for samples of one patch.
    Without anomalous prototypes the first term is left out. Prototypes for each kind of anomaly are those of [3]_; a
    shift that all prototypes have in common stands for the learnt prompt of [1]_; the local weight is that of [2]_ with
    the mean patch in place of the token of the image; bags and definitions of anomalies that change after training are
    those of [4]_. What we changed: no text encoder, scores are log-odds, which do not saturate, and inactive concepts
    count as normal.

    `y`: +1 and 0 are normal samples, -1 anomalies, where prototypes are learnt. Learning needs both.

    *When it fails.* Prototypes learnt on some kinds of objects generalise badly to others: on the stored embeddings of
    MVTec, distance to the nearest normal sample of the new kind was better than any of them.

    Cost: O(N K d) for N patches and K prototypes; learning as much for each of some hundred steps.

    References
    ----------
    .. [1] Zhou, Q. et al. (2024). "AnomalyCLIP: object-agnostic prompt learning for zero-shot anomaly detection". ICLR.
       arXiv:2310.18961.
    .. [2] Salehi, A. et al. (2025). "Crane: context-guided prompt learning and attention refinement for zero-shot
       anomaly detection". arXiv:2504.11055.
    .. [3] Sadikaj, Y. et al. (2025). "MultiADS: defect-aware supervision for multi-type anomaly detection and
       segmentation in zero-shot learning". ICCV. arXiv:2504.06740.
    .. [4] Liu, Z., Wu, X., Wu, J., Wang, X. and Yang, L. (2025). "Language-guided open-world video anomaly detection".
       arXiv:2503.13160.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.embeddings import PrototypeDetector
    >>> concepts = np.eye(3)  # normal, scratch, hole
    >>> X = np.array([[1.0, 0.1, 0.0], [0.9, 0.0, 0.2], [0.2, 1.0, 0.1], [0.1, 0.1, 1.0]])
    >>> detector = PrototypeDetector(prototypes=concepts, prototype_labels=[0, 1, 2]).fit(X)
    >>> detector.predict_type(X)
    array([1, 2, 1, 2])
    >>> detector.anomaly_probability(X).round(2)
    array([0., 0., 1., 1.])
    >>> detector.set_params(active_concepts=[2]).anomaly_probability(X).round(2)
    array([0., 0., 0., 1.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "prototypes": ["array-like", None],
        "prototype_labels": ["array-like", None],
        "metric": [StrOptions({"cosine", "euclidean"})],
        "learn": [StrOptions({"none", "offset", "full"})],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "local_weight": [Interval(Real, 0, 1, closed="both"), None],
        "active_concepts": ["array-like", None],
    }

    def __init__(
        self,
        *,
        prototypes: Any = None,
        prototype_labels: Any = None,
        metric: str = "cosine",
        learn: str = "none",
        temperature: float = 0.07,
        ridge: float = 0.01,
        local_weight: float | None = None,
        active_concepts: Any = None,
        pooling: str | float = 0.05,
        contamination: float = 0.1,
    ) -> None:
        self.prototypes = prototypes
        self.prototype_labels = prototype_labels
        self.metric = metric
        self.learn = learn
        self.temperature = temperature
        self.ridge = ridge
        self.local_weight = local_weight
        self.active_concepts = active_concepts
        self.pooling = pooling
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None, *, concepts: Any = None) -> Self:
        """Set the prototypes (given, averaged or learnt) and the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            Training samples; a table holds samples of one patch.
        y : array-like of shape (n_samples,), default=None
            -1 for anomalies, +1 and 0 for normal samples; used where prototypes are not given or are learnt.
        concepts : array-like of shape (n_samples,), default=None
            Whole numbers, 0 for normal samples and from 1 for kinds of anomalies, whose mean vectors are the
            prototypes; only without `prototypes`.

        Returns
        -------
        self
            The fitted detector.
        """
        return self._run_fit(X, y, concepts=concepts)

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:
        self._range = range_of(X.rows[y[X.owners] >= 0] if (y >= 0).any() else X.rows)
        if self.metric == "euclidean":
            require_squares(self, np.asarray(self._range.apply(X.rows), dtype=np.float64))
        self.prototypes_, self.prototype_labels_ = self._first_prototypes(X, y, metadata.get("concepts"))
        if not (self.prototype_labels_ == 0).any():
            raise ValueError("No prototype is normal: prototype_labels (or concepts, or y) must have a 0 (or +1).")
        self._active()
        if self.learn != "none":
            self._learn(X, y)

    def _first_prototypes(self, X: PatchSets, y: NDArray[np.int8], concepts: Any) -> tuple[Floats, NDArray[np.int64]]:
        if self.prototypes is not None:
            if concepts is not None:
                raise ValueError("fit got concepts, and prototypes are given. Leave one of them out.")
            found = np.array(self.prototypes, dtype=np.float64)
            if found.ndim != 2 or found.shape[1] != self.n_features_in_ or not np.isfinite(found).all():
                raise ValueError(
                    f"prototypes has shape {found.shape}; it must hold finite vectors of {self.n_features_in_} "
                    "columns, as X does."
                )
            if self.prototype_labels is None:
                raise ValueError("prototypes need prototype_labels: 0 for normal ones, from 1 for kinds of anomalies.")
            return found, _concepts(self.prototype_labels, len(found), "prototype_labels")
        if self.prototype_labels is not None:
            raise ValueError("prototype_labels is given without prototypes; fit(X, concepts=...) labels samples.")
        owners = (y == -1).astype(np.int64) if concepts is None else _concepts(concepts, len(X), "concepts")
        labels = np.unique(owners)
        rows = np.asarray(self._range.apply(X.rows), dtype=np.float64)
        rows = unit_vectors(rows) if self.metric == "cosine" else rows
        of_patches = owners[X.owners]
        return np.array([rows[of_patches == label].mean(axis=0) for label in labels]), labels

    def _active(self) -> NDArray[np.bool_]:
        """Say which prototypes count as anomalous."""
        labels = self.prototype_labels_
        if self.active_concepts is None:
            return labels != 0
        active = np.asarray(self.active_concepts)
        unknown = np.setdiff1d(active, labels[labels != 0])
        if active.ndim != 1 or unknown.size:
            raise ValueError(
                f"active_concepts={self.active_concepts!r} must be a list of concepts among "
                f"{np.unique(labels[labels != 0]).tolist()}."
            )
        return np.isin(labels, active)

    def _similarities(self, rows: NDArray[Any], prototypes: Floats) -> Floats:
        values = np.asarray(rows, dtype=np.float64)
        if self.metric == "cosine":
            return np.asarray(unit_vectors(values) @ unit_vectors(prototypes).T)
        return -0.5 * squared_distances(values, prototypes)

    def _log_odds(self, rows: NDArray[Any]) -> Floats:
        """Return the temperature times the log-odds of being anomalous."""
        logits = self._similarities(rows, self.prototypes_) / self.temperature
        active = self._active()
        found = -logsumexp(logits[:, ~active], axis=1)
        if active.any():
            found += logsumexp(logits[:, active], axis=1)
        return np.asarray(self.temperature * found)

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        scores = np.empty(len(X.rows))
        with np.errstate(over="ignore", invalid="ignore"):
            for part, block in X.blocks(BLOCK_PATCHES):
                scores[part] = self._log_odds(self._range.apply(block.rows))
        return limited(scores)

    def _outlyingness(self, X: PatchSets) -> Floats:
        if self.local_weight is None:
            return pool_patches(X, self._patch_outlyingness(X), self.pooling)
        vectors = []
        for _, block in X.blocks(BLOCK_PATCHES):
            rows = unit_vectors(np.asarray(self._range.apply(block.rows), dtype=np.float64))
            weights = expit(self._log_odds(self._range.apply(block.rows)) / self.temperature) + 1e-12
            local = np.add.reduceat(rows * weights[:, None], block.edges[:-1], axis=0)
            plain = np.add.reduceat(rows, block.edges[:-1], axis=0)
            vectors.append(self.local_weight * unit_vectors(local) + (1 - self.local_weight) * unit_vectors(plain))
        return self._log_odds(np.concatenate(vectors))

    def anomaly_probability(self, X: Any) -> Floats:
        """Return the probability of each sample to be anomalous, by the softmax over prototypes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            A table holds samples of one patch.

        Returns
        -------
        ndarray of shape (n_samples,)
            Not calibrated, unless the prototypes were learnt. It is 0 without anomalous prototypes.
        """
        check_is_fitted(self)
        samples = self._check(X, reset=False)
        if not self._active().any():
            return np.zeros(len(samples))
        return np.asarray(expit(self._outlyingness(samples) / self.temperature))

    def predict_type(self, X: Any) -> NDArray[np.int64]:
        """Return the most similar kind of anomaly for each sample, whether it is anomalous or not.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            A table holds samples of one patch.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            Of a sample of several patches, that of its most anomalous patch. Only active concepts.
        """
        check_is_fitted(self)
        active = self._active()
        if not active.any():
            raise ValueError("No concept is anomalous, or none is active; there is no type to predict.")
        samples = self._check(X, reset=False)
        outlyingness = self._patch_outlyingness(samples)
        most = [start + int(np.argmax(outlyingness[start:stop])) for start, stop in _bounds(samples)]
        logits = self._similarities(self._range.apply(samples.rows[most]), self.prototypes_[active]) / self.temperature
        probabilities = softmax(logits, axis=1)
        labels = np.unique(self.prototype_labels_[active])
        sums = [probabilities[:, self.prototype_labels_[active] == label].sum(axis=1) for label in labels]
        return np.asarray(labels[np.argmax(np.column_stack(sums), axis=1)])

    def _learn(self, X: PatchSets, y: NDArray[np.int8]) -> None:
        """Minimise the balanced logistic loss of the log-odds of samples, by L-BFGS."""
        signs = np.where(y == -1, 1.0, -1.0)
        if (signs > 0).all() or (signs < 0).all() or not (self.prototype_labels_ != 0).any():
            raise ValueError(
                f"learn={self.learn!r} needs normal samples and samples labelled -1 in y, and an anomalous prototype."
            )
        rows = np.asarray(self._range.apply(X.rows), dtype=np.float64)
        rows = unit_vectors(rows) if self.metric == "cosine" else rows
        weights = np.where(signs > 0, 0.5 / (signs > 0).sum(), 0.5 / (signs < 0).sum())
        anomalous, start = self.prototype_labels_ != 0, self.prototypes_
        groups = anomalous.astype(int) if self.learn == "offset" else np.arange(len(start))
        temperature = float(self.temperature)

        def loss(flat: Floats) -> tuple[float, Floats]:
            bias, shifts = flat[0], flat[1:].reshape(-1, start.shape[1])
            current = start + shifts[groups]
            logits = self._similarities(rows, current) / temperature
            odds = logsumexp(logits[:, anomalous], axis=1) - logsumexp(logits[:, ~anomalous], axis=1)
            shares = _pooling_weights(X, odds, self.pooling)
            margins = signs * (np.add.reduceat(shares * odds, X.edges[:-1]) + bias)
            value = float(weights @ np.logaddexp(0, -margins) + self.ridge * np.square(shifts).sum())
            slopes = -weights * signs * expit(-margins)
            slope = np.empty_like(logits)
            slope[:, anomalous] = softmax(logits[:, anomalous], axis=1)
            slope[:, ~anomalous] = -softmax(logits[:, ~anomalous], axis=1)
            slope *= (shares * slopes[X.owners])[:, None] / temperature
            gradient = slope.T @ rows
            if self.metric == "cosine":
                norms = np.linalg.norm(current, axis=1, keepdims=True)
                unit = unit_vectors(current)
                along = np.einsum("ij,ij->i", gradient, unit)[:, None]
                gradient = (gradient - along * unit) / np.where(norms > 0, norms, 1)
            else:
                gradient -= slope.sum(axis=0)[:, None] * current
            total = np.zeros_like(shifts)
            np.add.at(total, groups, gradient)
            total += 2 * self.ridge * shifts
            return value, np.concatenate([[slopes.sum()], total.ravel()])

        n_groups = int(groups.max()) + 1
        found = minimize(loss, np.zeros(1 + n_groups * start.shape[1]), jac=True, method="L-BFGS-B")
        self.prototypes_ = start + found.x[1:].reshape(n_groups, -1)[groups]


def _pooling_weights(X: PatchSets, values: Floats, pooling: str | float) -> Floats:
    """Return the weight of each patch in the pooled value of its sample."""
    weights = np.zeros(len(values))
    for start, stop in _bounds(X):
        size = stop - start
        fraction = {"max": 0.0, "mean": 1.0}[pooling] if isinstance(pooling, str) else float(pooling)
        n_top = min(max(int(np.ceil(fraction * size - 1e-9)), 1), size)
        weights[start + np.argsort(-values[start:stop], kind="stable")[:n_top]] = 1 / n_top
    return weights


def _bounds(X: PatchSets) -> list[tuple[int, int]]:
    return list(zip(X.edges[:-1].tolist(), X.edges[1:].tolist(), strict=True))


def _concepts(labels: Any, n_expected: int, name: str) -> NDArray[np.int64]:
    found = column_or_1d(labels)
    if len(found) != n_expected:
        raise ValueError(f"{name} has {len(found)} entries; {n_expected} are needed.")
    whole = all(isinstance(label, Integral | np.integer) or float(label).is_integer() for label in found.tolist())
    if not whole or (found.astype(np.int64) < 0).any():
        raise ValueError(f"{name} must hold whole numbers from 0 (normal), and holds {np.unique(found).tolist()[:5]}.")
    return np.asarray(found, dtype=np.int64)
