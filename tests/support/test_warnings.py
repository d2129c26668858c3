import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly._support._deprecation import warn_deprecated
from skanomaly._support._warnings import warn_user
from skanomaly.detectors import NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection import get_scorer, make_candidates
from skanomaly.sampling import SMOTE, BorderlineSMOTE
from skanomaly.sequence import RollingStatistic

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(40, 3))
Y01 = (np.arange(40) < 4).astype(int)

CALLS = {
    "RandomProjectionDepth.fit": lambda: RandomProjectionDepth(random_state=0).fit(X, Y01),
    "RandomProjectionDepth max": lambda: RandomProjectionDepth(aggregation="max", random_state=0).fit(X[:5]),
    "RandomProjectionDepth.partial_fit": lambda: RandomProjectionDepth(random_state=0).partial_fit(X, Y01),
    "NearestNeighborsDetector.fit": lambda: NearestNeighborsDetector().fit(X, Y01),
    "pipeline": lambda: make_pipeline(StandardScaler(), NearestNeighborsDetector()).fit(X, Y01),
    "SMOTE": lambda: SMOTE(k_neighbors=10).fit_resample(X, Y01),
    "BorderlineSMOTE": lambda: BorderlineSMOTE(k_neighbors=10).fit_resample(X, Y01),
    "RollingStatistic": lambda: RollingStatistic(window_size=39).fit(X),
    "roc_auc_score": lambda: roc_auc_score(np.ones(40), X[:, 0]),
    "make_candidates": lambda: make_candidates(IsolationForest(), {"contamination": [0.1]}),
    "scorer in a cross-validation": lambda: cross_val_score(
        IsolationForest(n_estimators=5), X, np.ones(40), scoring=get_scorer("roc_auc"), cv=2
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_warning_points_at_the_line_of_the_user(call):
    with pytest.warns(UserWarning, match=" ") as caught:
        call()
    assert {warning.filename for warning in caught} == {__file__}


def test_line_is_that_of_the_call():
    with pytest.warns(UserWarning, match="text") as caught:
        warn_user("text")
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[caught[0].lineno - 1]
    assert 'warn_user("text")' in line


def test_category_is_kept():
    with pytest.warns(FutureWarning, match="use `new`") as caught:
        warn_deprecated("`old`", since="0.2", removal="0.4", instead="use `new`")
    assert caught[0].filename == __file__


def test_error_filter_raises():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="text"):
            warn_user("text")


@pytest.mark.parametrize(
    ("action", "expected"), [("default", 2), ("once", 1), ("module", 1), ("always", 4), ("ignore", 0)]
)
def test_filters_count_by_the_line_of_the_user(action, expected):
    globals().pop("__warningregistry__", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        for _ in range(2):
            warn_user("the same text")
            warn_user("the same text")
    globals().pop("__warningregistry__", None)
    assert len(caught) == expected


def test_filter_by_module_finds_the_user():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", module=__name__.replace(".", r"\."))
        NearestNeighborsDetector().fit(X, Y01)
    assert len(caught) == 1


def test_thread_without_a_line_of_the_user_warns_all_the_same():
    thread = threading.Thread(target=warn_user, args=("from a thread",))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread.start()
        thread.join()
    assert [str(warning.message) for warning in caught] == ["from a thread"]
