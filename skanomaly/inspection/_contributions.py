"""Contributions of columns: exact where the score is a sum over columns, else by an explainer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.covariance import EllipticEnvelope
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._items import require_rows
from skanomaly._support._responses import best_estimator
from skanomaly._support._sklearn import validate_params
from skanomaly.inspection._explainer import Explainer
from skanomaly.inspection._lime import LimeExplainer
from skanomaly.inspection._origins import ACCEPTED_STEPS, CONSTANT, followed, origins
from skanomaly.inspection._permutation import PermutationExplainer

__all__ = ["feature_contributions"]

_ROUNDING = 1e-9  # contributions up to this fraction of the largest one are rounding
_REMEDY = "use method='permutation' with background rows."


@validate_params({"method": [str, Explainer], "random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def feature_contributions(
    detector: Any, X: Any, *, method: str | Explainer = "exact", background: Any = None, random_state: Any = None
) -> NDArray[np.float64]:
    r"""Split the scores of rows into contributions of their columns, in the sign of the score.

    Parameters
    ----------
    detector : estimator or callable
        Fitted. "exact" needs a detector with ``feature_contributions``, scikit-learn's ``EllipticEnvelope``, or a
        pipeline that ends in one of these and does not mix columns before it (see Notes). Of a fitted search the best
        estimator is explained, and of a wrapper that does not change the scores its ``detector_``. The other methods
        take any detector with ``score_samples``, or a function from rows to scores, lower for more anomalous rows.
    X : array-like of shape (n_samples, n_features)
        Rows to explain, as the detector (or the pipeline) takes them.
    method : {"exact", "permutation", "lime", "stratified_lime"} or Explainer, default="exact"
        "exact" is never replaced by another method: it raises where it is not possible. The other strings use
        :class:`PermutationExplainer` or :class:`LimeExplainer` with default parameters; pass an explainer for others.
    background : array-like of shape (n_background, n_features), default=None
        Normal rows. All methods given as a string need them, except "exact".
    random_state : int, RandomState instance or None, default=None
        Seeds methods given as a string.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float64
        The lowest contribution of a row is that of the column that makes it most anomalous; a positive contribution
        makes the row less anomalous. With :math:`s` the score, the contributions of a row sum

        - "exact": to :math:`s(x)`, up to rounding. The offset is 0.
        - "permutation": to :math:`s(x)` minus the mean score of the background rows drawn, up to rounding.
        - "lime": approximately to :math:`s(x)` minus the intercept of the model.

        The explainers' ``explain`` returns offsets and residuals, too.

    Raises
    ------
    ValueError
        If "exact" is used with a detector whose score is not a sum over columns, or with a pipeline that mixes columns.

    See Also
    --------
    discover_features : Tests which columns make a row anomalous, at a false discovery rate.
    ContributionDisplay : Bar chart of the contributions.

    Notes
    -----
    Random projection depth: the standardised distance :math:`|u^T x - m| / s` on each direction is linear in :math:`x`
    on either side of the median and splits into :math:`\pm u_j (x_j - c_j) / s`. Gaussian: :math:`(x-\mu)_j
    [P(x-\mu)]_j`. Nearest neighbours: the terms of the squared distance, scaled to sum to the distance. All have a
    minus sign, since the score has one.

    Steps before the detector may be scikit-learn's scalers of single columns, power and quantile transformers, one-hot,
    ordinal and target encoders, binning and splines, ``SimpleImputer``, ``MissingIndicator``, feature selectors, and a
    ``ColumnTransformer`` or pipeline of these. A column that becomes several, such as one for each category, gets the
    sum of their contributions. A missing value gets the contribution of the value that replaces it, with that of its
    indicator if there is one, and a column that is dropped gets 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.inspection import feature_contributions
    >>> rows = np.random.RandomState(0).normal(size=(200, 3))
    >>> pipeline = make_pipeline(StandardScaler(), GaussianDetector()).fit(rows)
    >>> row = [[0.0, 5.0, 0.0]]
    >>> parts = feature_contributions(pipeline, row)
    >>> int(parts[0].argmin())
    1
    >>> bool(np.isclose(parts.sum(), pipeline.score_samples(row)[0]))
    True
    """
    require_rows(X)
    if np.ndim(X) == 1:
        raise ValueError(
            "X has one dimension; give a table. A single row is X.iloc[[0]] of a frame, X[[0]] of an array."
        )
    if isinstance(method, Explainer):
        return method.explain(detector, X).contributions
    if method == "exact":
        return _exact(detector, X)
    explainers: dict[str, Any] = {
        "permutation": lambda: PermutationExplainer(background=background, random_state=random_state),
        "lime": lambda: LimeExplainer(background=background, random_state=random_state),
        "stratified_lime": lambda: LimeExplainer(
            background=background, sampling="stratified", random_state=random_state
        ),
    }
    if method not in explainers:
        raise ValueError(f"method={method!r} must be 'exact', {', '.join(map(repr, explainers))}, or an explainer.")
    contributions: NDArray[np.float64] = explainers[method]().explain(detector, X).contributions
    return contributions


def _exact(detector: Any, X: Any) -> NDArray[np.float64]:
    detector = best_estimator(detector)
    if isinstance(detector, Pipeline):
        check_is_fitted(detector)
        return _through_steps(detector, X)
    if hasattr(detector, "feature_contributions"):
        return np.asarray(detector.feature_contributions(X), dtype=np.float64)
    if hasattr(detector, "detector_") and _same_scores(detector, detector.detector_, X):
        return _exact(detector.detector_, X)
    if type(detector) is EllipticEnvelope:
        return _mahalanobis(detector, X)
    inner = "explain its detector_, or " if hasattr(detector, "detector_") else ""
    raise ValueError(f"The score of {type(detector).__name__} is not known to be a sum over columns; {inner}{_REMEDY}")


def _through_steps(pipeline: Pipeline, X: Any) -> NDArray[np.float64]:
    """Explain the rows as the last step receives them, and add each contribution to the column it comes from."""
    shape = np.shape(X)
    if len(shape) != 2:
        raise ValueError(f"X has shape {shape}; pass rows of a table, for example X[[3]].")
    columns = np.arange(shape[1])
    for name, step in pipeline.steps[:-1]:
        try:
            columns = followed(columns, origins(step, len(columns)))
        except ValueError as error:
            what = "contains" if isinstance(step, Pipeline | ColumnTransformer) else "is"
            raise ValueError(
                f"Step {name!r} of the pipeline {what} {error}, so contributions of single columns are not exact; "
                f"{_REMEDY} Accepted steps are {ACCEPTED_STEPS}."
            ) from None
        if not (step is None or step == "passthrough"):
            X = step.transform(X)
    found = _exact(pipeline.steps[-1][1], X).T
    constant = columns == CONSTANT
    if np.abs(found[constant]).max(initial=0.0) > _ROUNDING * np.abs(found).max(initial=0.0):
        raise ValueError(
            "A column of ones, which comes from no column of X, contributes to the score of "
            f"{type(pipeline.steps[-1][1]).__name__}; leave it out, for example with PolynomialFeatures("
            "include_bias=False)."
        )
    contributions = np.zeros(shape[::-1])
    np.add.at(contributions, columns[~constant], found[~constant])
    return np.ascontiguousarray(contributions.T)


def _same_scores(wrapper: Any, detector: Any, X: Any) -> bool:
    """Say whether a wrapper, such as one that sets a threshold, has the scores of its detector."""
    both = hasattr(wrapper, "score_samples") and hasattr(detector, "score_samples")
    return both and np.array_equal(wrapper.score_samples(X), detector.score_samples(X))


def _mahalanobis(detector: EllipticEnvelope, X: Any) -> NDArray[np.float64]:
    """Split minus the squared Mahalanobis distance by the robust covariance, as `score_samples` returns it."""
    detector.score_samples(X)  # its own validation
    differences = np.asarray(X, dtype=np.float64) - detector.location_
    return -differences * (differences @ detector.get_precision())
