"""Draws from a distribution tilted in a direction, at an exact cost in Kullback-Leibler divergence."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.generation._speculative import draw_tokens

__all__ = ["TiltedSample", "antidistillation_direction", "tilted_sample"]

Floats = NDArray[np.float64]
_BISECTIONS = 60
_STRONGEST = 1e6  # in standard deviations of the direction


@dataclass(frozen=True, repr=False)
class TiltedSample(ShortRepr):
    """Tokens drawn by :func:`tilted_sample`, and what the tilt costs.

    Attributes
    ----------
    tokens : ndarray of shape (n_samples,), intp
        One token for each row.
    probabilities : ndarray of shape (n_samples, n_tokens)
        Distributions that they were drawn from.
    strength : ndarray of shape (n_samples,)
        Strength of the tilt in each row.
    divergence : ndarray of shape (n_samples,)
        Kullback-Leibler divergence of the tilted from the given distribution, in nats.

    Examples
    --------
    >>> from skanomaly.generation import tilted_sample
    >>> found = tilted_sample(
    ...     [[0.0, 0.0, 0.0]], [0.0, 0.0, 1.0], kl_budget=0.1, random_state=0
    ... )
    >>> found.divergence.round(6), bool(found.probabilities[0, 2] > 0.5)
    (array([0.1]), True)
    """

    tokens: NDArray[np.intp]
    probabilities: Floats
    strength: Floats
    divergence: Floats


@validate_params(
    {
        "logits": ["array-like"],
        "direction": ["array-like"],
        "strength": [Real, None],
        "kl_budget": [Interval(Real, 0, None, closed="left"), None],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def tilted_sample(
    logits: Any,
    direction: Any,
    *,
    strength: float | None = None,
    kl_budget: float | None = None,
    temperature: float = 1.0,
    random_state: Any = None,
) -> TiltedSample:
    r"""Draw a token from each row's distribution, after tilting it in a direction.

    The distribution is proportional to :math:`p(x) \exp(\lambda \Delta(x))`: of all distributions with the same mean of
    the direction :math:`\Delta` it is the nearest to :math:`p`. Give the strength :math:`\lambda`, or the divergence
    that the tilt may cost. Research-grade: what a tilt does to those who train on the draws must be measured.

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_tokens)
        Logarithms of the probabilities, up to a constant in each row; ``-inf`` for tokens that cannot be drawn.
    direction : array-like of shape (n_samples, n_tokens) or (n_tokens,)
        What the tilt favours, such as :func:`antidistillation_direction`; finite.
    strength : float, default=None
        Strength of the tilt; 0 draws from the given distribution, a negative one tilts away.
    kl_budget : float, default=None
        Divergence of the tilted from the given distribution in each row, in nats; the strength is then found by
        bisection. A row whose direction cannot cost as much is tilted as far as possible.
    temperature : float, default=1.0
        Divides the logits before the tilt.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws.

    Returns
    -------
    TiltedSample

    Raises
    ------
    ValueError
        If shapes differ, a row has no finite logit, or not exactly one of `strength` and `kl_budget` is given.

    Notes
    -----
    For a weak tilt the divergence is about :math:`\lambda^2 \mathrm{Var}_p(\Delta) / 2`. Antidistillation sampling
    [1]_ tilts the tokens of a language model such that training on them helps a student less; the exact budget is ours.

    References
    ----------
    .. [1] Y. Savani, A. Trockman, Z. Feng, A. Schwarzschild, A. Robey, M. Finzi and J. Z. Kolter, "Antidistillation
       Sampling", 2025. arXiv:2504.13146.

    Examples
    --------
    >>> from skanomaly.generation import tilted_sample
    >>> tilted_sample(
    ...     [[0.0, 0.0]], [0.0, 1.0], strength=2.0, random_state=0
    ... ).probabilities.round(2)
    array([[0.12, 0.88]])
    """
    if (strength is None) == (kl_budget is None):
        raise ValueError(f"Give one of strength={strength!r} and kl_budget={kl_budget!r}, not both or neither.")
    table = np.asarray(logits, dtype=np.float64)
    slopes = np.asarray(direction, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or slopes.shape not in {table.shape, table.shape[1:]}:
        raise ValueError(
            f"logits have shape {table.shape} and direction {slopes.shape}; give (n_samples, n_tokens), and the same "
            "or (n_tokens,)."
        )
    if np.isnan(table).any() or (table == np.inf).any() or not np.isfinite(table).any(axis=1).all():
        raise ValueError("logits must be finite or -inf, with a finite one in each row.")
    if not np.isfinite(slopes).all():
        raise ValueError("direction must be finite.")
    base = log_softmax(table / temperature, axis=1)
    slopes = np.broadcast_to(slopes, table.shape)
    if kl_budget is None:
        strengths = np.full(len(table), float(strength))  # type: ignore[arg-type]  # one of the two is given
    else:
        strengths = _strengths(base, slopes, float(kl_budget))
    tilted, divergence = _tilted(base, slopes, strengths)
    probabilities = np.exp(tilted)
    tokens = draw_tokens(probabilities, generator(random_state))
    return TiltedSample(tokens, probabilities, strengths, divergence)


def _tilted(base: Floats, slopes: Floats, strengths: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of the tilted probabilities, and their divergence from the base."""
    tilted = log_softmax(base + strengths[:, None] * slopes, axis=1)
    probabilities = np.exp(tilted)
    possible = probabilities > 0
    ratios = np.where(possible, tilted, 0.0) - np.where(possible, base, 0.0)
    terms = probabilities * ratios
    return tilted, np.maximum(terms.sum(axis=1), 0.0)


