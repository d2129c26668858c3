"""What a class must do to keep the contract, as checks that third parties may run on their own classes."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from skanomaly.base._collection_checks import collection_checks, takes_collections
from skanomaly.base._raising import assert_raises

__all__ = ["check_detector", "check_sampler", "detector_checks", "sampler_checks"]

_N_BULK = 114
_N_FAR = 6


def check_detector(detector: Any) -> None:
    """Check that a detector keeps the contract of :class:`BaseDetector`.

    It need not inherit from it. Run scikit-learn's ``check_estimator`` besides.

    Parameters
    ----------
    detector : estimator
        Unfitted; it is cloned, and ``random_state`` is set where it has one.

    Raises
    ------
    AssertionError
        By the first check that fails; its traceback names the check.

    Examples
    --------
    >>> from skanomaly.base import check_detector
    >>> from skanomaly.detectors import RandomProjectionDepth
    >>> check_detector(RandomProjectionDepth(n_projections=50))
    """
    for check in detector_checks(detector):
        check(_seeded(detector))


def check_sampler(sampler: Any) -> None:
    """Check that a sampler keeps the contract of :class:`BaseSampler`.

    Parameters
    ----------
    sampler : estimator
        Unfitted; it is cloned, and ``random_state`` is set where it has one. It must accept two classes of 40 and
        12 rows in three columns.

    Raises
    ------
    AssertionError
        By the first check that fails; its traceback names the check.

    Examples
    --------
    >>> from skanomaly.base import check_sampler
    >>> from skanomaly.sampling import SMOTE
    >>> check_sampler(SMOTE())
    """
    for check in sampler_checks(sampler):
        check(_seeded(sampler))


def detector_checks(detector: Any) -> Iterator[Callable[[Any], None]]:
    """Yield the checks that apply to `detector`; each takes an unfitted detector."""
    if takes_collections(detector):
        yield from collection_checks(detector)
        return
    if getattr(detector, "_rows_stand_alone", True):
        yield check_sign
        yield check_batch_independence
        yield check_not_own_evidence
    else:
        yield check_series_sign
    yield check_threshold
    yield check_determinism
    yield check_float32_agrees
    yield check_integers_do_not_overflow
    yield check_layout_does_not_matter
    yield check_pickle
    yield check_not_fitted
    yield check_python_threads
    yield check_frames
    yield check_fit_predict
    yield check_degenerate_tables
    yield check_failed_fit_leaves_nothing
    yield check_labels_none_is_unlabelled
    yield check_labels_refused
    parameters = detector.get_params(deep=False)
    if hasattr(detector, "feature_contributions"):
        yield check_contributions_sum_to_the_score
    if "n_jobs" in parameters:
        yield check_n_jobs
    if isinstance(parameters.get("contamination"), float):
        yield check_contamination_refused


def sampler_checks(sampler: Any) -> Iterator[Callable[[Any], None]]:
    """Yield the checks that apply to `sampler`; each takes an unfitted sampler."""
    yield check_sample_indices
    yield check_sampler_determinism
    yield check_sampler_leaves_input
    yield check_sampler_frames
    yield check_sampler_failed_leaves_nothing
    if get_tags(sampler).input_tags.sparse:
        yield check_sampler_sparse


def _seeded(estimator: Any) -> Any:
    estimator = clone(estimator)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=0)
    return estimator


def _table() -> NDArray[np.float64]:
    """114 rows around the origin and 6 far from it and from each other, on a grid that float32 holds exactly."""
    random = np.random.Generator(np.random.PCG64(20260101))
    bulk = random.normal(size=(_N_BULK, 4))
    far = np.array(
        [[9, 9, 9, 9], [-9, 9, -9, 9], [12, -12, 12, -12], [-15, -15, 15, 15], [18, 0, 0, -18], [0, 21, 21, 0]]
    )
    return np.round(np.vstack([bulk, far]) * 1024) / 1024


def check_sign(detector: Any) -> None:
    """Small is odd: rows far away score below the bulk, whether or not they were in training."""
    table = _table()
    for train in (table[:_N_BULK], table):
        scores = clone(detector).fit(train).score_samples(table)
        ahead = np.mean(scores[_N_BULK:, None] < scores[None, :_N_BULK])
        assert ahead > 0.9, f"far rows score below the bulk in {ahead:.2f} of pairs only; small must be odd"


def check_series_sign(detector: Any) -> None:
    """Small is odd: a burst in a wave scores below the rest, whether or not it was in training."""
    random = np.random.Generator(np.random.PCG64(20260103))
    wave = np.sin(np.arange(360)[:, None] / np.array([3.0, 4.0, 5.0])) + 0.02 * random.normal(size=(360, 3))
    burst = wave.copy()
    burst[250:258] = random.normal(0.0, 12.0, size=(8, 3))
    near = np.abs(np.arange(360) - 253.5)
    for train in (wave, burst):
        scores = clone(detector).fit(train).score_samples(burst)
        ahead = np.mean(scores[near < 2, None] < scores[None, near > 40])
        assert ahead > 0.9, f"a burst scores below the wave in {ahead:.2f} of pairs only; small must be odd"


def check_threshold(detector: Any) -> None:
    """``decision_function`` is score minus offset, ``predict`` its sign, and training meets `contamination`."""
    table = _table()
    detector = detector.fit(table)
    decisions = detector.decision_function(table)
    assert_array_equal(decisions, detector.score_samples(table) - detector.offset_)
    labels = detector.predict(table)
    assert_array_equal(labels, np.where(decisions >= 0, 1, -1))
    assert labels.dtype.kind == "i"
    contamination = detector.get_params(deep=False).get("contamination")
    if isinstance(contamination, float):
        assert np.mean(labels == -1) <= contamination + 1 / len(table)


def check_determinism(detector: Any) -> None:
    """With `random_state` fixed, two fits give the same bits."""
    table = _table()
    first = clone(detector).fit(table).score_samples(table)
    assert_array_equal(first, clone(detector).fit(table).score_samples(table))


def check_batch_independence(detector: Any) -> None:
    """A row's score does not depend on the rows beside it."""
    table = _table()
    detector = detector.fit(table)
    whole = detector.score_samples(table)
    alone = np.concatenate([detector.score_samples(table[[row]]) for row in range(0, len(table), 7)])
    assert_allclose(alone, whole[::7], rtol=1e-9, atol=1e-12)
    order = np.argsort(table[:, 0])
    assert_allclose(detector.score_samples(table[order]), whole[order], rtol=1e-9, atol=1e-12)


