"""One frame, every reader: a column is of the same kind to every class, in whatever type and container it comes."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly._cli._prepare import prepare
from skanomaly._cli._read import Table
from skanomaly.audit import ColumnDriftTest, DomainClassifierTest, KNNDriftTest, KNNTwoSampleTest, MissingnessTest
from skanomaly.datasets import make_shifted_anomalies
from skanomaly.detectors import MarginalDetector, NearestNeighborsDetector
from skanomaly.generation import MixtureDenoiser, interpolation_score
from skanomaly.impute import KNNSamplerImputer
from skanomaly.inspection import LimeExplainer, PermutationExplainer
from skanomaly.model_selection import DetectorSearch, get_scorer
from skanomaly.sampling import SMOTENC

N_ROWS = 60


def _frame(seed):
    """A column "a" of few whole numbers, and "b" with missing values."""
    random = np.random.default_rng(seed)
    values = random.integers(0, 5, N_ROWS).astype(float)
    other = values + random.normal(size=N_ROWS)
    other[random.permutation(N_ROWS)[:12]] = np.nan
    return pd.DataFrame({"a": values, "b": other})


def _object(values):
    return pd.Series(list(values), dtype=object)


NUMBERS = {
    "object": _object,
    "object of integers and floats": lambda a: _object([int(x) if i % 2 else x for i, x in enumerate(a)]),
    "int8": lambda a: a.astype("int8"),
    "nullable": lambda a: a.astype("Int64"),
    "arrow": lambda a: a.astype("int64[pyarrow]"),
    "sparse": lambda a: a.astype(pd.SparseDtype(float, 0.0)),
}
BOOLEANS = {
    "bool": lambda a: a.astype(bool),
    "object of booleans": lambda a: _object(a.astype(bool)),
    "boolean": lambda a: a.astype("boolean"),
    "bool[pyarrow]": lambda a: a.astype(bool).astype("bool[pyarrow]"),
}
TEXTS = {
    "object": lambda a: a.astype(object),
    "string": lambda a: a.astype("string"),
    "string[pyarrow]": lambda a: a.astype(pd.ArrowDtype(pa.string())),
    "category": lambda a: a.astype("category"),
}
CONTAINERS = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}


def _complete(frame):
    """Drop the missing values, for classes that take none."""
    for library in ("polars", "pyarrow"):
        if type(frame).__module__.startswith(library):
            return CONTAINERS["polars" if library == "polars" else "arrow"](_complete(frame.to_pandas()))
    return frame.fillna({"b": 0.0})


def _gower(frame):
    return KNNDriftTest(metric="gower", random_state=0).fit(frame).sample_scores_


def _domain(frame):
    return DomainClassifierTest(cv=2, random_state=0).fit(frame).sample_scores_


def _missingness(frame):
    return MissingnessTest(n_permutations=9, random_state=0).fit(frame).column_statistics_


def _columns(frame):
    return ColumnDriftTest(n_permutations=9, n_resamples=1, random_state=0).fit(frame).results_["effect"]


def _marginal(frame):
    return MarginalDetector().fit(frame).score_samples(frame)


def _denoiser(frame):
    frame = _complete(frame)
    return MixtureDenoiser(random_state=0).fit(frame).score_samples(frame)


def _interpolation(frame):
    frame = _complete(frame)
    return interpolation_score(frame[:20], frame)


def _mass_volume(frame):
    frame = _complete(frame)
    return get_scorer("mass_volume", random_state=0)(NearestNeighborsDetector().fit(frame), frame)


def _impute(frame):
    filled = KNNSamplerImputer(n_neighbors=20, random_state=0).fit_transform(frame)
    return np.asarray(filled["b"] if hasattr(filled, "schema") or hasattr(filled, "columns") else filled[:, 1], float)


def _detector(frame):
    frame = _complete(frame)
    return NearestNeighborsDetector().fit(frame).score_samples(frame)


def _smotenc(frame):
    labels = np.where(np.arange(N_ROWS) < 15, -1, 1)
    resampled, _ = SMOTENC(random_state=0).fit_resample(_complete(_with_constant(frame)), labels)
    return np.asarray(resampled["b"], dtype=float)


def _with_constant(frame):
    """Add a column of one category: SMOTENC wants one."""
    if isinstance(frame, pl.DataFrame):
        return frame.with_columns(pl.lit("k").alias("k"))
    if isinstance(frame, pa.Table):
        return frame.append_column("k", pa.array(["k"] * len(frame)))
    return frame.assign(k="k")


def _lime(frame):
    frame = _complete(frame)
    detector = NearestNeighborsDetector().fit(frame)
    return LimeExplainer(background=frame, n_samples=20, random_state=0).explain(detector, frame[:2]).contributions


def _permutation(frame):
    def score(rows):
        assert type(rows) is type(frame)
        return -np.abs(np.asarray(rows["b"], dtype=float) - np.asarray(rows["a"], dtype=float))

    frame = _complete(frame)
    return PermutationExplainer(background=frame, random_state=0).explain(score, frame[:2]).contributions


def _scan(frame):
    return prepare(Table("table", frame)).filled


def _readers(*readers):
    return [pytest.param(reader, id=reader.__name__.strip("_")) for reader in readers]


WITH_CATEGORIES = _readers(_gower, _missingness, _impute, _smotenc, _columns, _marginal, _denoiser)
NUMBERS_ONLY = _readers(_detector, _lime, _interpolation, _mass_volume)
ALL = [*WITH_CATEGORIES, *NUMBERS_ONLY, *_readers(_permutation)]


@pytest.mark.parametrize("reader", [*ALL, *_readers(_scan)])
@pytest.mark.parametrize("form", NUMBERS)
def test_numbers_of_every_type_are_numbers(reader, form, seed):
    frame = _frame(seed)
    changed = frame.assign(a=NUMBERS[form](frame["a"]))
    assert_array_equal(reader(changed), reader(frame))


@pytest.mark.parametrize("reader", [*ALL, *_readers(_scan)])
@pytest.mark.parametrize("form", BOOLEANS)
def test_booleans_are_numbers(reader, form, seed):
    frame = _frame(seed)
    frame["a"] = (frame["a"] > 2).astype(float)
    assert_array_equal(reader(frame.assign(a=BOOLEANS[form](frame["a"]))), reader(frame))


@pytest.mark.parametrize("reader", ALL)
@pytest.mark.parametrize("container", ["polars", "arrow"])
def test_container_makes_no_difference_to_numbers(reader, container, seed):
    if (reader, container) == (_permutation, "arrow"):
        pytest.skip("a column of an Arrow table is indexed in another way than the scoring function does")
    frame = _frame(seed)
    assert_array_equal(reader(CONTAINERS[container](frame)), reader(frame))


@pytest.mark.parametrize("reader", WITH_CATEGORIES)
@pytest.mark.parametrize("form", TEXTS)
def test_text_that_holds_numbers_is_a_category(reader, form, seed):
    frame = _frame(seed)
    texts = frame["a"].astype(str)
    numbers, words = (reader(frame.assign(a=TEXTS[form](column))) for column in (texts, "is " + texts))
    assert_array_equal(numbers, words)
    assert not np.array_equal(numbers, reader(frame))


@pytest.mark.parametrize("reader", WITH_CATEGORIES)
@pytest.mark.parametrize("container", ["polars", "arrow"])
def test_container_makes_no_difference_to_a_mixed_table(reader, container, seed):
    frame = _frame(seed).assign(c=np.random.default_rng(seed).choice(["x", "y", "z"], N_ROWS))
    frame["flag"] = frame["a"] > 2
    assert_array_equal(reader(CONTAINERS[container](frame)), reader(frame))


@pytest.mark.parametrize("reader", NUMBERS_ONLY)
@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_text_where_numbers_are_needed_is_named(reader, form, container, seed):
    frame = _frame(seed)
    frame["a"] = TEXTS[form](frame["a"].astype(str))
    with pytest.raises(ValueError, match="Not numbers: column 'a'"):
        reader(CONTAINERS[container](frame))


@pytest.mark.parametrize("reader", [*WITH_CATEGORIES, *NUMBERS_ONLY])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("as_object", [False, True])
def test_dates_are_named(reader, container, as_object, seed):
    frame = _frame(seed)
    frame["a"] = pd.date_range("2026-01-01", periods=N_ROWS)
    if as_object:
        frame["a"] = frame["a"].astype(object)
    with pytest.raises(ValueError, match="Dates or durations: column 'a'"):
        reader(CONTAINERS[container](frame))


@pytest.mark.parametrize("as_object", [False, True])
def test_dates_are_left_out_of_a_scan(as_object, seed):
    frame = _frame(seed)
    frame["when"] = pd.Series(pd.date_range("2026-01-01", periods=N_ROWS), dtype=object if as_object else None)
    notes = prepare(Table("table", frame)).notes
    assert ("dates or times", ["when"]) in [(note.finding, note.columns) for note in notes]


@pytest.mark.parametrize("reader", _readers(_gower, _missingness, _impute))
@pytest.mark.parametrize("marker", [None, pd.NA, float("nan"), pd.NaT], ids=["None", "NA", "NaN", "NaT"])
def test_missing_markers_are_the_same(reader, marker, seed):
    frame = _frame(seed)
    marked = frame.astype(object).where(frame.notna(), marker)
    assert_array_equal(reader(marked), reader(frame))


FITTED = {
    "gower": KNNDriftTest(metric="gower", random_state=0),
    "missingness": MissingnessTest(n_permutations=9, random_state=0),
    "impute": KNNSamplerImputer(n_neighbors=3, random_state=0),
    "detector": NearestNeighborsDetector(),
}


def _use(estimator, frame):
    return np.asarray((getattr(estimator, "score_samples", None) or estimator.transform)(frame))


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("form", NUMBERS)
def test_type_may_change_between_fit_and_use(name, form, seed):
    frame = _complete(_frame(seed)) if name == "detector" else _frame(seed)
    changed = frame.assign(a=NUMBERS[form](frame["a"]))
    expected = _use(FITTED[name].fit(frame), frame)
    assert_array_equal(_use(FITTED[name].fit(frame), changed), expected)
    assert_array_equal(_use(FITTED[name].fit(changed), frame), expected)


@pytest.mark.parametrize("name", ["gower", "missingness", "impute"])
def test_kind_that_changes_between_fit_and_use_is_named(name, seed):
    frame = _frame(seed)
    text = frame.assign(a=frame["a"].astype(str))
    for first, second in ((frame, text), (text, frame)):
        with pytest.raises(ValueError, match=r"Column 'a' holds (text|numbers)"):
            _use(FITTED[name].fit(first), second)


@pytest.mark.parametrize("test", [KNNTwoSampleTest(metric="gower"), KNNTwoSampleTest(), DomainClassifierTest()])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("form", ["numbers", "categories"])
def test_samples_of_other_kinds_are_named(test, container, form):
    codes = pd.DataFrame({"code": np.tile([1, 2, 3], 20)})
    texts = codes.astype(str)
    if form == "categories":
        codes, texts = codes.astype("category"), texts.astype("category")
    with pytest.raises(ValueError, match="Column 'code'"):
        test.fit_samples(CONTAINERS[container](codes), CONTAINERS[container](texts))


def test_text_names_the_metric_that_takes_it(seed):
    frame = _frame(seed).assign(a="x")
    with pytest.raises(ValueError, match="metric='gower'"):
        KNNTwoSampleTest().fit_samples(frame, frame)


def test_domain_classifier_reads_types_and_containers_alike(seed):
    frame = _frame(seed).assign(c=np.random.default_rng(seed).choice(["x", "y", "z"], N_ROWS))
    expected = _domain(frame)
    changed = frame.assign(a=NUMBERS["object"](frame["a"]), c=frame["c"].astype("string"))
    for table in (changed, CONTAINERS["polars"](frame), CONTAINERS["arrow"](frame)):
        assert_array_equal(_domain(table), expected)


@pytest.mark.parametrize("criterion", ["roc_auc", "stability", "consensus"])
def test_candidates_that_encode_text_receive_frames(criterion, seed):
    X, y = make_shifted_anomalies(n_samples=300, n_features=3, contamination=0.1, random_state=seed)
    frame = pd.DataFrame(X, columns=list("abc")).assign(kind=np.where(y == -1, "x", "y"))
    encode = make_column_transformer((OneHotEncoder(sparse_output=False), ["kind"]), remainder="passthrough")
    detectors = [IsolationForest(random_state=0), NearestNeighborsDetector()]
    candidates = [make_pipeline(encode, detector) for detector in detectors]
    search = DetectorSearch(candidates, criterion=criterion, random_state=0).fit(frame, y)
    assert np.isfinite(search.score_samples(frame)).all()
    with pytest.raises(ValueError, match="Not numbers: column 'kind'"):
        DetectorSearch(detectors[1:], random_state=0).fit(frame)
