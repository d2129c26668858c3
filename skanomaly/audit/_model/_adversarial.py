"""Does a step along the gradient raise the loss? Where it lowers it, training on such steps is about to collapse."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d

from skanomaly._support._results import ShortRepr
from skanomaly.audit._model._input_gradients import evaluation

__all__ = ["AbnormalAdversarialReport", "abnormal_adversarial_report"]

Floats = NDArray[np.float64]
_ROUNDING = 1e-12


@dataclass(frozen=True, repr=False)
class AbnormalAdversarialReport(ShortRepr):
    """What one step along the sign of the gradient does to the loss, from :func:`abnormal_adversarial_report`.

    Attributes
    ----------
    fraction : float
        Fraction of the rows whose loss the step lowers: the abnormal adversarial examples.
    abnormal_mask : ndarray of shape (n_samples,), bool
        These rows.
    mean_decrease : float
        Mean decrease of their loss; 0 if there are none.
    mean_increase : float
        Mean increase of the loss of the other rows.
    output_variation : float
        Mean squared change of the outputs (logits) of the abnormal rows; 0 if there are none.
    normal_output_variation : float
        The same of the other rows.
    adversarial_rows : ndarray of shape (n_samples, n_features)
        The rows after the step. Training on them is adversarial training with one step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skanomaly.audit import abnormal_adversarial_report
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    >>> abnormal_adversarial_report(
    ...     LogisticRegression().fit(X, y), X, y, epsilon=0.5
    ... ).fraction
    0.0
    """

    fraction: float
    abnormal_mask: NDArray[np.bool_]
    mean_decrease: float
    mean_increase: float
    output_variation: float
    normal_output_variation: float
    adversarial_rows: Floats


def abnormal_adversarial_report(model: Any, X: Any, y: Any, *, epsilon: Any) -> AbnormalAdversarialReport:
    r"""Step each row along the sign of the gradient of its loss, and say where that lowers the loss.

    For a model whose loss is nearly linear around the rows the step raises the loss. Adversarial training with one such
    step can collapse: the model bends its loss so that the step does nothing, and shorter steps defeat it. The fraction
    of rows whose loss the step lowers grows then.

    Parameters
    ----------
    model : fitted classifier or regressor, or callable
        Linear models, scikit-learn's networks and those of ``skanomaly.robust`` have exact gradients. Any other is
        differentiated numerically, with two predictions for each column. A callable ``model(X, y)`` returns the losses
        of shape (n_samples,) and their gradients of shape (n_samples, n_features), for networks of your own.
    X : array-like of shape (n_samples, n_features)
        Numbers.
    y : array-like of shape (n_samples,)
        Classes or numbers.
    epsilon : float or array-like of shape (n_features,)
        Length of the step in each column, in its units, at least 0.

    Returns
    -------
    AbnormalAdversarialReport

    Raises
    ------
    ValueError
        If `epsilon` is negative, `y` holds a class the model does not know, or all gradients are 0, as those of trees.
    TypeError
        If the model's loss is not known.

    Notes
    -----
    The loss is the cross-entropy of the outputs, or half the squared error. For a linear model it is convex along the
    step, so the fraction is exactly 0. A loss that falls by less than rounding does not count.

    Abnormal adversarial examples are those of the paper [1]_, which penalises them during training,

    .. math:: \lambda_1 \frac{n_a}{n} \bigl(\lambda_2\, \overline{(\ell - \ell')}_a
        + \lambda_3 \max(0, v_a - v_n)\bigr),

    with :math:`\ell, \ell'` the loss before and after the step and :math:`v` the mean squared change of the outputs.
    Only the report is here. Where training does not collapse there are nearly no such examples, and the penalty is 0;
    where their fraction rises, shorten the step or train on several short ones.

    References
    ----------
    .. [1] R. Lin, C. Yu and T. Liu, "Eliminating Catastrophic Overfitting Via Abnormal Adversarial Examples
       Regularization", 2024. arXiv:2404.08154.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import abnormal_adversarial_report
    >>> def hill(X, y):  # a loss with its top between the row and the end of the step
    ...     return -((X[:, 0] - y) ** 2), -2 * (X - y[:, None])
    >>> abnormal_adversarial_report(hill, [[0.0], [2.0]], [0.1, 1.9], epsilon=1.0).fraction
    1.0
    """
    rows = check_array(X, dtype=np.float64)
    targets = column_or_1d(y)
    check_consistent_length(rows, targets)
    lengths = np.asarray(epsilon, dtype=np.float64)
    if lengths.shape not in {(), (rows.shape[1],)} or not (np.isfinite(lengths).all() and (lengths >= 0).all()):
        raise ValueError(f"epsilon={epsilon!r} must be a number of at least 0, or one for each of {rows.shape[1]}.")
    evaluate = evaluation(model, rows, targets)
    before, gradients, outputs = evaluate(rows)
    if not gradients.any():
        raise ValueError("The gradient of the loss is 0 in every row, as that of trees; nothing can be said of a step.")
    moved = rows + lengths * np.sign(gradients)
    after, _, changed = evaluate(moved)
    fall = before - after
    abnormal = fall > _ROUNDING * (1 + np.abs(before))
    variation = ((changed - outputs) ** 2).mean(axis=1)
    return AbnormalAdversarialReport(
        fraction=float(abnormal.mean()),
        abnormal_mask=abnormal,
        mean_decrease=_mean(fall[abnormal]),
        mean_increase=_mean(-fall[~abnormal]),
        output_variation=_mean(variation[abnormal]),
        normal_output_variation=_mean(variation[~abnormal]),
        adversarial_rows=moved,
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0
