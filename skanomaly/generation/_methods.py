"""Ways of guiding a diffusion."""

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval

__all__ = ["Ancestral", "BoostAndSkip", "MinorityReweighting", "SelfGuidance"]

Table = NDArray[np.float64]
Clean = Callable[[Table, float], Table]
_STEP = 1e-3


class Ancestral(ParameterObject):
    """Draw from the density as it is.

    Notes
    -----
    The reverse process of denoising diffusion [1]_: each step draws from the Gaussian between the present noisy row and
    its predicted clean row.

    References
    ----------
    .. [1] J. Ho, A. Jain and P. Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, section 2.
       arXiv:2006.11239.

    Examples
    --------
    >>> from skanomaly.generation import Ancestral
    >>> Ancestral()
    Ancestral()
    """

    def __init__(self) -> None:
        pass

    def _start(self, signals: Table, n_samples: int, reach: Table, random: np.random.Generator) -> tuple[int, Table]:
        """First step, and the noise to start from; `reach` is the width of each column, at most 1."""
        return len(signals) - 1, random.normal(size=(n_samples, len(reach)))

    def _push(
        self,
        clean: Clean,
        noisy: Table,
        predicted: Table,
        signal: float,
        variance: float,
        reach: Table,
        random: np.random.Generator,
    ) -> Any:
        """Compute what is added to the mean of a step of this variance."""
        return 0.0


class BoostAndSkip(Ancestral):
    """Start from noise that is too large, after the first steps: rare modes are drawn more often.

    Parameters
    ----------
    gamma : float, default=5.0
        Standard deviation of the noise at the start, of the column whose modes are farthest apart; the authors take
        2.5 to 4 for all. 1 does not boost.
    noise_to_signal : float, default=1.8
        The diffusion starts at the step where the standard deviation of the noise is this multiple of the signal's, of
        the column whose modes are farthest apart.

    Notes
    -----
    The authors [1]_ skip a fixed number of steps of their schedule; the rule by noise over signal also applies to other
    schedules. A boost without a skip has no effect, since the first steps predict the mean of all rows. What we
    changed: the boost of a column is in proportion to the range of its values in units of ``MixtureDenoiser.scale_``
    (or of its standard deviation, with another denoiser), between quantiles at 0.5 and 99.5 %. A boost of columns that
    do not separate modes draws more rows at the edge of a mode, and not more rows of rare modes.

    References
    ----------
    .. [1] S. Um, B. Kim and J. C. Ye, "Boost-and-Skip: A Simple Guidance-Free Diffusion for Minority Generation", ICML
       2025. arXiv:2502.06516.

    Examples
    --------
    >>> from skanomaly.generation import BoostAndSkip
    >>> BoostAndSkip(gamma=2.5)
    BoostAndSkip(gamma=2.5)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [Interval(Real, 1, None, closed="left")],
        "noise_to_signal": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, gamma: float = 5.0, noise_to_signal: float = 1.8) -> None:
        self.gamma = gamma
        self.noise_to_signal = noise_to_signal

    def _start(self, signals: Table, n_samples: int, reach: Table, random: np.random.Generator) -> tuple[int, Table]:
        ratios = np.sqrt((1.0 - signals) / signals)
        start = int(np.clip(np.searchsorted(ratios, self.noise_to_signal), 1, len(signals) - 1))
        return start, np.maximum(1.0, self.gamma * reach) * random.normal(size=(n_samples, len(reach)))


class SelfGuidance(Ancestral):
    """Move each step towards larger distances between the predicted row and its prediction from a noisy copy.

    Parameters
    ----------
    strength : float, default=2.0
        Step size in units of the variance of each step. Above 3, rows leave the support of the data.
    noise_level : float in (0, 1), default=0.6
        Fraction of noise in the variance of the noisy copy.

    Notes
    -----
    The gradient of that distance, with the inner prediction held fixed as in [1]_, is the Jacobian of the denoiser
    times the difference. The Jacobian of a posterior mean is symmetric, so its product with a direction is a difference
    of two predictions, and any denoiser can be guided. The gradient is scaled to a largest entry of 1. What we
    changed: columns are weighted by the square of their range, as in :class:`BoostAndSkip`; steps along columns that do
    not separate modes move rows off the data and not to rare modes.

    References
    ----------
    .. [1] S. Um and J. C. Ye, "Self-Guided Generation of Minority Samples Using Diffusion Models", ECCV 2024.
       arXiv:2407.11555.

    Examples
    --------
    >>> from skanomaly.generation import SelfGuidance
    >>> SelfGuidance(strength=1.0)
    SelfGuidance(strength=1.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strength": [Interval(Real, 0, None, closed="left")],
        "noise_level": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, strength: float = 2.0, noise_level: float = 0.6) -> None:
        self.strength = strength
        self.noise_level = noise_level

    def _push(
        self,
        clean: Clean,
        noisy: Table,
        predicted: Table,
        signal: float,
        variance: float,
        reach: Table,
        random: np.random.Generator,
    ) -> Any:
        kept = 1.0 - self.noise_level
        copy = np.sqrt(kept) * predicted + np.sqrt(self.noise_level) * random.normal(size=predicted.shape)
        weights = np.square(reach)
        away = _unit(weights * (predicted - clean(copy, kept)))
        gradient = clean(noisy + _STEP * away, signal) - predicted
        return self.strength * variance * _unit(weights * gradient)


class MinorityReweighting(Ancestral):
    """Draw training rows with weights that grow with their minority score; generated rows stay near training rows.

    Parameters
    ----------
    strength : float, default=6.0
        A training row has weight ``exp(strength * r)``, where r in [0, 1] is the rank of its minority score.
    noise_level : float in (0, 1), default=0.6
        Noise of the minority score.

    Notes
    -----
    This method is our own. It needs a kernel density (:class:`MixtureDenoiser`), whose centers are the training rows.
    The score is that of [1]_.

    References
    ----------
    .. [1] S. Um, S. Lee and J. C. Ye, "Don't Play Favorites: Minority Guidance for Diffusion Models", ICLR 2024.
       arXiv:2301.12334.

    Examples
    --------
    >>> from skanomaly.generation import MinorityReweighting
    >>> MinorityReweighting()
    MinorityReweighting()
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strength": [Interval(Real, 0, None, closed="left")],
        "noise_level": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, strength: float = 6.0, noise_level: float = 0.6) -> None:
        self.strength = strength
        self.noise_level = noise_level


def _unit(directions: Table) -> Table:
    """Scale each row to a largest entry of 1; rows of zeros stay."""
    largest = np.abs(directions).max(axis=1, keepdims=True)
    return np.asarray(directions / np.where(largest > 0, largest, 1.0))
