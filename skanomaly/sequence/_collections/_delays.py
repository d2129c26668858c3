"""Delays between two streams of features."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["delay_distributions"]


@validate_params(
    {
        "first": ["array-like"],
        "second": ["array-like"],
        "max_delay": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def delay_distributions(
    first: Any, second: Any, *, max_delay: int = 15, temperature: float = 0.1
) -> NDArray[np.float64]:
    r"""Distribution over the delays between two streams, at each time point.

    Parameters
    ----------
    first : array-like of shape (n_timepoints, n_features)
        Features of one stream, such as the picture.
    second : array-like of shape (n_timepoints, n_features)
        Features of another stream of the same thing, such as the sound, at the same time points and in the same space.
    max_delay : int, default=15
        Largest delay, in time points, in both directions; at least 1.
    temperature : float, default=0.1
        Divides the cosine similarities; above 0. A small value leaves the best delay only.

    Returns
    -------
    ndarray of shape (n_timepoints, 2 * max_delay + 1)
        Rows sum to 1. Column `k` is the delay `k - max_delay`: the second stream is that many time points late. Delays
        that lead out of the stream have probability 0.

    Raises
    ------
    ValueError
        If the streams do not have the same shape.

    See Also
    --------
    SequenceLikelihood : Likelihood of sequences of such distributions.

    Notes
    -----
    The probability of delay :math:`\delta` at time point :math:`t` is the softmax over delays of
    :math:`\cos(u_t, v_{t+\delta}) / \tau`. [1]_ learns features of picture and sound for which it is large at the true
    delay; here they are given. O(T K d) for T time points, K delays and d features.

    References
    ----------
    .. [1] Feng, C., Chen, Z. and Owens, A. (2023). "Self-supervised video forensics by audio-visual anomaly detection".
       CVPR, section 3. arXiv:2301.01767.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import delay_distributions
    >>> first = np.random.default_rng(0).normal(size=(50, 8))
    >>> second = np.roll(first, 2, axis=0)
    >>> found = delay_distributions(first, second, max_delay=3)
    >>> int(found[20].argmax()) - 3
    2
    """
    left, right = (
        _unit(check_array(stream, dtype=np.float64, input_name=name))
        for stream, name in ((first, "first"), (second, "second"))
    )
    if left.shape != right.shape:
        raise ValueError(
            f"first has shape {left.shape} and second {right.shape}; the streams must have the same time points and "
            "features. Resample them, or cut the longer one."
        )
    n_timepoints = len(left)
    logits = np.full((n_timepoints, 2 * max_delay + 1), -np.inf)
    for column, delay in enumerate(range(-max_delay, max_delay + 1)):
        start, stop = max(0, -delay), min(n_timepoints, n_timepoints - delay)
        if start < stop:
            logits[start:stop, column] = np.einsum("ij,ij->i", left[start:stop], right[start + delay : stop + delay])
    weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    rows = rows / np.where(largest > 0, largest, 1)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1))