def check_n_jobs(detector: Any) -> None:
    """The bits are the same for every `n_jobs`."""
    table = np.tile(_table(), (40, 1)) + np.linspace(0, 1, 4800)[:, None]
    one = clone(detector).set_params(n_jobs=1).fit(table)
    two = clone(detector).set_params(n_jobs=2).fit(table)
    assert_array_equal(one.score_samples(table), two.score_samples(table))
    assert one.offset_ == two.offset_


def check_float32_agrees(detector: Any) -> None:
    """float32 rows score as the same rows in float64 do, to float32's precision, also far from the origin."""
    for shift in (0.0, 4096.0):
        table = _table() + shift
        double = clone(detector).fit(table).score_samples(table)
        single = clone(detector).fit(table.astype(np.float32)).score_samples(table.astype(np.float32))
        assert_allclose(single, double, rtol=1e-3, atol=1e-3 * np.ptp(double))


def check_integers_do_not_overflow(detector: Any) -> None:
    """Narrow integers score exactly as the same values in float64."""
    for dtype, scale, shift in ((np.uint8, 5, 110), (np.int16, 1400, 0), (np.int64, 1400, 0)):
        table = np.clip(np.rint(_table() * scale + shift), np.iinfo(dtype).min, np.iinfo(dtype).max)
        as_float = clone(detector).fit(table).score_samples(table)
        assert_array_equal(clone(detector).fit(table.astype(dtype)).score_samples(table.astype(dtype)), as_float)


def check_layout_does_not_matter(detector: Any) -> None:
    """Column-major, strided and read-only tables give the same bits and stay as they were."""
    table = _table()
    expected = clone(detector).fit(table).score_samples(table)
    wide = np.zeros((2 * len(table), 8))
    wide[::2, ::2] = table
    read_only = table.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(table), wide[::2, ::2], read_only):
        assert_array_equal(clone(detector).fit(other).score_samples(other), expected)
        assert_array_equal(other, table)


def check_pickle(detector: Any) -> None:
    """A pickled detector scores with the same bits."""
    table = _table()
    detector = detector.fit(table)
    copy = pickle.loads(pickle.dumps(detector))  # noqa: S301  # our own bytes
    assert_array_equal(copy.score_samples(table), detector.score_samples(table))
    assert_array_equal(copy.predict(table), detector.predict(table))


