"""Count the scikit-learn estimator checks that fail, ours and the peers' that are installed, in one run.

python asv_bench/tables/checks.py
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

from tests.estimators import instances

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
    print(f"scikit-learn {sklearn.__version__}\n\n| estimator | checks | failed |\n|---|---|---|")
    total = failed_total = 0
    for ours, estimators in ((True, instances()), (False, peers())):
        for estimator in estimators:
            results = check_estimator(estimator, on_fail=None, on_skip=None)
            ran = [result for result in results if result["status"] != "skipped"]
            failed = sum(result["status"] == "failed" for result in ran)
            room = type(estimator).__module__.split(".")
            print(f"| {room[0]}.{room[1]} {type(estimator).__name__} | {len(ran)} | {failed} |", flush=True)
            if ours:
                total, failed_total = total + len(ran), failed_total + failed
        if ours:
            print(f"| **skanomaly, all** | **{total}** | **{failed_total}** |")


if __name__ == "__main__":
    main()
