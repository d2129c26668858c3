"""Each check of the public suites catches the fault it is there for."""

import numpy as np
import pytest
from scipy import stats

from skanomaly.base import BaseDetector, BaseSampler, BaseTest, check_detector, check_sampler, check_test
from skanomaly.base import _detector_checks as on_detectors
from skanomaly.base import _sampler_checks as on_samplers
from skanomaly.base import _shared_checks as shared
from skanomaly.base import _test_checks as on_tests
from skanomaly.base._checks import seeded


class Sound(BaseDetector):
    def __init__(self, *, contamination=0.1, n_jobs=None, random_state=None):
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    _parameter_constraints = {**BaseDetector._parameter_constraints, "n_jobs": [None, int], "random_state": [None, int]}

    def _fit(self, X, y):
        self.center_ = np.median(X, axis=0)
        self.spread_ = 1.0

    def _outlyingness(self, X):
        return np.abs(X - self.center_).sum(axis=1) / self.spread_


class WrongSign(Sound):
    def _outlyingness(self, X):
        return -np.abs(X - self.center_).sum(axis=1)


class Unseeded(Sound):
    def _fit(self, X, y):
        super()._fit(X, y)
        self.spread_ = np.random.default_rng().uniform(1, 2)


class LooksAtTheBatch(Sound):
    def _outlyingness(self, X):
        return np.abs(X - X.mean(axis=0)).sum(axis=1)


class CountsJobs(Sound):
    def _outlyingness(self, X):
        return super()._outlyingness(X) * (1 + 1e-15 * (self.n_jobs or 1))


class OwnNeighbor(Sound):
    def _fit(self, X, y):
        self.rows_ = X

    def _outlyingness(self, X):
        return np.array([np.abs(self.rows_ - row).sum(axis=1).min() for row in X])


class Overflows(Sound):
    def fit(self, X, y=None):
        self._narrow = np.asarray(X).dtype.kind in "iu"
        return super().fit(X, y)

    def _outlyingness(self, X):
        return super()._outlyingness(X) % (64.0 if self._narrow else np.inf)


class HalfFitted(Sound):
    def fit(self, X, y=None):
        self.started_ = True
        return super().fit(X, y)


class WritesInput(Sound):
    def fit(self, X, y=None):
        if isinstance(X, np.ndarray) and X.flags.writeable:
            X *= 1.0 + 1e-9
        return super().fit(X, y)


class Undefined(Sound):
    def _outlyingness(self, X):
        return super()._outlyingness(X) / np.ptp(X, axis=0).max()


class Column(Sound):
    def _outlyingness(self, X):
        return super()._outlyingness(X)[:, None]


class NotNumbers(Sound):
    def _outlyingness(self, X):
        return np.where(X[:, 0] > 1.0, np.nan, super()._outlyingness(X))


class CountsCalls(Sound):
    def _fit(self, X, y):
        super()._fit(X, y)
        self.n_calls_ = 0

    def _outlyingness(self, X):
        self.n_calls_ += 1
        return super()._outlyingness(X)


class WritesState(Sound):
    def _outlyingness(self, X):
        found = super()._outlyingness(X)
        self.center_[:] = np.nextafter(self.center_, 9.0)
        return found


class ShortTraining(Sound):
    def _fit(self, X, y):
        super()._fit(X, y)
        return self._outlyingness(X)[:-1]


FAULTS = {
    Column: shared.check_scores_are_numbers,
    NotNumbers: shared.check_scores_are_numbers,
    WrongSign: on_detectors.check_sign,
    OwnNeighbor: on_detectors.check_not_own_evidence,
    CountsCalls: shared.check_scoring_changes_nothing,
    WritesState: shared.check_scoring_changes_nothing,
    LooksAtTheBatch: shared.check_batch_independence,
    Unseeded: shared.check_determinism,
    CountsJobs: shared.check_n_jobs,
    Overflows: shared.check_integers_do_not_overflow,
    HalfFitted: shared.check_failed_fit_leaves_nothing,
    WritesInput: shared.check_containers_do_not_matter,
    Undefined: on_detectors.check_degenerate_tables,
}


