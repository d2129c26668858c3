import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.detectors import RandomProjectionDepth
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection import DetectorSearch, ScoreEnsemble
from skanomaly.model_selection._ensemble import default_detectors
from tests.model_selection.toys import BothSigns, Column, Nameless, PyODLike

COLUMNS = [Column(0), Column(1), Column(2)]


@pytest.fixture
def rows(seed):
    return np.random.default_rng(seed).normal(size=(90, 3))


def test_rank_is_the_mean_fraction_of_training_rows_below(rows):
    expected = np.mean([rankdata(column) / 91 for column in rows.T], axis=0)
    np.testing.assert_allclose(ScoreEnsemble(COLUMNS, aggregation="rank").fit(rows).score_samples(rows), -expected)


def test_top_ranks_are_the_mean_of_the_highest(rows):
    ranks = np.sort([rankdata(column) / 91 for column in rows.T], axis=0)
    scores = ScoreEnsemble(COLUMNS, n_top=2).fit(rows).score_samples(rows)
    np.testing.assert_allclose(scores, -ranks[1:].mean(axis=0))


def test_probability_integral_is_the_mean_log_tail(rows):
    tails = np.mean([-np.log(1 - rankdata(column) / 91) for column in rows.T], axis=0)
    scores = ScoreEnsemble(COLUMNS, aggregation="probability_integral").fit(rows).score_samples(rows)
    np.testing.assert_allclose(scores, -tails)


def test_robust_z_is_in_median_absolute_deviations(rows):
    center = np.median(rows, axis=0)
    mad = np.median(np.abs(rows - center), axis=0)
    scores = ScoreEnsemble(COLUMNS, aggregation="robust_z").fit(rows).score_samples(rows)
    np.testing.assert_allclose(scores, -((rows - center) / mad).mean(axis=1))


@pytest.mark.parametrize("aggregation", ["rank", "top_ranks", "probability_integral"])
def test_monotone_change_of_a_detectors_scores_changes_nothing(rows, aggregation):
    positive = rows - rows.min() + 1.0
    plain = ScoreEnsemble([Column(0), Column(1)], aggregation=aggregation).fit(positive).score_samples(positive)
    cubed = (
        ScoreEnsemble([Column(0, power=3), Column(1)], aggregation=aggregation).fit(positive).score_samples(positive)
    )
    np.testing.assert_allclose(cubed, plain)


@pytest.mark.parametrize("aggregation", ["rank", "top_ranks", "probability_integral", "robust_z"])
def test_rows_beyond_the_training_rows_keep_their_order(rows, aggregation):
    ensemble = ScoreEnsemble(COLUMNS, aggregation=aggregation).fit(rows)
    farther = rows.max() + np.linspace(0.1, 3.0, 6)
    scores = ensemble.score_samples(np.column_stack([farther] * 3))
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize("aggregation", ["rank", "top_ranks", "probability_integral", "robust_z"])
def test_score_does_not_depend_on_the_batch(rows, aggregation):
    ensemble = ScoreEnsemble([IsolationForest(random_state=0), PyODLike()], aggregation=aggregation).fit(rows)
    alone = np.concatenate([ensemble.score_samples(row[None]) for row in rows])
    np.testing.assert_allclose(alone, ensemble.score_samples(rows), rtol=1e-9)


def test_detectors_of_all_libraries_are_combined(seed):
    X, y = make_shifted_anomalies(n_samples=300, n_shifted_features=4, random_state=seed)
    detectors = [
        IsolationForest(random_state=0),
        make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
        RandomProjectionDepth(random_state=0),
        PyODLike(),
    ]
    for aggregation in ("rank", "top_ranks", "probability_integral", "robust_z"):
        ensemble = ScoreEnsemble(detectors, aggregation=aggregation, random_state=0).fit(X)
        assert roc_auc_score(y, ensemble.score_samples(X)) > 0.9


