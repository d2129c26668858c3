"""Recorded events added to a background series."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._item_names import require_same_names
from skanomaly._support._items import require_items
from skanomaly._support._scales import varies
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.sequence._input import as_sequences

__all__ = ["overlay_events"]


@validate_params(
    {
        "n_events": [Interval(Integral, 0, None, closed="left")],
        "snr_db": [tuple, list],
        "mode": [StrOptions({"overlay", "replace"})],
        "fade": [Interval(Integral, 0, None, closed="left")],
        "min_gap": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def overlay_events(
    background: Any,
    events: Sequence[Any],
    *,
    n_events: int = 5,
    snr_db: tuple[float, float] = (-6.0, 6.0),
    mode: str = "overlay",
    fade: int = 0,
    min_gap: int = 0,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Mix recorded events into a background at random positions and amplitudes: benchmark data with known labels.

    Parameters
    ----------
    background : array-like of shape (n_timepoints, n_features) or (n_timepoints,)
        A normal series.
    events : sequence of array-like of shape (n_timepoints_i, n_features) or (n_timepoints_i,)
        The events to draw from, each with equal probability.
    n_events : int, default=5
        Number of events to add, at least 0. They do not overlap.
    snr_db : tuple of two floats, default=(-6, 6)
        Range of the power of an event relative to that of the background it covers, in decibels; drawn uniformly. It is
        the power of the event before fading.
    mode : {"overlay", "replace"}, default="overlay"
        "overlay": the event is added to the background. "replace": it takes the place of the background, which keeps
        its mean.
    fade : int, default=0
        Time points at each end over which an event fades in and out, at most half of an event is used. With "replace",
        the background fades out as the event fades in, with weights whose squares add up to 1 (a cross-fade).
    min_gap : int, default=0
        Smallest number of time points between two events.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    mixed : ndarray of shape (n_timepoints, n_features), float64
    labels : ndarray of shape (n_timepoints,), int8
        -1 where an event was mixed in, +1 elsewhere.

    Raises
    ------
    ValueError
        If events and background differ in the number of features, or the events drawn do not fit side by side.

    See Also
    --------
    degrade_windows : Generates anomalies from the data themselves.

    Notes
    -----
    This is how generators of audio anomalies work, for arrays. Power is the mean square about each feature's mean, over
    all features; where the background is constant, the power of the whole background is used. Every arrangement without
    overlap is equally likely. A cross-fade keeps the power: if event and background have the same power and are
    uncorrelated, the mixture has it too. Audio benchmarks are generated in these ways [1]_; the language and audio
    models that plan and render their scenes are not part of this package.

    References
    ----------
    .. [1] Raghavan, K., Gode, S., Shah, A., Raghavan, S., Burgard, W., Raj, B. and Singh, R. (2024). "Did You Hear
       That? Introducing AADG: A Framework for Generating Benchmark Data in Audio Anomaly Detection". arXiv:2410.03904.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import overlay_events
    >>> random = np.random.default_rng(0)
    >>> mixed, labels = overlay_events(
    ...     random.normal(size=1000), [np.hanning(30)], n_events=3, random_state=0
    ... )
    >>> mixed.shape, int((labels == -1).sum())
    ((1000, 1), 90)
    """
    require_items(events, name="events", noun="series")
    require_same_names(events, name="events", expected=require_same_names([background], name="background"))
    series, *clips = as_sequences([background, *events])
    wrong = [index for index, clip in enumerate(clips) if clip.shape[1] != series.shape[1]]
    if wrong or not clips:
        raise ValueError(f"events {wrong} do not have {series.shape[1]} features, as the background has.")
    if len(snr_db) != 2 or not snr_db[0] <= snr_db[1]:
        raise ValueError(f"snr_db={snr_db} must be two numbers, ascending.")
    random = generator(random_state)
    drawn = [clips[index].astype(np.float64) for index in random.integers(len(clips), size=n_events)]
    free = len(series) - sum(map(len, drawn)) - min_gap * max(n_events - 1, 0)
    if free < 0:
        raise ValueError(f"The events need {-free} more time points than the background has; use fewer events.")
    # Splits of the free time points into n_events + 1 runs, all equally likely.
    cuts = np.sort(random.choice(free + n_events, n_events, replace=False)) - np.arange(n_events)
    mixed = series.astype(np.float64)
    labels, level = np.ones(len(series), dtype=np.int8), mixed.mean(axis=0)
    taken = 0
    for cut, clip in zip(cuts, drawn, strict=True):
        place = slice(cut + taken, cut + taken + len(clip))
        weight = _fading(len(clip), fade)
        gain = _gain(clip, series[place], series, random.uniform(*snr_db))
        if mode == "replace":
            mixed[place] = level + np.sqrt(1.0 - weight**2) * (mixed[place] - level)
        mixed[place] += gain * weight * clip
        labels[place] = -1
        taken += len(clip) + min_gap
    return mixed, labels


def _fading(length: int, fade: int) -> NDArray[np.float64]:
    """Return the weights of an event that fades in and out, between 0 and 1."""
    steps = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))
    reached = min(fade, length // 2)
    return np.sin(0.5 * np.pi * np.minimum(steps / (reached + 1), 1.0))[:, None]


def _power(values: NDArray[Any]) -> float:
    centred = np.where(varies(values), values - values.mean(axis=0), 0.0)  # what differs by rounding only has no power
    return float(np.mean(centred**2))


def _gain(clip: NDArray[np.float64], beneath: NDArray[Any], series: NDArray[Any], decibels: float) -> float:
    """Return the factor that sets the power of a clip relative to the background, in decibels."""
    own, other = _power(clip), _power(beneath) or _power(series)
    if own == 0 or other == 0:  # a constant event or background: added as recorded
        return 1.0
    return float(np.sqrt(other / own * 10 ** (decibels / 10)))
