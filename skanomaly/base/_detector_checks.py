"""Properties of detectors alone."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from skanomaly.base._asserting import Check, assert_close, assert_raises, assert_same, holds
from skanomaly.base._patch_checks import patch_checks
from skanomaly.base._samples import Trial, samples_for
from skanomaly.base._shared_checks import scoring_checks, shared_checks

__all__ = ["detector_checks"]


def detector_checks(detector: Any) -> Iterator[Check]:
    """Yield the checks that apply to `detector`; each takes an unfitted detector."""
    samples = samples_for(detector)
    parameters = detector.get_params(deep=False)
    scoring = list(scoring_checks(detector))
    yield from scoring[:1]  # first, since what is no number fails the others for a reason that it hides
    yield check_sign
    if samples.y is None:
        yield check_not_own_evidence
    yield from scoring[1:]
    yield check_threshold
    yield from shared_checks(detector)
    if samples.y is None:
        yield check_fit_predict
        yield check_labels_none_is_unlabelled
    else:
        yield check_labels_required
    yield check_labels_rejected
    if samples.is_table:
        yield check_degenerate_tables
    if hasattr(detector, "feature_contributions") and samples.kind != "patches":
        yield check_contributions_sum_to_the_score
    if samples.kind == "series" and hasattr(detector, "score_next"):
        yield check_stream_in_pieces
        yield check_failed_piece_leaves_the_stream
    if samples.kind in {"collection", "traces"}:
        yield check_parts_have_scores
    if samples.kind == "patches":
        yield from patch_checks(detector)
    if isinstance(parameters.get("contamination"), float):
        yield check_contamination_rejected


def _fraction_below(detector: Any, trial: Trial, y: Any) -> float:
    detector = clone(detector).fit(trial.train) if y is None else clone(detector).fit(trial.train, y)
    scores = detector.score_samples(trial.X)
    return float(np.mean(scores[trial.anomalous, None] < scores[None, trial.normal]))


@holds
def check_sign(detector: Any) -> None:
    """Lower scores are more anomalous: anomalies score below normal samples."""
    samples = samples_for(detector)
    below = _fraction_below(detector, samples.trials[0], samples.y)
    assert below > 0.9, f"Found: anomalies score below normal samples in {below:.2f} of pairs only."


@holds
def check_not_own_evidence(detector: Any) -> None:
    """A sample is not evidence for itself: anomalies score below normal samples though they were in training."""
    samples = samples_for(detector)
    below = _fraction_below(detector, samples.trials[-1], samples.y)
    assert below > 0.9, f"Found: they score below normal samples in {below:.2f} of pairs only."
    if samples.kind != "series":
        trial = samples.trials[-1]
        scores = clone(detector).fit(trial.train).score_samples(trial.X)
        hidden = int((scores[trial.anomalous] >= np.median(scores[trial.normal])).sum())
        assert not hidden, f"Found: {hidden} anomalies score above the median of the normal samples."


@holds
def check_threshold(detector: Any) -> None:
    """``decision_function`` is score minus offset, ``predict`` its sign, and training meets `contamination`."""
    samples = samples_for(detector)
    detector = samples.fit(detector)
    decisions = detector.decision_function(samples.X)
    assert_same(decisions, detector.score_samples(samples.X) - detector.offset_, "decision_function")
    labels = detector.predict(samples.X)
    assert_same(labels, np.where(decisions >= 0, 1, -1), "predict")
    assert labels.dtype.kind == "i", f"Found: predict returns {labels.dtype}, not integers."
    contamination = detector.get_params(deep=False).get("contamination")
    if isinstance(contamination, float):
        flagged = float(np.mean(labels == -1))
        assert flagged <= contamination + 1 / len(samples.X), f"Found: {flagged:.2f} of the training data are flagged."


@holds
def check_fit_predict(detector: Any) -> None:
    """``fit_predict`` equals fit, then predict."""
    X = samples_for(detector).X
    assert_same(clone(detector).fit_predict(X), clone(detector).fit(X).predict(X), "fit_predict")


@holds
def check_labels_none_is_unlabelled(detector: Any) -> None:
    """``y=None`` and ``y`` all 0 mean the same."""
    X = samples_for(detector).X
    expected = clone(detector).fit(X).score_samples(X)
    found = clone(detector).fit(X, np.zeros(len(X), dtype=int)).score_samples(X)
    assert_same(found, expected, "scores after a fit with y all 0")


@holds
def check_labels_required(detector: Any) -> None:
    """A detector that needs labels says so where there are none, and where one kind is missing."""
    X = samples_for(detector).X
    for labels in (None, np.ones(len(X), dtype=int)):
        assert_raises(ValueError, "y", clone(detector).fit, X, labels)


@holds
def check_labels_rejected(detector: Any) -> None:
    """Labels that are not +1, -1 or 0, or of another number, raise an error that names y."""
    X = samples_for(detector).X
    wrong = [np.where(np.arange(len(X)) % 2, -1, 2), np.full(len(X), 0.5), np.array(["fraud"] * len(X))]
    for labels in (*wrong, np.zeros(len(X) - 1)):
        assert_raises(ValueError, "y ", clone(detector).fit, X, labels)


@holds
def check_contamination_rejected(detector: Any) -> None:
    """A contamination outside (0, 0.5] raises an error that names it."""
    samples = samples_for(detector)
    for value in (0.0, 0.6, -0.1, "much"):
        assert_raises(ValueError, "contamination", samples.fit, clone(detector).set_params(contamination=value))


@holds
def check_degenerate_tables(detector: Any) -> None:
    """Constant columns, one column, all rows equal, and heavy duplicates score finitely."""
    samples = samples_for(detector)
    table = samples.X
    constant = table.copy()
    constant[:, 2] = 7.0
    half_equal = table.copy()
    half_equal[:70] = 3.0
    tables = {
        "a constant column": constant,
        "one column": table[:, :1],
        "all rows equal": np.full((30, 3), 2.5),
        "half of the rows equal": half_equal,
        "each row six times": np.repeat(table[:20], 6, axis=0),
    }
    for name, other in tables.items():
        detector = clone(detector).fit(other)
        bad = int((~np.isfinite(detector.score_samples(other))).sum())
        assert not bad, f"Found: with {name}, {bad} scores are NaN or infinite."
        assert np.isfinite(detector.offset_), f"Found: with {name}, offset_ is {detector.offset_}."
    equal = np.full((30, 3), 2.5)
    queries = equal if samples.kind == "series" else equal[:5]  # a few time points may be too few to judge
    found = clone(detector).fit(equal).predict(queries)
    assert_same(found, np.ones(len(queries)), "predict of rows equal to all training rows")


@holds
def check_contributions_sum_to_the_score(detector: Any) -> None:
    """Contributions of the columns sum to the score, row by row, and leave the rows as they were."""
    X = samples_for(detector).X
    kept = X.copy()
    detector.fit(X)
    queries = np.concatenate([X[::7], X[:20] + 0.25])
    contributions = detector.feature_contributions(queries)
    expected = detector.score_samples(queries)
    assert contributions.shape == queries.shape, f"Found: contributions have shape {contributions.shape}."
    assert_close(contributions.sum(axis=1), expected, "sums of contributions", rtol=1e-10, atol=1e-10)
    if samples_for(detector).kind != "series":  # a time point is scored within its series
        assert_close(detector.feature_contributions(queries[3:4]), contributions[3:4], "contributions of a row alone")
    assert_same(X, kept, "rows after the call")


@holds
def check_stream_in_pieces(detector: Any) -> None:
    """``score_next`` gives the same scores in pieces of any size, also if it is pickled between them."""
    samples = samples_for(detector)
    detector = samples.fit(detector)
    expected = copy.copy(detector).start_stream().score_next(samples.X)
    n_first = int(np.isnan(expected).sum())
    assert n_first < len(expected), "Found: no time point has a score."
    assert np.isnan(expected[:n_first]).all(), "Found: NaN after the first score."
    for size in (1, 7, 1001):
        stream = copy.copy(detector).start_stream()
        found = []
        for start in range(0, len(samples.X), size):
            found.append(stream.score_next(samples.X[start : start + size]))
            if start in {7, 14}:
                stream = pickle.loads(pickle.dumps(stream))  # noqa: S301  # our own bytes
        assert_close(np.concatenate(found), expected, f"scores in pieces of {size}", rtol=1e-9, atol=1e-9)


@holds
def check_failed_piece_leaves_the_stream(detector: Any) -> None:
    """After an error of ``score_next`` the stream is as it was."""
    samples = samples_for(detector)
    detector = samples.fit(detector).start_stream()
    half = len(samples.X) // 2
    detector.score_next(samples.X[:half])
    expected = copy.copy(detector).score_next(samples.X[half:])
    infinite = samples.X[half:].copy()
    infinite[-1, 0] = np.inf
    for wrong in (infinite, samples.X[half:, :1]):
        assert_raises(ValueError, "", detector.score_next, wrong)
    assert_same(detector.score_next(samples.X[half:]), expected, "scores after an error")


@holds
def check_parts_have_scores(detector: Any) -> None:
    """``score_timepoints`` and ``score_events``, where a class has them, give each part one finite score."""
    samples = samples_for(detector)
    name = "score_events" if get_tags(detector).input_tags.string else "score_timepoints"
    detector = samples.fit(detector)
    if not hasattr(detector, name):
        return
    for index, (item, scores) in enumerate(zip(samples.X, getattr(detector, name)(samples.X), strict=True)):
        assert scores.shape == (len(item),), f"Found: {name} gives X[{index}] scores of shape {scores.shape}."
        assert np.isfinite(scores).all(), f"Found: {name} gives X[{index}] scores that are NaN or infinite."
