"""Moments of wavelet coefficients and of their moduli, in the frequency domain, with gradients."""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import zeta

__all__ = ["Moments", "band_passes", "cross_moments", "moments", "n_scales_of"]

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
_HIGHEST = 0.425  # largest gain of the finest filter, in cycles per time point
_PEAK = 0.68  # largest gain of the mother wavelet, in cycles
_SMOOTH = 1e-6  # moduli below this fraction of the scale are smooth at 0


class Moments(NamedTuple):
    """Moments of the wavelet coefficients of signals.

    Parameters
    ----------
    modulus : ndarray of shape (n_signals, n_scales)
        Mean modulus at each scale.
    power : ndarray of shape (n_signals, n_scales)
        Mean squared modulus.
    phase : ndarray of shape (n_signals, n_pairs), complex
        Covariance of the coefficients at a scale with those of the modulus at each finer scale.
    envelope : ndarray of shape (n_signals, n_triples), complex
        Covariance, at a scale, of the moduli at two finer scales.
    """

    modulus: NDArray[Any]
    power: NDArray[Any]
    phase: NDArray[Any]
    envelope: NDArray[Any]

    def vectors(self) -> Floats:
        """Return one real vector for each signal; variances of moduli are real."""
        first, second = _pairs(self.modulus.shape[1])[2].T
        between = self.envelope.imag[:, first != second]
        parts = [self.modulus, self.power, self.phase.real, self.phase.imag, self.envelope.real, between]
        return np.concatenate(parts, axis=1)


def n_scales_of(n_timepoints: int) -> int:
    """Return the number of scales that a series is long enough for: one cycle of the coarsest filter."""
    return max(1, int(np.floor(np.log2(max(_HIGHEST * n_timepoints, 1.0)))) + 1)


@lru_cache(maxsize=8)
def band_passes(n_timepoints: int, n_scales: int) -> Floats:
    """Return the gains of analytic cubic Battle-Lemarie wavelets, an octave apart, fine to coarse.

    Parameters
    ----------
    n_timepoints : int
    n_scales : int

    Returns
    -------
    ndarray of shape (n_scales, n_timepoints), read-only
        By discrete frequency; 0 for frequencies that are not positive.
    """
    n_positive = (n_timepoints - 1) // 2
    gains = np.zeros((n_scales, n_timepoints))
    frequencies = np.arange(1, n_positive + 1) / n_timepoints
    for scale in range(n_scales):
        gains[scale, 1 : n_positive + 1] = _wavelet(frequencies * 2.0**scale * _PEAK / _HIGHEST)
    gains.flags.writeable = False
    return gains


def _wavelet(cycles: Floats) -> Floats:
    """Return the modulus of the Fourier transform of the cubic Battle-Lemarie wavelet, by frequency in cycles."""
    # Sums over all aliases of the eighth power of the inverse frequency; their common factors cancel.
    half, other, whole = _aliases(cycles / 2), _aliases(cycles / 2 + 0.5), _aliases(cycles)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = np.sqrt(other / (half * whole)) / cycles**4
    return np.where(np.isfinite(found), found, 0.0)


def _aliases(cycles: Floats) -> Floats:
    part = np.mod(cycles, 1.0)
    part = np.clip(part, 1e-9, 1 - 1e-9)
    return np.asarray(zeta(8, part) + zeta(8, 1 - part))