def _strengths(base: Floats, slopes: Floats, budget: float) -> Floats:
    """Find the strength of each row at which the divergence, which grows with it, is the budget."""
    weights = np.exp(base)
    mean = (weights * slopes).sum(axis=1, keepdims=True)
    deviation = np.sqrt((weights * (slopes - mean) ** 2).sum(axis=1))
    unit = np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1.0), 0.0)
    low, high = np.zeros(len(base)), np.ones(len(base))
    for _ in range(_BISECTIONS):
        short = (_tilted(base, slopes, high * unit)[1] < budget) & (high < _STRONGEST)
        if not short.any():
            break
        low, high = np.where(short, high, low), np.where(short, 2 * high, high)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        below = _tilted(base, slopes, middle * unit)[1] < budget
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low * unit


@validate_params(
    {
        "log_probabilities": [callable],
        "parameters": ["array-like"],
        "gradient": ["array-like"],
        "step_size": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def antidistillation_direction(
    log_probabilities: Callable[[Any], Any], parameters: Any, gradient: Any, *, step_size: float = 1e-4
) -> Floats:
    """Return how much training on each token would raise the loss of a student, by a difference of two evaluations.

    Parameters
    ----------
    log_probabilities : callable
        ``log_probabilities(parameters)`` of a proxy of the student, of shape (n_samples, n_tokens).
    parameters : array-like
        Parameters of the proxy.
    gradient : array-like of the same shape
        Gradient of the student's loss on its task, in the parameters. A step of training on a token that is likelier
        along this gradient raises that loss.
    step_size : float, default=1e-4
        Step along the gradient, above 0; the error is of the order of its square.

    Returns
    -------
    ndarray of shape (n_samples, n_tokens)
        Derivative of the log-probabilities along the gradient, for :func:`tilted_sample`.

    Raises
    ------
    ValueError
        If shapes differ, or `step_size` is not above 0.

    References
    ----------
    .. [1] Y. Savani, A. Trockman, Z. Feng, A. Schwarzschild, A. Robey, M. Finzi and J. Z. Kolter, "Antidistillation
       Sampling", 2025. arXiv:2504.13146.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import log_softmax
    >>> from skanomaly.generation import antidistillation_direction
    >>> features = np.array([[1.0, 2.0]])
    >>> antidistillation_direction(
    ...     lambda weights: log_softmax(features @ weights, axis=1),
    ...     np.zeros((2, 2)),
    ...     [[1.0, 0.0], [0.0, 0.0]],
    ... ).round(6)
    array([[ 0.5, -0.5]])
    """
    center, slope = np.asarray(parameters, dtype=np.float64), np.asarray(gradient, dtype=np.float64)
    if center.shape != slope.shape:
        raise ValueError(f"parameters have shape {center.shape} and gradient {slope.shape}; they must agree.")
    above, below = (
        np.asarray(log_probabilities(center + sign * step_size * slope), dtype=np.float64) for sign in (1.0, -1.0)
    )
    return np.asarray((above - below) / (2 * step_size))
