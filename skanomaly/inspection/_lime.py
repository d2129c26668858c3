"""LIME: a local linear model of the score, from columns switched on and off."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.inspection._explainer import Explainer, Floats, Groups
from skanomaly.inspection._explanation import Explanation
from skanomaly.inspection._scores import Scorer

__all__ = ["LimeExplainer"]

_N_PILOT = 64
_LEAST_RESPONSE = 0.02


class LimeExplainer(Explainer):
    r"""Local linear model of the score (LIME), fitted to copies of a row with some columns set to typical values.

    Parameters
    ----------
    background : array-like of shape (n_background, n_features)
        Normal rows, finite numbers, from which the value of a column that is switched off is taken. The columns of two
        frames are matched by name.
    fill : {"median", "mean", "draw"}, default="median"
        Value of a column that is switched off: its median, its mean, or its value in a background row drawn for each
        copy.
    n_samples : int, default=1000
        Number of copies per row.
    sampling : {"uniform", "stratified", "auto"}, default="uniform"
        "uniform" switches each column on with probability 1/2. "stratified" draws this probability for each copy, so
        that every number of columns is on equally often. "auto" is "uniform" where the score varies over such copies,
        else "stratified" without adjustment.
    adjust : bool, default=True
        With "stratified" only: True weights the copies so that the model estimates the same coefficients as "uniform".
        False gives every number of columns the same weight, which is a different model.
    kernel_width : float, default=0.25
        Width of the weights around the row itself, in cosine distances between the columns on and all columns.
    ridge : float, default=0.0
        Penalty on the squared coefficients; 0 is least squares.
    groups : array-like of shape (n_features,) or None, default=None
        Columns with equal labels are switched together and get one contribution; None switches each column by itself.
    random_state : int, RandomState instance or None, default=None
        Seeds the copies, which are the same for all rows.

    See Also
    --------
    PermutationExplainer : Contributions that add up to the score.
    explanation_sensitivity : Dependence of an explanation on such parameters.

    Notes
    -----
    The contributions are the coefficients of :math:`g(z) = c + \sum_j \beta_j z_j`, where :math:`z_j` says whether
    column :math:`j` is on; the offset is :math:`c`. They need not sum to the score: ``residuals`` is the error of the
    linear model at the row itself.

    With :math:`k` of :math:`d` columns on, a copy has distance :math:`1 - \sqrt{k/d}` and weight
    :math:`\exp(-\mathrm{distance}^2 / 2w^2)`, as in [1]_. With many columns nearly all uniform copies have about half
    of them on. Stratified copies [2]_ draw the probability first; then :math:`k` columns are on with probability
    :math:`1/(d+1)` instead of :math:`\binom{d}{k}/2^d`, and the adjustment multiplies the *weight* by
    :math:`(d+1)\binom{d}{k}/2^d`. (Multiplying the distance instead fits a different model.) Stratification increases
    the variation of the response, adjusted or not. It did not reduce the variance of adjusted coefficients in our
    tests, so it is not the default.

    ``diagnostics`` of the explanation holds, per row, the weighted coefficient of determination (``"r2"``), the
    standard deviation of the scores of the copies (``"response_std"``), the effective number of copies
    (``"effective_n"``) and whether they were stratified (``"stratified"``).

    References
    ----------
    .. [1] Ribeiro, M. T., Singh, S. and Guestrin, C. (2016). "'Why should I trust you?' Explaining the predictions of
       any classifier". KDD, 1135-1144. https://doi.org/10.1145/2939672.2939778
    .. [2] Rashid, M., Amparore, E. G., Ferrari, E. and Verda, D. (2024). "Using stratified sampling to improve LIME
       image explanations". AAAI 38(13), 14785-14792. https://doi.org/10.1609/aaai.v38i13.29397

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import LimeExplainer
    >>> rows = np.random.RandomState(0).normal(size=(200, 3))
    >>> lime = LimeExplainer(background=rows, fill="mean", random_state=0)
    >>> lime.explain(lambda X: -2 * X[:, 1], [[0.0, 5.0, 0.0]]).contributions.round(1) + 0.0
    array([[  0. , -10.1,   0. ]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Explainer._parameter_constraints,
        "fill": [StrOptions({"median", "mean", "draw"})],
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "sampling": [StrOptions({"uniform", "stratified", "auto"})],
        "adjust": ["boolean"],
        "kernel_width": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        background: Any = None,
        fill: str = "median",
        n_samples: int = 1000,
        sampling: str = "uniform",
        adjust: bool = True,
        kernel_width: float = 0.25,
        ridge: float = 0.0,
        groups: Any = None,
        random_state: Any = None,
    ) -> None:
        self.background = background
        self.fill = fill
        self.n_samples = n_samples
        self.sampling = sampling
        self.adjust = adjust
        self.kernel_width = kernel_width
        self.ridge = ridge
        self.groups = groups
        self.random_state = random_state

    def _explain(
        self, score: Scorer, rows: Floats, background: Floats, groups: Groups, random: np.random.Generator
    ) -> Explanation:
        scores = score(rows)
        uniform, stratified, pilot = (
            self._masks(kind, len(groups), count, random)
            for kind, count in (("uniform", self.n_samples), ("stratified", self.n_samples), ("uniform", _N_PILOT))
        )
        off = self._fill_values(background, max(self.n_samples, _N_PILOT), random)
        contributions, offset = np.empty((len(rows), len(groups))), np.empty(len(rows))
        diagnostics = {name: np.empty(len(rows)) for name in ("r2", "response_std", "effective_n", "stratified")}
        for place, row in enumerate(rows):
            is_stratified = self.sampling == "stratified" or (
                self.sampling == "auto" and self._is_flat(score, row, off, pilot, groups, scores[place])
            )
            masks = stratified if is_stratified else uniform
            response = np.append(scores[place], _copies(score, row, off, masks[1:], groups))
            weights = self._weights(masks, adjusted=is_stratified and self.adjust and self.sampling != "auto")
            contributions[place], offset[place], diagnostics["r2"][place] = _fit(masks, response, weights, self.ridge)
            diagnostics["response_std"][place] = response.std()
            diagnostics["effective_n"][place] = weights.sum() ** 2 / np.square(weights).sum()
            diagnostics["stratified"][place] = is_stratified
        return Explanation(contributions, offset, scores, groups.names, diagnostics)

    def _masks(self, kind: str, n_groups: int, n_masks: int, random: np.random.Generator) -> NDArray[np.bool_]:
        """Draw which groups are on; in the first copy, the row itself, all are."""
        probability = 0.5 if kind == "uniform" else random.random((n_masks, 1))
        masks = random.random((n_masks, n_groups)) < probability
        masks[0] = True
        return masks

    def _fill_values(self, background: Floats, n_copies: int, random: np.random.Generator) -> Floats:
        """Return the values of columns that are off: one row for all copies, or one row per copy."""
        if self.fill == "draw":
            return background[random.integers(len(background), size=n_copies)]
        return (np.median if self.fill == "median" else np.mean)(background, axis=0, keepdims=True)

    def _is_flat(
        self, score: Scorer, row: Floats, off: Floats, pilot: NDArray[np.bool_], groups: Groups, own: float
    ) -> bool:
        """Say whether the score varies little over uniform copies, relative to switching all columns off."""
        response = _copies(score, row, off, pilot[1:], groups)
        all_off = score(off[:1])[0]
        return bool(response.std() < _LEAST_RESPONSE * abs(own - all_off))

    def _weights(self, masks: NDArray[np.bool_], *, adjusted: bool) -> Floats:
        n_on, n_groups = masks.sum(axis=1), masks.shape[1]
        logs = -np.square(1 - np.sqrt(n_on / n_groups)) / (2 * self.kernel_width**2)
        if adjusted:
            logs[1:] += (log_adjustment(n_groups)[n_on])[1:]
        return np.exp(logs)


def log_adjustment(n_groups: int) -> Floats:
    """Return the log ratio of the probabilities of k groups on, uniform over stratified, for k from 0 on."""
    n_on = np.arange(n_groups + 1)
    binomial = gammaln(n_groups + 1) - gammaln(n_on + 1) - gammaln(n_groups - n_on + 1)
    factor: Floats = np.log(n_groups + 1) + binomial - n_groups * np.log(2)
    return factor


def _copies(score: Scorer, row: Floats, off: Floats, masks: NDArray[np.bool_], groups: Groups) -> Floats:
    """Score copies of a row, each with its columns off where the mask says so."""
    return score(np.where(masks[:, groups.members], row, off if len(off) == 1 else off[: len(masks)]))


def _fit(masks: NDArray[np.bool_], response: Floats, weights: Floats, ridge: float) -> tuple[Floats, float, float]:
    """Fit weighted (ridge) least squares; return coefficients, intercept and weighted coefficient of determination."""
    total = weights.sum()
    means = weights @ masks / total
    level = weights @ response / total
    roots = np.sqrt(weights)
    design = roots[:, None] * (masks - means)
    target = roots * (response - level)
    penalty = np.sqrt(ridge) * np.eye(masks.shape[1]) if ridge > 0 else np.empty((0, masks.shape[1]))
    solved = np.linalg.lstsq(np.vstack([design, penalty]), np.append(target, np.zeros(len(penalty))), rcond=None)[0]
    left, all_ = np.square(target - design @ solved).sum(), np.square(target).sum()
    return solved, float(level - means @ solved), float(1 - left / all_) if all_ > 0 else 1.0