def check_not_fitted(detector: Any) -> None:
    """Every scoring method of an unfitted detector raises ``NotFittedError``."""
    for method in ("score_samples", "decision_function", "predict"):
        assert_raises(NotFittedError, type(detector).__name__, getattr(detector, method), _table())


def check_python_threads(detector: Any) -> None:
    """Four Python threads may score with one detector, and fit four, at once."""
    table = _table()
    detector = detector.fit(table)
    expected = detector.score_samples(table)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: detector.score_samples(table), range(8)):
            assert_array_equal(scores, expected)
        for scores in pool.map(lambda _: clone(detector).fit(table).score_samples(table), range(4)):
            assert_array_equal(scores, expected)


def check_frames(detector: Any) -> None:
    """A frame scores as its values do; permuted or renamed columns raise."""
    table = _table()
    frame = pd.DataFrame(table, columns=["a", "b", "c", "d"])
    expected = clone(detector).fit(table).score_samples(table)
    detector = detector.fit(frame)
    assert_array_equal(detector.score_samples(frame), expected)
    assert_array_equal(detector.feature_names_in_, ["a", "b", "c", "d"])
    assert_raises(ValueError, "feature names", detector.score_samples, frame[["b", "a", "c", "d"]])
    assert_raises(ValueError, "feature names", detector.score_samples, frame.rename(columns={"a": "z"}))


def check_contributions_sum_to_the_score(detector: Any) -> None:
    """Contributions of the columns sum to the score, row by row, and leave the rows as they were."""
    X = _table()
    kept = X.copy()
    detector.fit(X)
    queries = np.concatenate([X[::7], X[:20] + 0.25])
    contributions = detector.feature_contributions(queries)
    assert contributions.shape == queries.shape
    assert_allclose(contributions.sum(axis=1), detector.score_samples(queries), rtol=1e-10, atol=1e-10)
    assert_allclose(detector.feature_contributions(queries[3:4]), contributions[3:4], rtol=1e-9, atol=1e-12)
    assert_array_equal(X, kept)


def check_not_own_evidence(detector: Any) -> None:
    """A lone training row is odd although it was seen."""
    table = _table()
    detector = detector.fit(table)
    scores = detector.score_samples(table)
    # The six far rows fill the training tail; none may hide in the bulk by being its own neighbour.
    assert (scores[_N_BULK:] < np.median(scores[:_N_BULK])).all()


def check_fit_predict(detector: Any) -> None:
    """``fit_predict`` equals fit, then predict."""
    table = _table()
    assert_array_equal(clone(detector).fit_predict(table), clone(detector).fit(table).predict(table))


def check_degenerate_tables(detector: Any) -> None:
    """Constant columns, one column, all rows equal, and heavy duplicates score finitely."""
    table = _table()
    constant = table.copy()
    constant[:, 2] = 7.0
    half_equal = table.copy()
    half_equal[:70] = 3.0
    for other in (constant, table[:, :1], np.full((30, 3), 2.5), half_equal, np.repeat(table[:20], 6, axis=0)):
        detector = clone(detector).fit(other)
        assert np.isfinite(detector.score_samples(other)).all()
        assert np.isfinite(detector.offset_)
    assert_array_equal(clone(detector).fit(np.full((30, 3), 2.5)).predict(np.full((5, 3), 2.5)), 1)


def check_failed_fit_leaves_nothing(detector: Any) -> None:
    """A fit that raises leaves an unfitted detector unfitted and a fitted one as it was."""
    table = _table()
    broken = table.copy()
    value, name = (np.inf, "infinity") if get_tags(detector).input_tags.allow_nan else (np.nan, "NaN")
    broken[3, 1] = value
    before = dict(vars(detector))
    assert_raises(ValueError, name, detector.fit, broken)
    assert dict(vars(detector)) == before
    detector = detector.fit(table)
    expected = detector.score_samples(table)
    assert_raises(ValueError, name, detector.fit, np.hstack([broken, broken]))
    assert_array_equal(detector.score_samples(table), expected)


def check_labels_none_is_unlabelled(detector: Any) -> None:
    """``y=None`` and ``y`` all 0 mean the same."""
    table = _table()
    expected = clone(detector).fit(table).score_samples(table)
    assert_array_equal(clone(detector).fit(table, np.zeros(len(table), dtype=int)).score_samples(table), expected)


