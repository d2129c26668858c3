"""Normal distributions of each row's confidence with and without the row, and their likelihood ratio."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from skanomaly._support._sklearn import StrOptions, validate_params

__all__ = ["Moments", "RowMoments", "membership_likelihood_ratio"]

Floats = NDArray[np.float64]
_PRIOR_MODELS = 8.0  # models that the mean variance of all rows counts for


@dataclass(frozen=True)
class Moments:
    """Means with and without the row, and standard deviations within the row, for each row and query."""

    mean_in: Floats
    mean_out: Floats
    deviation: Floats  # of all models
    deviation_out: Floats  # of the models without the row

    def separation(self) -> Floats:
        """Return the differences of the means in standard deviations."""
        return np.asarray((self.mean_in - self.mean_out) / self.deviation)

    def scores(self, values: NDArray[Any], mode: str) -> Floats:
        """Score the values of one model: large where it trained on the row."""
        given = values.astype(np.float64)
        if mode == "offline":
            return np.asarray(-norm.logsf((given - self.mean_out) / self.deviation_out))
        with_row, without = ((given - mean) / self.deviation for mean in (self.mean_in, self.mean_out))
        return np.asarray(0.5 * (without**2 - with_row**2))


@dataclass
class RowMoments:
    """Sums over the models, from which any one model can be left out.

    `values` has shape (n_models, n_samples, n_queries) and `members` (n_models, n_samples).
    """

    values: NDArray[Any]
    members: NDArray[np.bool_]
    center: Floats = field(init=False)
    counts: Floats = field(init=False)
    sums: Floats = field(init=False)
    squares: Floats = field(init=False)

    def __post_init__(self) -> None:
        n_rows, n_queries = self.values.shape[1:]
        self.center = self.values.mean(axis=0, dtype=np.float64)
        self.counts = np.stack([self.members.sum(axis=0), (~self.members).sum(axis=0)]).astype(np.float64)[:, :, None]
        self.sums = np.zeros((2, n_rows, n_queries))
        self.squares = np.zeros((2, n_rows, n_queries))
        for place in range(len(self.values)):  # one at a time: nothing of the size of `values` in float64
            deviations = self.values[place] - self.center
            for side, chosen in enumerate((self.members[place], ~self.members[place])):
                self.sums[side, chosen] += deviations[chosen]
                self.squares[side, chosen] += deviations[chosen] ** 2

    def summary(self) -> Moments:
        """Return the moments over all models."""
        return self._moments(self.counts, self.sums, self.squares)

    def without(self, place: int) -> Moments:
        """Return the moments over all models but one."""
        deviations = self.values[place] - self.center
        counts, sums, squares = self.counts.copy(), self.sums.copy(), self.squares.copy()
        for side, chosen in enumerate((self.members[place], ~self.members[place])):
            counts[side, chosen] -= 1
            sums[side, chosen] -= deviations[chosen]
            squares[side, chosen] -= deviations[chosen] ** 2
        return self._moments(counts, sums, squares)

    def separation(self) -> Floats:
        """Return the differences of the means in standard deviations, over all models."""
        return self.summary().separation()

    def _moments(self, counts: Floats, sums: Floats, squares: Floats) -> Moments:
        means = sums / counts
        spread = np.maximum(squares - counts * means**2, 0.0)
        return Moments(
            self.center + means[0],
            self.center + means[1],
            _deviation(spread.sum(axis=0), counts.sum(axis=0) - 2),
            _deviation(spread[1], counts[1] - 1),
        )


def _deviation(spread: Floats, freedom: Floats) -> Floats:
    """Return the standard deviations of the rows, shrunken to that of all rows."""
    freedom = np.maximum(freedom, 1.0)
    typical = (spread / freedom).mean(axis=0)
    variance = (spread + _PRIOR_MODELS * typical) / (freedom + _PRIOR_MODELS)
    # Without any spread in any row the scores are differences alone.
    return np.asarray(np.sqrt(np.where(variance > 0, variance, 1.0)))


@validate_params(
    {
        "confidence": ["array-like"],
        "shadow_confidence": ["array-like"],
        "member_mask": ["array-like"],
        "mode": [StrOptions({"online", "offline"})],
    },
    prefer_skip_nested_validation=True,
)
def membership_likelihood_ratio(
    confidence: Any, shadow_confidence: Any, member_mask: Any, *, mode: str = "online"
) -> Floats:
    """Score how probably each row was among the training data of a model, from the outputs of shadow models.

    For models that :class:`MembershipAudit` cannot train, such as large networks: train the shadow models yourself.

    Parameters
    ----------
    confidence : array-like of shape (n_samples,)
        Output of the model for each row, large where it knows the row: the logit of the probability of its class, or
        minus its loss.
    shadow_confidence : array-like of shape (n_shadows, n_samples)
        The same of each shadow model.
    member_mask : array-like of shape (n_shadows, n_samples), bool
        Whether the shadow model trained on the row. Each row needs a model that did and one that did not.
    mode : {"online", "offline"}, default="online"
        As in :class:`MembershipAudit`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Log likelihood ratio, or minus the logarithm of the tail probability; larger values mean that the row was more
        probably a training row.

    Raises
    ------
    ValueError
        If shapes differ, a value is not finite, or a row lacks models with or without it.

    References
    ----------
    .. [1] N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis and F. Tramer, "Membership Inference Attacks From First
       Principles", 2021. arXiv:2112.03570.

    Examples
    --------
    >>> from skanomaly.audit import membership_likelihood_ratio
    >>> shadows = [[2.0, 1.0], [2.2, 1.1], [0.0, 1.0], [0.1, 0.9]]
    >>> member = [[True, True], [True, False], [False, True], [False, False]]
    >>> scores = membership_likelihood_ratio([2.1, 1.0], shadows, member)
    >>> bool(scores[0] > 5), bool(abs(scores[1]) < 1)
    (True, True)
    """
    given = np.asarray(confidence, dtype=np.float64)
    shadows = np.asarray(shadow_confidence, dtype=np.float64)
    members = np.asarray(member_mask).astype(np.bool_)
    if given.ndim != 1 or shadows.shape != members.shape or shadows.shape[1:] != given.shape:
        raise ValueError(
            f"confidence has shape {given.shape}, shadow_confidence {shadows.shape} and member_mask {members.shape}; "
            "give (n_samples,), (n_shadows, n_samples) and (n_shadows, n_samples)."
        )
    if not (np.isfinite(given).all() and np.isfinite(shadows).all()):
        raise ValueError("confidence and shadow_confidence must be finite; clip probabilities before taking logits.")
    one_sided = members.all(axis=0) | ~members.any(axis=0)
    if one_sided.any():
        raise ValueError(
            f"Row {int(np.flatnonzero(one_sided)[0])} is in all of the shadow models or in none; each row needs both."
        )
    moments = RowMoments(shadows[:, :, None], members).summary()
    return moments.scores(given[:, None], mode)[:, 0]
