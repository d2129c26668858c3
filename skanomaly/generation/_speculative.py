"""Speculative sampling of sequences, and the agreement of two models of sequences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params

__all__ = [
    "AcceptanceScore",
    "SpeculativeSample",
    "acceptance_score",
    "draw_tokens",
    "modified_rejection",
    "speculative_sample",
]

Vector = NDArray[np.float64]
Model = Callable[[NDArray[np.intp]], Any]
_SLACK = 1e-6


@dataclass(frozen=True, repr=False)
class SpeculativeSample(ShortRepr):
    """A sequence drawn by :func:`speculative_sample`.

    Attributes
    ----------
    sequence : ndarray of shape (n_tokens,), intp
        Tokens after `start`.
    acceptance_rate : float
        Fraction of the tokens proposed and looked at that were accepted.
    tokens_per_round : float
        Tokens for each round of the target model.
    n_rounds : int
        Rounds; in each the target model can evaluate all proposed tokens at once.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import speculative_sample
    >>> speculative_sample(
    ...     lambda context: [0.5, 0.5], lambda context: [0.5, 0.5], [0], 10
    ... ).acceptance_rate
    1.0
    """

    sequence: NDArray[np.intp]
    acceptance_rate: float
    tokens_per_round: float
    n_rounds: int


@dataclass(frozen=True, repr=False)
class AcceptanceScore(ShortRepr):
    """Agreement of two models on sequences, from :func:`acceptance_score`.

    Attributes
    ----------
    score : float
        Mean over all positions; 1 where the models agree, 0 where they share no token.
    interval : tuple of float
        Confidence interval of the score, within [0, 1].
    window_scores : ndarray of shape (n_windows,)
        Means over windows of positions; lower windows are more anomalous.
    window_starts : ndarray of shape (n_windows,), intp
        First position of each window.

    Examples
    --------
    >>> from skanomaly.generation import acceptance_score
    >>> acceptance_score([0.5, 0.5, 0.2, 0.5], [0.5, 0.5, 0.4, 0.5]).score
    0.875
    """

    score: float
    interval: tuple[float, float]
    window_scores: Vector
    window_starts: NDArray[np.intp]


@validate_params({"random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def modified_rejection(
    target_probabilities: Any, draft_probabilities: Any, tokens: Any, *, random_state: Any = None
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Turn draws from one distribution into draws from another, and keep the largest possible fraction.

    A token `x` is kept with probability ``min(1, p(x) / q(x))``; else one is drawn from the positive part of ``p - q``.
    If the tokens are draws from `q`, the result is a draw from `p`, and one minus the total variation distance of the
    two is kept; no other rule keeps more.

    Parameters
    ----------
    target_probabilities : array-like of shape (n_samples, n_tokens) or (n_tokens,)
        Distributions `p`.
    draft_probabilities : array-like of the same shape
        Distributions `q` that the tokens were drawn from.
    tokens : array-like of int of shape (n_samples,)
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    tokens : ndarray of shape (n_samples,), intp
    accepted : ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If a row is not a distribution, or a token has no probability under `q`.

    References
    ----------
    .. [1] C. Chen, S. Borgeaud, G. Irving, J.-B. Lespiau, L. Sifre and J. Jumper, "Accelerating Large Language Model
       Decoding with Speculative Sampling", 2023, section 3. arXiv:2302.01318.

    Examples
    --------
    >>> from skanomaly.generation import modified_rejection
    >>> tokens, accepted = modified_rejection(
    ...     [0.0, 1.0], [1.0, 0.0], [0, 0], random_state=0
    ... )
    >>> tokens, accepted
    (array([1, 1]), array([False, False]))
    """
    drawn = np.asarray(tokens, dtype=np.intp).ravel()
    target = _distributions(target_probabilities, "target_probabilities", len(drawn))
    draft = _distributions(draft_probabilities, "draft_probabilities", len(drawn))
    if target.shape != draft.shape:
        raise ValueError(
            f"target_probabilities have {target.shape[1]} tokens and draft_probabilities {draft.shape[1]}."
        )
    if len(drawn) and not 0 <= drawn.min() <= drawn.max() < target.shape[1]:
        raise ValueError(
            f"tokens must be from 0 to {target.shape[1] - 1}; they are from {drawn.min()} to {drawn.max()}."
        )
    places = np.arange(len(drawn))
    q = draft[places, drawn]
    if (q <= 0).any():
        place = int(np.flatnonzero(q <= 0)[0])
        raise ValueError(f"tokens[{place}]={drawn[place]} has probability 0 under draft_probabilities.")
    return _rejected(target, draft, drawn, generator(random_state))


