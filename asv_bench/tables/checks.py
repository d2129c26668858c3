"""Count the scikit-learn estimator checks that fail, for skanomaly and for the other packages that are installed.

    python asv_bench/tables/checks.py

The declared failures (expected_failed_checks) are two checks of each series detector: the order of rows matters to
them. Detectors of collections and of event traces do not accept tables, so scikit-learn has no checks for them.
"""

import importlib
import sys
import warnings
from pathlib import Path

import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils.estimator_checks import check_estimator

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.estimators import EXPECTED_FAILURES, instances

PEERS = {
    "pyod.models": ["ecod.ECOD", "iforest.IForest", "knn.KNN", "loda.LODA", "lof.LOF", "mcd.MCD", "pca.PCA"],
    "imblearn.over_sampling": ["SMOTE", "ADASYN"],
    "pythresh.thresholds": ["iqr.IQR", "filter.FILTER"],
}


def peers():
    """Build the peers that are installed."""
    yield IsolationForest(n_estimators=10)
    yield LocalOutlierFactor(novelty=True)
    for package, paths in PEERS.items():
        for path in paths:
            *modules, name = path.split(".")
            try:
                module = importlib.import_module(".".join([package, *modules]))
            except ImportError:
                print(f"| {package}.{path} | not installed | |")
                continue
            yield getattr(module, name)()


def main():
    """Print the table."""
    warnings.simplefilter("ignore")
    print(f"Number of checks of scikit-learn {sklearn.__version__} per estimator and set of parameters.\n")
    print("| estimator | checks | declared | failed |\n|---|---|---|---|")
    totals = [0, 0, 0]
    for ours, estimators in ((True, instances()), (False, peers())):
        for estimator in estimators:
            name = type(estimator).__name__
            declared = EXPECTED_FAILURES.get(name, {}) if ours else {}
            results = check_estimator(estimator, on_fail=None, on_skip=None, expected_failed_checks=declared)
            states = [result["status"] for result in results if result["status"] != "skipped"]
            counts = [len(states), states.count("xfail"), states.count("failed")]
            module = type(estimator).__module__.split(".")
            print(f"| {module[0]}.{module[1]} {name} | " + " | ".join(map(str, counts)) + " |", flush=True)
            if ours:
                totals = [total + count for total, count in zip(totals, counts, strict=True)]
        if ours:
            print("| **skanomaly, all** | " + " | ".join(f"**{total}**" for total in totals) + " |")


if __name__ == "__main__":
    main()