@lru_cache(maxsize=8)
def _pairs(n_scales: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the two scales of each pair and, for each coarse scale, the two finer ones of each triple."""
    pairs = np.array([(fine, coarse) for coarse in range(n_scales) for fine in range(coarse)], dtype=np.intp)
    triples = np.array(
        [
            (first, second, coarse)
            for coarse in range(n_scales)
            for first, second in combinations_with_replacement(range(coarse), 2)
        ],
        dtype=np.intp,
    )
    pairs, triples = pairs.reshape(-1, 2), triples.reshape(-1, 3)
    return pairs[:, 0], pairs[:, 1], triples[:, :2], triples[:, 2]


class _Coefficients(NamedTuple):
    spectra: Complex  # of the signals
    values: Complex  # wavelet coefficients
    moduli: Floats
    modulus_spectra: Complex


def _coefficients(signals: Floats, gains: Floats, scales: Floats) -> _Coefficients:
    spectra = np.fft.fft(signals, axis=-1)
    values = np.fft.ifft(spectra[:, None, :] * gains, axis=-1)
    floor = (_SMOOTH * scales)[:, None]
    moduli = np.sqrt(values.real**2 + values.imag**2 + floor**2)
    return _Coefficients(spectra, values, moduli, np.fft.fft(moduli, axis=-1))


def moments(signals: Floats, n_scales: int, scales: Floats) -> tuple[Moments, Callable[[Moments], Floats]]:
    """Return the moments of signals of one length, and a function from their gradients to those in the signals.

    Parameters
    ----------
    signals : ndarray of shape (n_signals, n_timepoints)
    n_scales : int
    scales : ndarray of shape (n_scales,)
        What the coefficients at each scale are divided by.

    Returns
    -------
    Moments
    callable
        Takes the gradient of a real loss in the moments, that in real plus i times that in imaginary parts, and returns
        that in the signals.
    """
    n = signals.shape[-1]
    gains = band_passes(n, n_scales)
    squares = gains * gains
    found = _coefficients(signals, gains, scales)
    fine, coarse, both, over = _pairs(n_scales)
    spectra, moduli = found.spectra, found.modulus_spectra / scales[:, None]
    phase = np.empty((len(signals), len(fine)), dtype=np.complex128)
    envelope = np.empty((len(signals), len(over)), dtype=np.complex128)
    for scale in range(n_scales):
        filtered = moduli[:, :scale] * squares[scale]
        chosen, triple = coarse == scale, over == scale
        phase[:, chosen] = (filtered.conj() @ spectra[:, :, None])[:, :, 0] / (n * n * scales[scale])
        products = filtered @ moduli[:, :scale].conj().swapaxes(1, 2) / (n * n)
        envelope[:, triple] = products[:, both[triple, 0], both[triple, 1]]
    power = (found.values.real**2 + found.values.imag**2).mean(axis=-1) / scales**2
    result = Moments(found.moduli.mean(axis=-1) / scales, power, phase, envelope)

    def back(slopes: Moments) -> Floats:
        spectrum_slopes = np.zeros_like(spectra)
        modulus_slopes = np.zeros_like(moduli)
        for scale in range(1, n_scales):
            chosen, triple = coarse == scale, over == scale
            weights = slopes.phase[:, chosen] / (n * n * scales[scale])
            spectrum_slopes += squares[scale] * (weights[:, None, :] @ moduli[:, :scale])[:, 0]
            modulus_slopes[:, :scale] += weights.conj()[:, :, None] * (squares[scale] * spectra)[:, None, :]
            table = np.zeros((len(signals), scale, scale), dtype=np.complex128)
            table[:, both[triple, 0], both[triple, 1]] += slopes.envelope[:, triple] / (n * n)
            table = table + table.conj().swapaxes(1, 2)
            modulus_slopes[:, :scale] += squares[scale] * (table @ moduli[:, :scale])
        return _through(found, gains, scales, slopes, spectrum_slopes, modulus_slopes)

    return result, back


def _through(
    found: _Coefficients,
    gains: Floats,
    scales: Floats,
    slopes: Moments | None,
    spectrum_slopes: Complex,
    modulus_slopes: Complex,
) -> Floats:
    """Return the gradient in the signals, from those in their spectra and in the spectra of their scaled moduli."""
    n = gains.shape[1]
    by_modulus = n * np.fft.ifft(modulus_slopes, axis=-1).real / scales[:, None]
    if slopes is not None:
        by_modulus += (slopes.modulus / (n * scales))[:, :, None]
    by_value = (by_modulus / found.moduli) * found.values
    if slopes is not None:
        by_value += (2 * slopes.power / (n * scales**2))[:, :, None] * found.values
    spectrum_slopes = spectrum_slopes + (gains * np.fft.fft(by_value, axis=-1)).sum(axis=1) / n
    return np.asarray(n * np.fft.ifft(spectrum_slopes, axis=-1).real)


def cross_moments(
    signal: Floats, others: Floats, n_scales: int, scales: Floats, other_scales: Floats
) -> tuple[Complex, Callable[[Complex], Floats]]:
    """Return covariances of the coefficients, and of the moduli, of a signal with those of others, with a gradient.

    Parameters
    ----------
    signal : ndarray of shape (1, n_timepoints)
    others : ndarray of shape (n_others, n_timepoints)
    n_scales : int
    scales, other_scales : ndarray of shape (n_scales,)

    Returns
    -------
    ndarray of shape (n_others, n_scales + n_pairs), complex
    callable
        From the gradient in these to that in the signal, of shape (1, n_timepoints).
    """
    n = signal.shape[-1]
    gains = band_passes(n, n_scales)
    squares = gains * gains
    one, many = _coefficients(signal, gains, scales), _coefficients(others, gains, other_scales)
    fine, coarse, _, _ = _pairs(n_scales)
    weights = squares / (n * n * (scales * other_scales)[:, None])
    linear = many.spectra.conj() @ (weights * one.spectra).T
    known = many.modulus_spectra / other_scales[:, None]
    moduli = one.modulus_spectra[0] / scales[:, None]
    pairs = np.einsum("kpf,pf->kp", known[:, fine].conj(), squares[coarse] * moduli[fine]) / (n * n)

    def back(slopes: Complex) -> Floats:
        spectrum = (weights * (slopes[:, :n_scales].T @ many.spectra)).sum(axis=0)
        modulus = np.zeros_like(moduli)
        parts = np.einsum("kp,kpf->pf", slopes[:, n_scales:], known[:, fine]) * squares[coarse] / (n * n)
        np.add.at(modulus, fine, parts)
        return _through(one, gains, scales, None, spectrum[None], modulus[None])

    return np.concatenate([linear, pairs], axis=1), back
