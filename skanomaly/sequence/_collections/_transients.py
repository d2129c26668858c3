"""Separation of transients from a background that is known from snippets."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.utils import check_array

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.sequence._encoders._wavelets import Moments, cross_moments, moments, n_scales_of
from skanomaly.sequence._input import as_sequences

__all__ = ["remove_transients"]

Floats = NDArray[np.float64]
_SMALLEST = 1e-3  # spreads of moments, in units of the median spread
_MEMORY = 20  # steps that the optimiser remembers
_FEWEST = 3
_SMOOTH = 0.1  # transients below this, in standard deviations of the background, count less


@validate_params(
    {
        "X": ["array-like"],
        "background": ["array-like"],
        "n_octaves": [Interval(Integral, 1, None, closed="left")],
        "sparsity": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def remove_transients(
    X: Any, background: Any, *, n_octaves: int = 8, sparsity: float = 2.0, max_iter: int = 100
) -> Floats:
    r"""Remove transients, such as glitches, from a series, given snippets of its background without them.

    Nothing about the transients is given. The background of `X` is replaced by a series that has the same wavelet
    moments as the snippets, and the rest is independent of the snippets.

    Parameters
    ----------
    X : array-like of shape (n_timepoints,) or (n_timepoints, n_features)
        Series. Channels are separated one by one.
    background : array-like of shape (n_snippets, n_timepoints, n_features) or list of array-like
        At least 3 series of the same length and channels as `X`, without transients; flat ones in a list or the rows of
        a table for one channel. Time is proportional to their number; 10 to 50 are enough.
    n_octaves : int, default=8
        Number of scales of the wavelets, an octave apart. At most as many are used as fit into `X`.
    sparsity : float, default=2.0
        Weight of the mean absolute transient, in standard deviations of the background; at least 0. With 0 the
        background is replaced where there are no transients, too.
    max_iter : int, default=100
        Number of iterations of L-BFGS, at least 1.

    Returns
    -------
    ndarray of the shape of `X`, float64
        The estimated background; `X` minus it are the transients.

    Raises
    ------
    ValueError
        If the snippets differ from `X` in length or channels, or are too few or constant.

    See Also
    --------
    ScatteringCovariance : The moments as features.

    Notes
    -----
    Section 4 of [1]_: with :math:`x` the series, :math:`n_k` the snippets and :math:`\Phi` the moments of
    :class:`ScatteringCovariance`, but with the scales of the snippets,

    .. math:: \min_{\hat n}\ \Big\lVert \frac{\Phi(\hat n) - \overline{\Phi(n_k)}}{\sigma_1} \Big\rVert^2
        + \frac1K \sum_k \Big\lVert \frac{\Phi(x) - \Phi(x - \hat n + n_k)}{\sigma_2} \Big\rVert^2
        + \frac1K \sum_k \Big\lVert \frac{\Phi(x - \hat n, n_k)}{\sigma_3} \Big\rVert^2 .

    The last moments are between two series and are 0 if these are independent; each norm is a mean over the moments,
    and :math:`\sigma` are standard deviations over the snippets. The start is :math:`\hat n = x`. What we changed:
    gradients are closed forms; the moments between series are those at one scale and of the moduli at pairs of scales;
    and `sparsity` times the mean absolute transient is added, since the moments alone accept any other background with
    the same texture.

    Under a transient that is much stronger than the background, the estimate is a likely background, not the true one.

    Cost: O(`max_iter` K (J n log n + J^3 n)) for K snippets of n time points and J scales.

    References
    ----------
    .. [1] Siahkoohi, A., Morel, R., de Hoop, M. V., Allys, E., Sainton, G. and Kawamura, T. (2023). "Unearthing
       InSights into Mars: unsupervised source separation with limited data". ICML. arXiv:2301.11981.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import remove_transients
    >>> random = np.random.default_rng(0)
    >>> noise = random.normal(size=(9, 128))
    >>> glitch = np.zeros(128)
    >>> glitch[60:90] = 40 * np.exp(-np.arange(30) / 6)
    >>> found = remove_transients(noise[0] + glitch, noise[1:], max_iter=60)
    >>> bool(np.square(found - noise[0]).sum() < 0.1 * np.square(glitch).sum())
    True
    """
    series = check_array(X, dtype=np.float64, ensure_2d=False, input_name="X")
    channels = series.reshape(len(series), -1)
    table = isinstance(background, np.ndarray) and background.ndim == 2
    snippets = as_sequences(np.asarray(background)[:, :, None] if table else background)
    wrong = [index for index, snippet in enumerate(snippets) if snippet.shape != channels.shape]
    if wrong:
        raise ValueError(
            f"background[{wrong[0]}] has shape {snippets[wrong[0]].shape} and X {channels.shape}; cut the snippets to "
            "the length and channels of X."
        )
    if len(snippets) < _FEWEST:
        raise ValueError(f"background has {len(snippets)} snippets; give at least {_FEWEST}.")
    known = np.stack(snippets).astype(np.float64)
    out = np.empty_like(channels)
    n_scales = min(n_octaves, n_scales_of(len(channels)))
    with single_blas_thread():
        for place in range(channels.shape[1]):
            out[:, place] = _background(channels[:, place], known[:, :, place], n_scales, sparsity, max_iter)
    return out.reshape(series.shape)


def _background(mixture: Floats, snippets: Floats, n_scales: int, sparsity: float, max_iter: int) -> Floats:
    unit = float(snippets.std())
    if not unit > 0:
        raise ValueError("the snippets of background are constant; give snippets that vary, or subtract their mean.")
    level = float(snippets.mean())
    task = _Task((mixture - level) / unit, (snippets - level) / unit, n_scales, sparsity)
    found = minimize(
        task.loss, task.mixture, jac=True, method="L-BFGS-B", options={"maxiter": max_iter, "maxcor": _MEMORY}
    )
    return np.asarray(found.x * unit + level)


class _Task:
    """The loss of an estimated background, and its gradient.

    Parameters
    ----------
    mixture : ndarray of shape (n_timepoints,)
    snippets : ndarray of shape (n_snippets, n_timepoints)
    n_scales : int
    sparsity : float
    """

    def __init__(self, mixture: Floats, snippets: Floats, n_scales: int, sparsity: float) -> None:
        self.mixture, self.snippets, self.n_scales, self.sparsity = mixture, snippets, n_scales, sparsity
        ones = np.ones(n_scales)
        self.scales = np.sqrt(moments(snippets, n_scales, ones)[0].power.mean(axis=0))
        self.scales = np.maximum(self.scales, _SMALLEST * self.scales.max())
        known = self._moments(snippets)[0]
        self.target = Moments(*(part.mean(axis=0, keepdims=True) for part in known))
        self.spreads = Moments(*map(_spread, known))
        self.whole = self._moments(mixture[None])[0]
        self.whole_spreads = Moments(*map(_spread, self._moments(mixture + snippets)[0]))
        self.cross_spreads = _spread(self._cross(mixture[None])[0])

    def _moments(self, signals: Floats) -> Any:
        return moments(signals, self.n_scales, self.scales)

    def _cross(self, signal: Floats) -> Any:
        return cross_moments(signal, self.snippets, self.n_scales, self.scales, self.scales)

    def loss(self, estimate: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient."""
        found, back = self._moments(estimate[None])
        loss, slopes = _misfit(found, self.target, self.spreads)
        gradient = back(slopes)[0]
        rest = self.mixture - estimate
        found, back = self._moments(rest + self.snippets)
        added, slopes = _misfit(found, self.whole, self.whole_spreads)
        gradient -= back(slopes).sum(axis=0)
        cross, back = self._cross(rest[None])
        relative = cross / self.cross_spreads
        gradient -= back(2 * relative / self.cross_spreads / cross.size)[0]
        lengths = np.sqrt(rest * rest + _SMOOTH**2)
        gradient -= self.sparsity / len(rest) * rest / lengths
        return loss + added + float((np.abs(relative) ** 2).mean() + self.sparsity * lengths.mean()), gradient


def _spread(values: NDArray[Any]) -> Floats:
    """Return the standard deviation of each moment, real or complex, over signals."""
    spread = np.sqrt((np.abs(values - values.mean(axis=0)) ** 2).mean(axis=0))
    floor = _SMALLEST * float(np.median(spread)) if spread.size else 0.0
    return np.maximum(spread, floor if floor > 0 else 1.0)


def _misfit(found: Moments, target: Moments, spreads: Moments) -> tuple[float, Moments]:
    """Return the mean squared difference of moments in units of their spreads, and its gradient."""
    size = sum(part.size for part in found)
    loss, slopes = 0.0, []
    for part, wanted, spread in zip(found, target, spreads, strict=True):
        relative = (part - wanted) / spread
        loss += float((np.abs(relative) ** 2).sum()) / size
        slopes.append(2 * relative / spread / size)
    return loss, Moments(*slopes)