def test_sound_detector_passes():
    check_detector(Sound())


@pytest.mark.parametrize(("faulty", "check"), FAULTS.items(), ids=lambda value: value.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_check_catches_its_fault_and_names_the_property(faulty, check):
    assert check in list(on_detectors.detector_checks(faulty()))
    with pytest.raises((AssertionError, KeyError)) as caught:
        check(seeded(faulty()))
    told = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
    assert check.__doc__.splitlines()[0] in told


@pytest.mark.parametrize(
    ("faulty", "words"),
    [
        (Column, r"shape \(n_samples,\).*shape \(120, 1\) for 120 samples"),
        (NotNumbers, "without NaN.*returns NaN for"),
        (OwnNeighbor, "not evidence for itself"),
        (WrongSign, "Lower scores are more anomalous"),
        (LooksAtTheBatch, "depends neither on what else is scored.*values differ"),
        (CountsCalls, "leave the fitted object.*n_calls_"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_failure_of_the_whole_check_names_the_fault(faulty, words):
    with pytest.raises(AssertionError, match=words):
        check_detector(faulty())


def test_training_scores_of_another_length_raise():
    with pytest.raises(ValueError, match=r"ShortTraining._fit returned training scores of shape \(119,\)"):
        check_detector(ShortTraining())


def test_missing_contamination_parameter_is_explained():
    class NoContamination(BaseDetector):
        _parameter_constraints = {}

        def _fit(self, X, y):
            self.center_ = X.mean(axis=0)

        def _outlyingness(self, X):
            return np.abs(X - self.center_).sum(axis=1)

    with pytest.raises(NotImplementedError, match=r"no parameter contamination\. Add it to __init__"):
        check_detector(NoContamination())


class Smooths(Sound):
    """Score a time point by its mean distance over three rows."""

    scores_time_points = True

    def _outlyingness(self, X):
        distances = np.pad(super()._outlyingness(X), 1, mode="edge")
        return (distances[:-2] + distances[1:-1] + distances[2:]) / 3


def test_foreign_series_detector_passes_by_its_public_attribute():
    check_detector(Smooths())


def test_series_detector_without_the_attribute_fails():
    class Unannounced(Smooths):
        scores_time_points = False

    with pytest.raises(AssertionError, match="check_batch_independence"):
        check_detector(Unannounced())


class Repeats(BaseSampler):
    """Repeat the rows of the rarest class once."""

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _fit_resample(self, X, y):
        values, counts = np.unique(y, return_counts=True)
        index = np.concatenate([np.arange(len(y)), np.flatnonzero(y == values[counts.argmin()])])
        return X[index], y[index], index


class ForgetsOrder(Repeats):
    def _fit_resample(self, X, y):
        rows, targets, index = super()._fit_resample(X, y)
        return rows, targets, index[::-1]


class Wanders(Repeats):
    def _fit_resample(self, X, y):
        index = np.random.default_rng().permutation(len(y))
        return X[index], y[index], index


def test_sound_sampler_passes():
    check_sampler(Repeats())


@pytest.mark.parametrize(
    ("faulty", "check"),
    [(ForgetsOrder, on_samplers.check_sample_indices), (Wanders, shared.check_determinism)],
    ids=["indices", "determinism"],
)
def test_sampler_check_catches_its_fault(faulty, check):
    with pytest.raises(AssertionError):
        check(seeded(faulty()))


@pytest.mark.parametrize("shift", [1, -40])
def test_sample_indices_of_no_row_raise(shift):
    class Shifts(Repeats):
        def _fit_resample(self, X, y):
            return None, None, np.arange(len(y)) + shift

    with pytest.raises(ValueError, match=r"Shifts._fit_resample returned the sample index .* training rows"):
        Shifts().fit(np.zeros((8, 1)), [0] * 6 + [1] * 2)


class ForgetsIndices(BaseSampler):
    def _fit_resample(self, X, y):
        return X, y


def test_sampler_without_indices_is_told_what_to_return():
    with pytest.raises(TypeError, match=r"returned 2 values; return \(X_resampled, y_resampled, sample_indices\)"):
        check_sampler(ForgetsIndices())


def test_sampler_of_an_author_that_did_not_think_of_sparse_rows_refuses_them():
    from scipy import sparse

    with pytest.raises(TypeError, match="dense data is required"):
        Repeats().fit_resample(sparse.csr_array(np.eye(8)), [0] * 6 + [1] * 2)


class GivesOtherClasses(Repeats):
    def _fit_resample(self, X, y):
        indices = np.append(np.arange(len(y)), -1)
        return X[:1], np.array([7]), indices


def test_one_hot_check_catches_a_class_without_a_column():
    with pytest.raises((AssertionError, ValueError), match="no one-hot column"):
        on_samplers.check_sampler_one_hot(GivesOtherClasses())


def test_sampler_keeps_integer_columns_and_names():
    import pandas as pd

    frame = pd.DataFrame({"a": np.arange(8), "b": np.linspace(0, 1, 8)})
    rows, targets = Repeats().fit_resample(frame, pd.Series([0] * 6 + [1] * 2, name="kind"))
    assert rows.dtypes["a"] == frame.dtypes["a"]
    assert (len(rows), targets.name) == (10, "kind")


def test_sampler_gives_polars_back():
    import polars as pl

    frame = pl.DataFrame({"a": np.arange(8.0), "b": np.linspace(0, 1, 8)})
    rows, targets = Repeats().fit_resample(frame, pl.Series("kind", [0] * 6 + [1] * 2))
    assert isinstance(rows, pl.DataFrame)
    assert rows.columns == ["a", "b"]
    assert targets.name == "kind"


class MeanTest(BaseTest):
    """Test whether the mean of the first column is 0."""

    def __init__(self, *, alpha=0.05, n_jobs=None):
        self.alpha = alpha
        self.n_jobs = n_jobs

    _parameter_constraints = {"alpha": [float], "n_jobs": [None, int]}

    def _test(self, X):
        self.spread_ = max(float(X[:, 0].std()), 1e-300)
        self.statistic_ = float(np.sqrt(len(X)) * X[:, 0].mean() / self.spread_)
        self.pvalue_ = float(2 * stats.norm.sf(abs(self.statistic_)))
        self.rows_ = X

    def _row_pvalues(self, X):
        rows = self.rows_ if X is None else X
        return np.maximum(2 * stats.norm.sf(np.abs(rows[:, 0]) / self.spread_), 1e-300)


class ManyPvalues(MeanTest):
    def _test(self, X):
        super()._test(X)
        self.pvalue_ = np.array([self.pvalue_])


class AlwaysFinds(MeanTest):
    def _test(self, X):
        super()._test(X)
        self.pvalue_ = 0.01


class PvaluesAboveOne(MeanTest):
    def _row_pvalues(self, X):
        return 2 * super()._row_pvalues(X)


class BatchPvalues(MeanTest):
    def _row_pvalues(self, X):
        rows = self.rows_ if X is None else X
        return 2 * stats.norm.sf(np.abs(rows[:, 0]) / (1.0 + rows[:, 0].std()))


class OtherSamples(MeanTest):
    _compares_samples = True

    def fit(self, X, y=None, *, groups=None):
        return self._run_fit(X, y, groups=groups)

    def _test(self, X, *, groups=None):
        super()._test(X[::-1] if groups is None else X)
        self.rows_ = X


def test_sound_test_passes():
    check_test(MeanTest())


def test_sound_test_of_samples_passes():
    check_test(OtherSamples())


@pytest.mark.parametrize(
    ("faulty", "check"),
    [
        (ManyPvalues, on_tests.check_pvalue),
        (AlwaysFinds, on_tests.check_level),
        (PvaluesAboveOne, on_tests.check_row_pvalues),
        (BatchPvalues, shared.check_batch_independence),
    ],
    ids=lambda value: value.__name__,
)
def test_check_of_tests_catches_its_fault(faulty, check):
    assert check in list(on_tests.statistical_checks(faulty()))
    with pytest.raises(AssertionError, match=check.__name__):
        check(seeded(faulty()))