def _rejected(
    target: Vector, draft: Vector, drawn: NDArray[np.intp], random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    places = np.arange(len(drawn))
    accepted = random.random(len(drawn)) * draft[places, drawn] < target[places, drawn]
    result = drawn.copy()
    left = np.flatnonzero(~accepted)
    if left.size:
        residual = np.maximum(target[left] - draft[left], 0.0)
        totals = residual.sum(axis=1, keepdims=True)
        # Distributions that differ by rounding alone: what is left may be nothing.
        residual = np.where(totals > 0, residual, target[left])
        result[left] = draw_tokens(residual, random)
    return result, accepted


def draw_tokens(weights: Vector, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw one token from each row of weights; a token without weight is never drawn."""
    cumulative = weights.cumsum(axis=1)
    places = random.random((len(weights), 1)) * cumulative[:, -1:]
    chosen = (cumulative <= places).sum(axis=1)
    last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.asarray(np.minimum(chosen, last), dtype=np.intp)


def _distributions(values: Any, name: str, n_rows: int) -> Vector:
    given = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if given.ndim != 2 or len(given) not in {1, n_rows}:
        raise ValueError(f"{name} has shape {np.shape(values)}; give one distribution, or one for each of {n_rows}.")
    totals = given.sum(axis=1)
    if not np.isfinite(given).all() or (given < 0).any() or (np.abs(totals - 1) > _SLACK).any():
        raise ValueError(f"{name} must be at least 0 and sum to 1 in each row; the sums are {totals.round(6)!s:.60}.")
    scaled = given / totals[:, None]
    return np.broadcast_to(scaled, (n_rows, given.shape[1]))


@validate_params(
    {
        "draft": [callable],
        "target": [callable],
        "start": ["array-like"],
        "n_tokens": [Interval(Integral, 1, None, closed="left")],
        "lookahead": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def speculative_sample(
    draft: Model,
    target: Model,
    start: Sequence[int],
    n_tokens: int,
    *,
    lookahead: int = 4,
    random_state: Any = None,
) -> SpeculativeSample:
    """Draw a sequence from a target model, from proposals of a cheaper model.

    The draft proposes `lookahead` tokens, the target accepts a part of them, and one more token comes from the target.
    The sequence has exactly the distribution of the target's own, whatever the draft.

    Parameters
    ----------
    draft : callable
        The cheaper model, a conditional sampler: ``draft(context)`` with the tokens so far (ndarray of intp) returns
        the probabilities of the next token. Markov chains, n-gram models, classifier chains and networks alike.
    target : callable
        The model to draw from, likewise. A temperature must be applied to both.
    start : sequence of int
        First tokens; may be empty if the models allow it.
    n_tokens : int
        Number of tokens to draw.
    lookahead : int, default=4
        Tokens that the draft proposes in each round.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    SpeculativeSample

    Raises
    ------
    ValueError
        If a model returns no distribution, or the two have different numbers of tokens.

    Notes
    -----
    With acceptance probability `a` (one minus the total variation distance of the two models) a round yields
    ``(1 - a ** (lookahead + 1)) / (1 - a)`` tokens.

    References
    ----------
    .. [1] C. Chen, S. Borgeaud, G. Irving, J.-B. Lespiau, L. Sifre and J. Jumper, "Accelerating Large Language Model
       Decoding with Speculative Sampling", 2023. arXiv:2302.01318.
    .. [2] Y. Leviathan, M. Kalman and Y. Matias, "Fast Inference from Transformers via Speculative Decoding", ICML
       2023, corollary 3.6 and equation 1. arXiv:2211.17192.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.generation import speculative_sample
    >>> target = np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> draft = np.array([[0.8, 0.2], [0.3, 0.7]])
    >>> found = speculative_sample(
    ...     lambda context: draft[context[-1]],
    ...     lambda context: target[context[-1]],
    ...     [0],
    ...     2000,
    ...     random_state=0,
    ... )
    >>> round(found.acceptance_rate, 1)
    0.9
    """
    random = generator(random_state)
    tokens = np.empty(len(start) + n_tokens + lookahead + 1, dtype=np.intp)
    tokens[: len(start)] = np.asarray(start, dtype=np.intp)
    length, end = len(start), len(start) + n_tokens
    n_looked, n_accepted, n_rounds = 0, 0, 0
    while length < end:
        n_rounds += 1
        proposals = []
        for place in range(lookahead):
            proposals.append(_distributions(draft(tokens[: length + place]), "draft", 1))
            tokens[length + place] = draw_tokens(proposals[-1], random)[0]
        accepted = True
        for proposal in proposals:
            own = _distributions(target(tokens[:length]), "target", 1)
            if own.shape != proposal.shape:
                raise ValueError(f"draft returns {proposal.shape[1]} probabilities and target {own.shape[1]}.")
            result, kept = _rejected(own, proposal, tokens[length : length + 1], random)
            tokens[length], accepted = result[0], bool(kept[0])
            length += 1
            n_looked += 1
            n_accepted += accepted
            if not accepted:
                break
        if accepted:
            tokens[length] = draw_tokens(_distributions(target(tokens[:length]), "target", 1), random)[0]
            length += 1
    return SpeculativeSample(
        sequence=tokens[len(start) : end].copy(),
        acceptance_rate=n_accepted / n_looked,
        tokens_per_round=(length - len(start)) / n_rounds,
        n_rounds=n_rounds,
    )


@validate_params(
    {
        "target_probabilities": ["array-like"],
        "draft_probabilities": ["array-like"],
        "window_size": [Interval(Integral, 1, None, closed="left"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def acceptance_score(
    target_probabilities: Any, draft_probabilities: Any, *, window_size: int | None = None, confidence: float = 0.95
) -> AcceptanceScore:
    r"""Score the agreement of a model with the one that generated a sequence: the fraction of tokens it would accept.

    Over a sequence drawn from the draft the mean of :math:`\min(1, p(x) / q(x))` estimates one minus the total
    variation distance between the models. The score is bounded, so that single tokens do not dominate it as they do a
    likelihood ratio. As a drift score, use a model of the present sequences as the draft and one of past
    sequences as the target.

    Parameters
    ----------
    target_probabilities : array-like of shape (n_positions,)
        Probability :math:`p` of the token at each position under the target, given its context.
    draft_probabilities : array-like of shape (n_positions,)
        Probability :math:`q` under the model that the sequence came from, above 0.
    window_size : int or None, default=None
        Positions in a window; None is one window for all.
    confidence : float in (0, 1), default=0.95
        Of the interval, by the central limit theorem for means of batches of about the root of the number of positions,
        since neighbouring positions depend on each other.

    Returns
    -------
    AcceptanceScore

    Raises
    ------
    ValueError
        If the shapes differ, a value is no probability, or there are fewer positions than `window_size`.

    References
    ----------
    .. [1] C. Chen, S. Borgeaud, G. Irving, J.-B. Lespiau, L. Sifre and J. Jumper, "Accelerating Large Language Model
       Decoding with Speculative Sampling", 2023. arXiv:2302.01318.

    Examples
    --------
    >>> from skanomaly.generation import acceptance_score
    >>> found = acceptance_score([0.4, 0.4, 0.1, 0.1], [0.4, 0.2, 0.4, 0.5], window_size=2)
    >>> found.window_scores
    array([1.   , 0.225])
    """
    p, q = np.asarray(target_probabilities, dtype=np.float64), np.asarray(draft_probabilities, dtype=np.float64)
    if p.ndim != 1 or p.shape != q.shape or len(p) == 0:
        raise ValueError(
            f"target_probabilities {p.shape} and draft_probabilities {q.shape} must be one number a position."
        )
    if not ((p >= 0) & (p <= 1 + _SLACK)).all() or not ((q > 0) & (q <= 1 + _SLACK)).all():
        raise ValueError("target_probabilities must be in [0, 1] and draft_probabilities in (0, 1].")
    size = len(p) if window_size is None else int(window_size)
    if size > len(p):
        raise ValueError(f"window_size={size} is more than the {len(p)} positions.")
    values = np.minimum(1.0, p / q)
    n_windows = len(values) // size
    score = float(values.mean())
    n_batches = max(1, int(np.sqrt(len(values))))
    batches = np.array([part.mean() for part in np.array_split(values, n_batches)])
    error = batches.std(ddof=1) / np.sqrt(n_batches) if n_batches > 1 else np.inf
    reach = float(norm.ppf(0.5 + confidence / 2) * error)
    return AcceptanceScore(
        score=score,
        interval=(max(0.0, score - reach), min(1.0, score + reach)),
        window_scores=values[: n_windows * size].reshape(n_windows, size).mean(axis=1),
        window_starts=np.arange(n_windows, dtype=np.intp) * size,
    )