@pytest.mark.parametrize("stranger", [Nameless(), BothSigns(), LocalOutlierFactor()])
def test_unknown_sign_raises_and_leaves_nothing(rows, stranger):
    ensemble = ScoreEnsemble([PyODLike(), stranger])
    with pytest.raises(TypeError, match=r"sign of (its|the) scores"):
        ensemble.fit(rows)
    assert not hasattr(ensemble, "offset_")


def test_detectors_that_disagree_are_dropped(rows):
    shared = rows[:, :1] + 0.1 * rows
    X = np.column_stack([shared, -rows[:, 0]])
    ensemble = ScoreEnsemble([Column(i) for i in range(4)], min_agreement=0.2).fit(X)
    assert ensemble.kept_.tolist() == [0, 1, 2]
    assert ensemble.agreement_[3] < 0
    assert len(ensemble.detectors_) == 3


def test_two_detectors_are_always_kept(rows):
    X = np.column_stack([rows[:, 0], -rows[:, 0], rows[:, 1]])
    assert ScoreEnsemble(COLUMNS, min_agreement=0.9).fit(X).kept_.size == 2


def test_single_detector_has_no_agreement(rows):
    ensemble = ScoreEnsemble([Column()], n_top=5).fit(rows)
    assert np.isnan(ensemble.agreement_).all()
    np.testing.assert_array_equal(np.argsort(ensemble.score_samples(rows)), np.argsort(-rows[:, 0]))


def test_constant_detector_changes_no_order(rows):
    ensemble = ScoreEnsemble([Column(0), Column(constant=True)], aggregation="rank").fit(rows)
    np.testing.assert_array_equal(np.argsort(ensemble.score_samples(rows)), np.argsort(-rows[:, 0]))
    assert np.isfinite(
        ScoreEnsemble([Column(constant=True)], aggregation="robust_z").fit(rows).score_samples(rows)
    ).all()


def test_labels_reach_detectors():
    class Remember(Column):
        def fit(self, X, y=None):
            self.y_ = y
            return super().fit(X)

    y = np.repeat([1, -1, 0], 10)
    X = np.random.default_rng(0).normal(size=(30, 1))
    np.testing.assert_array_equal(ScoreEnsemble([Remember()]).fit(X, y).detectors_[0].y_, y)
    assert ScoreEnsemble([Remember()]).fit(X).detectors_[0].y_ is None


def test_scores_that_are_not_finite_raise(rows):
    with pytest.raises(ValueError, match=r"detector \[1\]"), np.errstate(invalid="ignore"):
        ScoreEnsemble([Column(), Column(power=0.5)]).fit(rows)


@pytest.mark.parametrize("model", [ScoreEnsemble(random_state=0), DetectorSearch(random_state=0)])
def test_default_detectors_work(model, seed):
    X, y = make_shifted_anomalies(n_samples=200, n_shifted_features=5, random_state=seed)
    assert roc_auc_score(y, model.fit(X).score_samples(X)) > 0.9


def test_default_detectors_of_many_rows_cost_no_kernel_matrix():
    assert len(default_detectors(5000)) == 4
    assert len(default_detectors(5001)) == 3


def test_no_detector_raises(rows):
    with pytest.raises(ValueError, match="detectors is empty"):
        ScoreEnsemble([]).fit(rows)


def test_pyod_detectors_are_combined(rows):
    knn = pytest.importorskip("pyod.models.knn")
    ensemble = ScoreEnsemble([knn.KNN(), IsolationForest(random_state=0)], aggregation="rank").fit(rows)
    far = np.full((1, 3), 30.0)
    assert ensemble.predict(far) == -1


@pytest.mark.parametrize("model", [ScoreEnsemble, DetectorSearch])
def test_a_pair_in_place_of_a_list_raises_with_the_form_to_use(rows, model):
    with pytest.raises(TypeError, match="give a list of detectors, such as"):
        model(("named", Column())).fit(rows)


@pytest.mark.parametrize("model", [ScoreEnsemble, DetectorSearch])
def test_named_detectors_have_nested_parameters(rows, model):
    named = model([("one", IsolationForest(n_estimators=3, random_state=0)), ("two", Column())])
    named.set_params(one__n_estimators=5).fit(rows)
    assert named.get_params()["one__n_estimators"] == 5
