"""Error of a sequence's reconstruction by an encoder."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import print_loss
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import StrOptions
from skanomaly._support._spectrum import Spectrum, estimate_spectrum
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._representation import SequenceLookup, normal_sequences
from skanomaly.sequence._encoders._base import SequenceEncoder, SequenceInput
from skanomaly.sequence._encoders._random import RandomConvolutionEncoder

__all__ = ["SequenceReconstructor"]

_MOST_FOR_COVARIANCE = 16_384
Floats = NDArray[np.float64]


class SequenceReconstructor(SequenceDetector):
    r"""Error of a series' reconstruction by an encoder and its decoder.

    The default encoder has a closed form and needs no torch. For time points of one long series, give this detector to
    :class:`SlidingWindowDetector`, which gives it windows.

    Parameters
    ----------
    encoder : object, default=None
        How series become codes of one length, and are reconstructed: a :class:`RandomConvolutionEncoder`,
        :class:`ReservoirEncoder` or :class:`DenseEncoder`, or, with torch, a :class:`ConvolutionEncoder` or
        :class:`RecurrentEncoder`. None is ``RandomConvolutionEncoder()``.
    statistic : {"residual", "reconstruction", "absolute", "elbo"}, default="residual"
        Of the errors of a series, in standard deviations of the channels. "residual" is the squared Mahalanobis
        distance of the errors of a time point, under the Ledoit-Wolf covariance of training errors, mean over time.
        "reconstruction" is the mean squared error, "absolute" the mean absolute error. "elbo" is half the sum of the
        squared errors, plus the divergence of the code of a variational encoder, divided by the number of values: the
        negative evidence lower bound for errors of variance 1, but for a constant.
    verbose : bool, default=False
        Print the loss every hundred steps of training.
    contamination : float, default=0.1
        Fraction of the training series that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for filters, weights, batches and noise.

    Attributes
    ----------
    n_code_ : int
        Size of the code of a series.
    loss_curve_ : ndarray of shape (n_steps,)
        Loss of each step of training; empty for encoders with a closed form.
    n_iter_ : int
        Steps of training taken.
    offset_ : float
        Threshold on ``score_samples``: series that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training series are frames with names that are all strings.

    See Also
    --------
    SequenceNeighbors : Distance to the nearest normal series; often better, and without training.
    SlidingWindowDetector : Applies this detector to the windows of one series.
    skanomaly.threshold.ThresholdedDetector : Sets the threshold by peaks over a threshold, costs or alerts a day.

    Notes
    -----
    Channels are centred and divided by their standard deviation in training. Extreme values are limited, and series
    with them left out of training. Series of different lengths are taken as they are: an encoder resamples them, or
    fills batches up and masks the filling. The score of a series does not depend on the others, to the bit, and the
    same `random_state` gives the same bits on one kind of processor. Weights are NumPy arrays.

    Training series were fitted, so their errors are smaller than those of new ones: the fewer series and the larger the
    code, the smaller.

    ``score_timepoints`` are the errors of the time points, without the divergence of a code; ``score_channels`` splits
    them among the channels, such as the leads of an electrocardiogram.

    `y`: series labelled -1 are left out of training; +1 and 0 are treated alike.

    *When it fails.* A decoder that is as free as the data reconstructs anomalies too. Series that are not aligned in
    time need long codes in the encoders that resample. The guide has the figures beside nearest neighbours, which no
    encoder reached on public series.

    References
    ----------
    .. [1] Malhotra, P., Ramakrishnan, A., Anand, G., Vig, L., Agarwal, P. and Shroff, G. (2016). "LSTM-based
       encoder-decoder for multi-sensor anomaly detection". arXiv:1607.00148.
    .. [2] Kingma, D. P. and Welling, M. (2014). "Auto-encoding variational Bayes". ICLR. arXiv:1312.6114.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SequenceReconstructor
    >>> random = np.random.default_rng(0)
    >>> waves = [
    ...     np.sin(np.linspace(0, 6, 40 + n % 9)) + 0.1 * random.normal(size=40 + n % 9)
    ...     for n in range(60)
    ... ]
    >>> detector = SequenceReconstructor(contamination=0.02, random_state=0).fit(waves[1:])
    >>> detector.predict([waves[0], np.cos(np.linspace(0, 20, 40))])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "encoder": [SequenceEncoder, None],
        "statistic": [StrOptions({"residual", "reconstruction", "absolute", "elbo"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        encoder: Any = None,
        *,
        statistic: str = "residual",
        verbose: bool = False,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.encoder = encoder
        self.statistic = statistic
        self.verbose = verbose
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        encoder = RandomConvolutionEncoder() if self.encoder is None else self.encoder
        encoder._validate_params()
        normal = normal_sequences(X, y, fewest=2)
        self._read = SequenceInput(normal)
        ordinary = [normal[place] for place in self._read.ordinary(normal)]
        rows = self._read(ordinary)
        with single_blas_thread():
            self._model = encoder._fit(rows, generator(self.random_state), partial(print_loss, self))
            self.n_code_ = int(self._model.n_code)
            self.loss_curve_, self.n_iter_ = np.array(self._model.losses), len(self._model.losses)
            self._known: SequenceLookup | None = None
            if self._model.inflations is not None:
                self._known = SequenceLookup(rows)
            self._space: Spectrum | None = None
            if self.statistic == "residual":
                errors = np.concatenate(self._errors(rows))
                every = max(1, len(errors) // _MOST_FOR_COVARIANCE)
                self._space = estimate_spectrum(errors[::every], covariance="ledoit_wolf")

    def _errors(self, rows: list[NDArray[np.float32]]) -> list[Floats]:
        """Return the errors of standardised sequences; those of a training sequence are as if it were left out."""
        errors = [found - series for found, series in zip(self._model.reconstruct(rows), rows, strict=True)]
        if self._known is not None and self._model.inflations is not None:
            places = self._known.find(rows)
            for row in np.flatnonzero(places >= 0):
                errors[row] *= self._model.inflations[places[row]]
        return errors

    def _split(self, errors: Floats) -> Floats:
        """Split the outlyingness of time points among the channels."""
        if self.statistic == "absolute":
            return np.abs(errors) / errors.shape[1]
        if self._space is not None:
            return self._space.contributions(errors - self._space.location, self._space.whiten(errors))
        half = 0.5 if self.statistic == "elbo" else 1.0
        return half * np.square(errors) / errors.shape[1]

    def _by_channel(self, rows: list[NDArray[np.float32]]) -> list[Floats]:
        with single_blas_thread(), np.errstate(over="ignore"):
            return [self._split(errors) for errors in self._errors(rows)]

    def _outlyingness(self, X: list[NDArray[Any]]) -> Floats:
        rows = self._read(X)
        found = np.array([float(parts.sum(axis=1).mean()) for parts in self._by_channel(rows)])
        if self.statistic == "elbo":
            with single_blas_thread():
                found += self._model.divergence(rows) / np.array([series.size for series in rows])
        return found

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[Floats]:
        return [parts.sum(axis=1) for parts in self._by_channel(self._read(X))]

    def score_channels(self, X: Any) -> list[Floats]:
        """Split the score of each time point of each series among the channels; lower is more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        list of ndarray of shape (n_timepoints_i, n_features)
            Rows sum to ``score_timepoints(X)``, to rounding.
        """
        check_is_fitted(self)
        return [-parts for parts in self._by_channel(self._read(self._check(X, reset=False)))]

    def expected_sequences(self, X: Any) -> list[Floats]:
        """Return the reconstructions of series.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        list of ndarray of shape (n_timepoints_i, n_features)
            In the units of the channels.
        """
        check_is_fitted(self)
        rows = self._read(self._check(X, reset=False))
        with single_blas_thread():
            return self._read.restored(self._model.reconstruct(rows))
