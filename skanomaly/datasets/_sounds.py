"""Generated spectra of machine sounds in a source and a target domain, in factory noise."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.datasets._planting import FRACTION, at_least, choose_anomalies, positive

__all__ = ["make_machine_sounds"]

_SPEED = 3.3  # bands between two harmonics
_FLOOR = 1e-3
_BURST = 0.3  # fraction of the frames in which a faulty machine rattles


@validate_params(
    {
        "n_train": at_least(10),
        "n_test": at_least(4),
        "n_timepoints": at_least(4),
        "n_features": at_least(8),
        "target_fraction": [Interval(Real, 0, 1, closed="both")],
        "domain_shift": positive(),
        "snr_db": [Interval(Real, None, None, closed="neither")],
        "anomaly_db": [Interval(Real, None, None, closed="neither")],
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_machine_sounds(
    n_train: int = 500,
    n_test: int = 200,
    *,
    n_timepoints: int = 40,
    n_features: int = 24,
    target_fraction: float = 0.02,
    domain_shift: float = 1.0,
    snr_db: float = 0.0,
    anomaly_db: float = 3.0,
    contamination: float = 0.5,
    random_state: Any = None,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.str_],
    NDArray[np.str_],
]:
    r"""Make spectra of machine sounds, of which few are from the target domain, with rattling as anomaly.

    A clip is a series of spectra in decibels. The sound of the machine has harmonics; the factory adds noise in a part
    of the bands. In the target domain the machine has another speed, and the noise is in other bands. A faulty machine
    rattles, in bursts, in two bands that are quiet in its domain.

    Parameters
    ----------
    n_train : int, default=500
        Number of training clips, all normal.
    n_test : int, default=200
        Number of test clips, half of them, rounded down, from the target domain.
    n_timepoints : int, default=40
        Number of spectra of a clip.
    n_features : int, default=24
        Number of bands of a spectrum.
    target_fraction : float in [0, 1], default=0.02
        Fraction of the training clips from the target domain, rounded to whole clips.
    domain_shift : float, default=1.0
        Size of the difference between the domains; at 0 there is none, at 1 the noise has moved by half of the bands.
    snr_db : float, default=0.0
        Mean power of the machine relative to that of the factory noise, in decibels.
    anomaly_db : float, default=3.0
        Power of the rattling in its bands relative to the rest of the sound there, in decibels.
    contamination : float in [0, 0.5], default=0.5
        Fraction of anomalies among the test clips, rounded to whole clips.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_train : ndarray of shape (n_train, n_timepoints, n_features)
        Spectra in decibels.
    X_test : ndarray of shape (n_test, n_timepoints, n_features)
    y_test : ndarray of shape (n_test,), int64
        +1 normal, -1 anomaly.
    domains_train : ndarray of shape (n_train,), str
        "source" or "target".
    domains_test : ndarray of shape (n_test,), str

    See Also
    --------
    skanomaly.sequence.SelectiveMahalanobisDetector : A covariance for each domain.
    skanomaly.metrics.domain_roc_auc_score : Rates the scores in each domain.

    References
    ----------
    .. [1] Harada, N., Niizumi, D., Takeuchi, D., Ohishi, Y., Yasuda, M. and Saito, S. (2021). "ToyADMOS2: Another
       dataset of miniature-machine operating sounds for anomalous sound detection under domain shift conditions". DCASE
       Workshop. arXiv:2106.02369.
    .. [2] Dohi, K. et al. (2023). "Description and Discussion on DCASE 2023 Challenge Task 2: First-Shot Unsupervised
       Anomalous Sound Detection for Machine Condition Monitoring". DCASE Workshop. arXiv:2305.07828.

    Examples
    --------
    >>> from skanomaly.datasets import make_machine_sounds
    >>> X_train, X_test, y_test, domains_train, domains_test = make_machine_sounds(
    ...     random_state=0
    ... )
    >>> (
    ...     X_train.shape,
    ...     int((domains_train == "target").sum()),
    ...     int((domains_test == "target").sum()),
    ... )
    ((500, 40, 24), 10, 100)
    """
    rng = generator(random_state)
    names = np.array(["source", "target"])
    n_target = round(target_fraction * n_train)
    target_train = rng.permutation(np.arange(n_train) < n_target)
    target_test = rng.permutation(np.arange(n_test) < n_test // 2)
    y_test = choose_anomalies(n_test, contamination, rng)
    bands = np.arange(n_features)
    position = rng.uniform(0.0, n_features)

    def clips(target: NDArray[np.bool_], labels: NDArray[np.int64]) -> NDArray[np.float64]:
        shift = domain_shift * target[:, None, None]
        speed = _SPEED * (1.0 + 0.25 * shift)
        machine = _FLOOR + np.exp(-0.5 * ((bands + speed / 2) % speed - speed / 2) ** 2)
        machine = machine / machine.mean(axis=2, keepdims=True)
        distance = (bands - position - 0.5 * n_features * shift + n_features / 2) % n_features - n_features / 2
        noise = _FLOOR + np.exp(-0.5 * (distance / (n_features / 10)) ** 2)
        noise = noise / noise.mean(axis=2, keepdims=True) * 10.0 ** (-snr_db / 10.0)
        shape = len(target), n_timepoints, n_features
        power = machine * np.exp(0.2 * rng.standard_normal(shape)) + noise * np.exp(rng.standard_normal(shape))
        quiet = np.argsort(noise[:, 0], axis=1)[:, : n_features // 2]
        rattling = np.zeros(shape)
        for clip in np.flatnonzero(labels == -1).tolist():
            chosen = rng.choice(quiet[clip], size=2, replace=False)
            frames = np.flatnonzero(rng.random(n_timepoints) < _BURST)
            rattling[clip][np.ix_(frames, chosen)] = 10.0 ** (anomaly_db / 10.0)
        return np.asarray(10.0 * np.log10(power + rattling * (machine + noise)))

    X_train = clips(target_train, np.ones(n_train, dtype=np.int64))
    X_test = clips(target_test, y_test)
    return X_train, X_test, y_test, names[target_train.astype(int)], names[target_test.astype(int)]
