"""Features of series: covariances of wavelet coefficients and of their moduli."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import map_blocks, row_blocks, single_blas_thread
from skanomaly._support._scales import usable_scale
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._encoders._wavelets import Moments, moments, n_scales_of
from skanomaly.sequence._names import check_collection

__all__ = ["ScatteringCovariance"]

_BLOCK_SEQUENCES = 16
_SMALLEST_SHARE = 1e-12
Floats = NDArray[np.float64]


class ScatteringCovariance(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Features of the texture of series: covariances of wavelet coefficients and of their moduli.

    Converts a collection of series to a table, for any detector of tables. The features do not depend on where in the
    series something happens, nor on its amplitude. They distinguish processes that have the same spectrum, such as
    noise and a train of pulses.

    Parameters
    ----------
    n_octaves : int, default=8
        Number of scales, an octave apart, at least 1. It is reduced to the number that fits into the shortest training
        series.
    n_jobs : int or None, default=None
        Threads over blocks of series; results do not depend on it.

    Attributes
    ----------
    n_octaves_ : int
        Number of scales used.
    n_features_in_ : int
        Number of channels. The features of the channels are side by side.

    See Also
    --------
    RandomConvolutionTransformer : Features that keep level and amplitude.
    remove_transients : Separates transients from a background by the same moments.

    Notes
    -----
    With :math:`W_j` the coefficients of the cubic Battle-Lemarie wavelet at scale :math:`j`, made analytic, and means
    over time, the features are, of [1]_ and of section 3 of [2]_: the sparsity :math:`E|W_j x| / \sigma_j` with
    :math:`\sigma_j^2 = E|W_j x|^2`; the logarithm of its fraction of their sum; the phase-envelope
    covariance :math:`E[W_j x\, \overline{W_j |W_i x|}] / (\sigma_i \sigma_j)` for each scale :math:`j` and each finer
    one :math:`i`; and the envelope covariance
    :math:`E[W_j |W_i x|\, \overline{W_j |W_k x|}] / (\sigma_i \sigma_k)` for each two finer ones. Real and imaginary
    parts are separate features. For a Gaussian process the phase-envelope covariances are 0 and the sparsities are
    :math:`\sqrt{\pi} / 2`. What we changed: channels are not combined, and the means are over the series without
    padding, as if its end met its start.

    A series is centred. One that is constant has features of 0, and fractions of 1e-12.

    Cost: O(J n log n + J^3 n) for a series of n time points and J scales, which has about J^3 / 3 features, 212 for 8
    scales.

    References
    ----------
    .. [1] Morel, R., Rochette, G., Leonarduzzi, R., Bouchaud, J.-P. and Mallat, S. (2022). "Scale dependencies and
       self-similar models with wavelet scattering spectra". arXiv:2204.10177.
    .. [2] Siahkoohi, A., Morel, R., de Hoop, M. V., Allys, E., Sainton, G. and Kawamura, T. (2023). "Unearthing
       InSights into Mars: unsupervised source separation with limited data". ICML. arXiv:2301.11981.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skanomaly.detectors import NearestNeighborsDetector
    >>> from skanomaly.sequence import ScatteringCovariance
    >>> random = np.random.default_rng(0)
    >>> noise = random.normal(size=(40, 256, 1))
    >>> pulses = (random.random((1, 256, 1)) < 0.05) * 4.0
    >>> model = make_pipeline(
    ...     ScatteringCovariance(n_octaves=5), NearestNeighborsDetector()
    ... ).fit(noise[:30])
    >>> bool(model.score_samples(pulses)[0] < model.score_samples(noise[30:]).min())
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_octaves": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(self, *, n_octaves: int = 8, n_jobs: int | None = None) -> None:
        self.n_octaves = n_octaves
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Choose the number of scales.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like
            Training series.
        y : Ignored
            Not used.

        Returns
        -------
        self
            The fitted transformer.

        Warns
        -----
        UserWarning
            If the shortest series is too short for `n_octaves` scales.
        """
        shortest = min(len(series) for series in check_collection(self, X, reset=True))
        self.n_octaves_ = min(self.n_octaves, n_scales_of(shortest))
        if self.n_octaves_ < self.n_octaves:
            warn_user(
                f"n_octaves={self.n_octaves} is too many for a series of {shortest} time points; {self.n_octaves_} are "
                "used. Give longer series or a smaller n_octaves."
            )
        return self

    def transform(self, X: Any) -> Floats:
        """Compute the features of series.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        ndarray of shape (n_sequences, n_features_out)
            For each channel: sparsities, log shares, real and imaginary parts of the phase-envelope covariances, real
            and imaginary parts of the envelope covariances.
        """
        check_is_fitted(self)
        sequences = check_collection(self, X, reset=False)
        out = np.empty((len(sequences), self._n_features_out))

        def fill(part: slice) -> None:
            for row, series in zip(out[part], sequences[part], strict=True):
                row[:] = np.concatenate([self._features(channel) for channel in series.T])

        with single_blas_thread():
            map_blocks(fill, row_blocks(len(sequences), _BLOCK_SEQUENCES), n_jobs=self.n_jobs)
        return out

    def _features(self, channel: NDArray[Any]) -> Floats:
        values = channel.astype(np.float64)
        magnitude = float(np.abs(values).max())
        values = values / (magnitude if magnitude > 0 else 1.0)
        values = values - values.mean()
        values = values / usable_scale(float(np.abs(values).max()), 1.0)
        n_scales = self.n_octaves_
        power = moments(values[None], n_scales, np.ones(n_scales))[0].power[0]
        total = float(power.sum())
        if not total > _SMALLEST_SHARE:
            shape = moments(values[None], n_scales, np.ones(n_scales))[0]
            empty = np.zeros((1, n_scales))
            return Moments(empty, empty + np.log10(_SMALLEST_SHARE), shape.phase * 0, shape.envelope * 0).vectors()[0]
        shares = np.maximum(power / total, _SMALLEST_SHARE)
        found = moments(values[None], n_scales, np.sqrt(shares * total))[0]
        return found._replace(power=np.log10(shares)[None]).vectors()[0]

    @property
    def _n_features_out(self) -> int:
        n_scales = self.n_octaves_
        n_pairs = n_scales * (n_scales - 1) // 2
        n_triples = (n_scales - 1) * n_scales * (n_scales + 1) // 6
        return int(self.n_features_in_) * (2 * (n_scales + n_pairs + n_triples) - n_pairs)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