def check_labels_refused(detector: Any) -> None:
    """Labels that are not +1, -1 or 0 raise an error that names y."""
    table = _table()
    wrong = [np.where(np.arange(len(table)) % 2, -1, 2), np.full(len(table), 0.5), np.array(["odd"] * len(table))]
    for labels in (*wrong, np.zeros(len(table) - 1)):
        assert_raises(ValueError, "y ", clone(detector).fit, table, labels)


def check_contamination_refused(detector: Any) -> None:
    """A contamination outside (0, 0.5] raises an error that names it."""
    for value in (0.0, 0.6, -0.1, "much"):
        assert_raises(ValueError, "contamination", clone(detector).set_params(contamination=value).fit, _table())


def _classes() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.Generator(np.random.PCG64(20260102))
    rows = np.vstack([random.normal(size=(40, 3)), random.normal(2.0, 1.0, size=(12, 3))])
    targets = np.repeat([0, 1], [40, 12])
    order = random.permutation(52)
    return rows[order], targets[order]


def check_sample_indices(sampler: Any) -> None:
    """``sample_indices_`` has one entry a row, and a row that has an index is that training row."""
    rows, targets = _classes()
    new_rows, new_targets = sampler.fit_resample(rows, targets)
    indices = sampler.sample_indices_
    assert len(new_rows) == len(new_targets) == len(indices)
    kept = indices >= 0
    assert_array_equal(new_rows[kept], rows[indices[kept]])
    assert_array_equal(new_targets[kept], targets[indices[kept]])
    assert np.isfinite(new_rows).all()
    # fit_resample returns the given rows wherever there is an index, so what the sampler made is compared as well.
    made, labels, indices = sampler._fit_resample(*sampler._check(rows, targets))  # noqa: SLF001  # the hooks are what is checked
    kept = indices >= 0
    assert_array_equal(labels[kept], targets[indices[kept]])
    if made is not None:
        assert_array_equal(made[kept], rows[indices[kept]])


def check_sampler_determinism(sampler: Any) -> None:
    """With `random_state` fixed, two calls give the same bits."""
    rows, targets = _classes()
    first, second = (clone(sampler).fit_resample(rows, targets) for _ in range(2))
    assert_array_equal(first[0], second[0])
    assert_array_equal(first[1], second[1])


def check_sampler_leaves_input(sampler: Any) -> None:
    """Read-only input works and stays as it was."""
    rows, targets = _classes()
    rows.flags.writeable = targets.flags.writeable = False
    sampler.fit_resample(rows, targets)
    assert_array_equal(rows, _classes()[0])


def check_sampler_frames(sampler: Any) -> None:
    """A frame and a series come back as a frame and a series, with their names."""
    rows, targets = _classes()
    expected = clone(sampler).fit_resample(rows, targets)
    frame, series = sampler.fit_resample(pd.DataFrame(rows, columns=["a", "b", "c"]), pd.Series(targets, name="kind"))
    assert list(frame.columns) == ["a", "b", "c"]
    assert series.name == "kind"
    assert_allclose(frame.to_numpy(), expected[0])
    assert_array_equal(series.to_numpy(), expected[1])


def check_sampler_failed_leaves_nothing(sampler: Any) -> None:
    """A call that raises leaves the sampler as it was."""
    rows, targets = _classes()
    rows = rows.copy()
    rows[0, 0] = np.nan
    before = dict(vars(sampler))
    if get_tags(sampler).input_tags.allow_nan:
        assert_raises(ValueError, "", sampler.fit_resample, rows, targets[1:])
    else:
        assert_raises(ValueError, "NaN", sampler.fit_resample, rows, targets)
    assert dict(vars(sampler)) == before


def check_sampler_sparse(sampler: Any) -> None:
    """Sparse rows come back in their own format, with the values of the dense call."""
    from scipy import sparse

    rows, targets = _classes()
    expected = clone(sampler).fit_resample(rows, targets)[0]
    for kind in (sparse.csr_array, sparse.csc_array):
        resampled = clone(sampler).fit_resample(kind(rows), targets)[0]
        assert resampled.format == kind(rows).format
        assert_allclose(resampled.toarray(), expected, rtol=1e-9, atol=1e-12)
