"""One door to contributions: the detector's own where its score is a sum, else by a method asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.covariance import EllipticEnvelope
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._responses import best_estimator
from skanomaly.inspection._explainer import Explainer
from skanomaly.inspection._lime import LimeExplainer
from skanomaly.inspection._origins import ACCEPTED_STEPS, origins
from skanomaly.inspection._permutation import PermutationExplainer

__all__ = ["feature_contributions"]

_REMEDY = "ask for method='permutation' and give background rows."


def feature_contributions(
    detector: Any, X: Any, *, method: str | Explainer = "exact", background: Any = None, random_state: Any = None
) -> NDArray[np.float64]:
    r"""Split the scores of rows among their columns, in the sign of the score.

    Parameters
    ----------
    detector : estimator or callable
        Fitted. "exact" needs a detector with ``feature_contributions``, scikit-learn's ``EllipticEnvelope``, or a
        pipeline that ends in one of these and does not mix columns before it (see Notes); a fitted search stands for
        its best estimator, a wrapper that leaves the scores as they are for its ``detector_``. The other methods take
        any detector with ``score_samples``, or a function from rows to scores, of which small is odd.
    X : array-like of shape (n_samples, n_features)
        Rows to explain, as the detector (or the pipeline) takes them.
    method : {"exact", "permutation", "lime", "stratified_lime"} or Explainer, default="exact"
        No other method is ever taken silently in place of "exact". A string names :class:`PermutationExplainer` or
        :class:`LimeExplainer` in default settings; give an object for others.
    background : array-like of shape (n_background, n_features), default=None
        Rows of the normal kind, which all methods named by a string need but "exact".
    random_state : int, RandomState instance or None, default=None
        For methods named by a string.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float64
        The smallest entry of a row is the column that makes it odd before all others; an entry above 0 makes it more
        normal. With :math:`s` the score, rows sum

        - "exact": to :math:`s(x)`, to rounding. The offset is 0.
        - "permutation": to :math:`s(x)` less the mean score of the background rows drawn, to rounding.
        - "lime": to about :math:`s(x)` less the model's intercept; nothing holds it to that.

        Offsets and residuals are kept by ``explain`` of the explainers.

    Raises
    ------
    ValueError
        If "exact" is asked of a detector whose score is no sum over columns, or of a pipeline that mixes columns.

    See Also
    --------
    discover_features : Which of them matter, at a false discovery rate.
    ContributionDisplay : Bars.

    Notes
    -----
    Random projection depth: each direction's deviation :math:`|u^T x - m| / s` is linear in :math:`x` on either side of
    its median and splits into :math:`\pm u_j (x_j - c_j) / s`. Gaussian: :math:`(x-\mu)_j [P(x-\mu)]_j`. Neighbours:
    the parts of the squared distance, scaled to sum to the distance. All with a minus sign, as the score has one.

    Steps before the detector may be scikit-learn's scalers of single columns, power and quantile transformers,
    ``SimpleImputer``, selectors of columns, and a ``ColumnTransformer`` or pipeline of these. A missing cell gets the
    part of the value that it is filled with, a column that is dropped gets 0, and one that is used twice the sum.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.inspection import feature_contributions
    >>> rows = np.random.RandomState(0).normal(size=(200, 3))
    >>> pipeline = make_pipeline(StandardScaler(), GaussianDetector()).fit(rows)
    >>> odd = [[0.0, 5.0, 0.0]]
    >>> parts = feature_contributions(pipeline, odd)
    >>> int(parts[0].argmin())
    1
    >>> bool(np.isclose(parts.sum(), pipeline.score_samples(odd)[0]))
    True
    """
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
        raise ValueError(
            f"method={method!r} is not one of 'exact', {', '.join(map(repr, explainers))}, or an explainer."
        )
    contributions: NDArray[np.float64] = explainers[method]().explain(detector, X).contributions
    return contributions


def _exact(detector: Any, X: Any) -> NDArray[np.float64]:
    detector = best_estimator(detector)
    if isinstance(detector, Pipeline):
        check_is_fitted(detector)
        return _through_steps(detector, X)
    if hasattr(detector, "feature_contributions"):
        return np.asarray(detector.feature_contributions(X), dtype=np.float64)
    if hasattr(detector, "detector_") and _scores_alike(detector, detector.detector_, X):
        return _exact(detector.detector_, X)
    if type(detector) is EllipticEnvelope:
        return _mahalanobis(detector, X)
    raise ValueError(f"the score of {type(detector).__name__} is no sum over columns that we know of; {_REMEDY}")


def _through_steps(pipeline: Pipeline, X: Any) -> NDArray[np.float64]:
    """Explain the rows as the last step sees them, and give each part back to the column that it comes from."""
    shape = np.shape(X)
    if len(shape) != 2:
        raise ValueError(f"X has shape {shape}; rows of a table are explained, for example X[[3]].")
    places = np.arange(shape[1])
    for name, step in pipeline.steps[:-1]:
        try:
            places = places[origins(step, len(places))]
        except ValueError as error:
            what = "holds" if isinstance(step, Pipeline | ColumnTransformer) else "is"
            raise ValueError(
                f"step {name!r} of the pipeline {what} {error}, so that contributions cannot be told apart exactly; "
                f"{_REMEDY} Accepted steps are {ACCEPTED_STEPS}."
            ) from None
        if not (step is None or step == "passthrough"):
            X = step.transform(X)
    contributions = np.zeros(shape[::-1])
    np.add.at(contributions, places, _exact(pipeline.steps[-1][1], X).T)
    return np.ascontiguousarray(contributions.T)


def _scores_alike(wrapper: Any, detector: Any, X: Any) -> bool:
    """Tell whether a wrapper, such as one that sets a threshold, leaves the scores as they are."""
    both = hasattr(wrapper, "score_samples") and hasattr(detector, "score_samples")
    return both and np.array_equal(wrapper.score_samples(X), detector.score_samples(X))


def _mahalanobis(detector: EllipticEnvelope, X: Any) -> NDArray[np.float64]:
    """Split minus the squared distance of the robust covariance, as `score_samples` measures it."""
    detector.score_samples(X)  # its own validation
    differences = np.asarray(X, dtype=np.float64) - detector.location_
    return -differences * (differences @ detector.get_precision())
