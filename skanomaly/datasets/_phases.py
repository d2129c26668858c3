"""Generated episodes that run through phases, of different lengths, with faults of four kinds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import validate_params
from skanomaly.datasets._planting import FRACTION, at_least, choose_anomalies, positive

__all__ = ["make_phase_sequences"]

_KINDS = ("missing_phase", "extra_load", "worn", "early_stop")
_SHORTEST, _LONGEST = 20, 36


@validate_params(
    {
        "n_sequences": at_least(2),
        "kinds": [tuple, list],
        "noise": positive(),
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_phase_sequences(
    n_sequences: int = 200,
    *,
    kinds: Sequence[str] = _KINDS,
    noise: float = 0.03,
    contamination: float = 0.2,
    random_state: Any = None,
) -> tuple[
    list[NDArray[np.float64]],
    NDArray[np.int64],
    NDArray[np.str_],
    list[NDArray[np.int64]],
    list[NDArray[np.int64]],
]:
    """Make episodes of a machine that drives a screw, in four phases, with faults of four kinds.

    The phases are approach (0), tightening (1), seating (2) and release (3). Each has 20 to 36 time points, drawn for
    each episode. The channels are depth, speed and torque.

    Parameters
    ----------
    n_sequences : int, default=200
        Number of episodes.
    kinds : sequence of str, default=("missing_phase", "extra_load", "worn", "early_stop")
        Faults to draw from with equal probability. "missing_phase": the screw is absent, so that tightening does not
        take place. "extra_load": an additional part raises the torque of tightening by a half. "worn": the torque of
        seating oscillates, and reaches 70 %. "early_stop": the episode ends in the middle of seating.
    noise : float, default=0.03
        Standard deviation of the noise of each channel; the largest torque is 1.
    contamination : float in [0, 0.5], default=0.2
        Fraction of anomalies, rounded to whole episodes.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : list of ndarray of shape (n_timepoints_i, 3)
        The episodes, of different lengths.
    y : ndarray of shape (n_sequences,), int64
        +1 normal, -1 anomaly.
    faults : ndarray of shape (n_sequences,), str
        Kind of the fault, or "normal".
    phases : list of ndarray of shape (n_timepoints_i,), int64
        Phase of each time point.
    timepoint_labels : list of ndarray of shape (n_timepoints_i,), int64
        -1 in the phase that a fault changes; for a missing phase at the first five time points after the jump, and for
        an early stop at the last five time points. +1 elsewhere.

    Raises
    ------
    ValueError
        If `kinds` is empty, or has an unknown name.

    See Also
    --------
    skanomaly.sequence.ReferenceDetector : Aligns episodes of different lengths and compares them.

    References
    ----------
    .. [1] Leporowski, B., Tola, D., Hansen, C. and Iosifidis, A. (2021). "AURSAD: Universal Robot Screwdriving Anomaly
       Detection Dataset". arXiv:2102.01409.

    Examples
    --------
    >>> from skanomaly.datasets import make_phase_sequences
    >>> X, y, faults, phases, timepoint_labels = make_phase_sequences(random_state=0)
    >>> len(X), X[0].shape[1], sorted(set(faults.tolist()))
    (200, 3, ['early_stop', 'extra_load', 'missing_phase', 'normal', 'worn'])
    """
    unknown = [kind for kind in kinds if kind not in _KINDS]
    if unknown or not kinds:
        raise ValueError(f"kinds={list(kinds)} must name some of {', '.join(_KINDS)}.")
    rng = generator(random_state)
    y = choose_anomalies(n_sequences, contamination, rng)
    drawn = rng.integers(len(kinds), size=n_sequences).tolist()
    faults = np.array([kinds[index] if label == -1 else "normal" for label, index in zip(y, drawn, strict=True)])
    episodes, phases, timepoint_labels = zip(*(_episode(fault, rng) for fault in faults.tolist()), strict=True)
    X = [episode + noise * rng.standard_normal(episode.shape) for episode in episodes]
    return X, y, faults, list(phases), list(timepoint_labels)


def _episode(fault: str, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return channels, phases and labels of one episode without noise."""
    approach, tightening, seating, release = (
        np.linspace(0.0, 1.0, int(length)) for length in rng.integers(_SHORTEST, _LONGEST + 1, size=4)
    )
    load = (0.1 + 0.3 * tightening) * (1.5 if fault == "extra_load" else 1.0)
    final = 0.4 + 0.6 * np.sqrt(seating)
    if fault == "worn":
        final = 0.7 * final * (1.0 + 0.15 * np.sin(2.0 * np.pi * 6.0 * seating))
    parts = [
        np.column_stack([0.3 * approach, np.full_like(approach, 0.3), np.zeros_like(approach)]),
        np.column_stack([0.3 + 0.6 * tightening, np.ones_like(tightening), load]),
        np.column_stack([0.9 + 0.1 * seating, 1.0 - seating, final]),
        np.column_stack([1.0 - release, np.full_like(release, -0.5), np.zeros_like(release)]),
    ]
    labels = [np.ones(len(part), dtype=np.int64) for part in parts]
    kept = [0, 1, 2, 3]
    if fault == "extra_load":
        labels[1][:] = -1
    elif fault == "worn":
        labels[2][:] = -1
    elif fault == "missing_phase":
        kept = [0, 2, 3]
        labels[2][:5] = -1
    elif fault == "early_stop":
        kept = [0, 1, 2]
        stop = len(seating) // 2
        parts[2], labels[2] = parts[2][:stop], labels[2][:stop]
        labels[2][-5:] = -1
    phases = np.concatenate([np.full(len(parts[index]), index) for index in kept])
    return (
        np.concatenate([parts[index] for index in kept]),
        phases.astype(np.int64),
        np.concatenate([labels[index] for index in kept]),
    )
