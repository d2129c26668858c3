"""Write cardio_mixture.json: scikit-learn's variational mixture of PyOD's scores of the table cardio.

    python tests/golden/make_cardio_mixture.py

The table is ADBench's, from the folder ``tables`` of SKANOMALY_DATA. The published code, with its indexing error fixed,
has the posterior means .0167 and .0889 with these seeds.
"""

import importlib.metadata
import json
import os
import warnings
from pathlib import Path

import numpy as np
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.ocsvm import OCSVM
from sklearn.mixture import BayesianGaussianMixture

EXPECTED = {331: 0.0167, 431: 0.0889}


def main():
    """Fit the detectors and both mixtures."""
    warnings.simplefilter("ignore")
    data = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data"))
    with np.load(data / "tables" / "cardio.npz") as archive:
        X = archive["X"].astype(np.float64)
    columns = []
    for detector in (KNN(), IForest(random_state=0), LOF(), OCSVM(), HBOS()):
        detector.fit(X)
        scores = detector.decision_function(X)
        logs = np.log(scores - scores.min() + 0.01)
        columns.append((logs - logs.mean()) / logs.std())
    cases = []
    for seed, mean in EXPECTED.items():
        mixture = BayesianGaussianMixture(
            n_components=100, weight_concentration_prior=0.01, max_iter=1500, random_state=seed
        ).fit(np.column_stack(columns))
        concentrations = mixture.weight_concentration_[0]
        kept = concentrations >= 2  # the published rule: at least one soft row
        parameters = {
            "concentrations": concentrations[kept] + concentrations[~kept].sum() / kept.sum(),
            "means": mixture.means_[kept],
            "covariances": mixture.covariances_[kept],
            "mean_precisions": mixture.mean_precision_[kept],
            "dofs": mixture.degrees_of_freedom_[kept],
        }
        rounded = {name: np.vectorize(lambda x: float(f"{x:.7g}"))(value) for name, value in parameters.items()}
        cases.append({"seed": seed, "mean": mean, **{name: value.tolist() for name, value in rounded.items()}})
    versions = {name: importlib.metadata.version(name) for name in ("pyod", "scikit-learn", "numpy")}
    command = "python tests/golden/make_cardio_mixture.py"
    text = json.dumps({"command": command, "versions": versions, "cases": cases})
    Path(__file__).with_name("cardio_mixture.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
