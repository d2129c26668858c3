"""Write fitted-VERSION.xz: one fitted estimator of every class, pickled, with its answer.

    python tests/golden/make_fitted.py

Later versions must load it and answer alike (`tests/test_persistence.py`). Run it once, for a release.
"""

import lzma
import pickle
import sys
from pathlib import Path

import sklearn

HERE = Path(__file__).resolve().parent


def main():
    """Fit, pickle, compress."""
    sys.path.insert(0, str(HERE.parents[1]))
    import skanomaly
    from tests.test_persistence import answer, fitted, one_of_each

    stored = {}
    for estimator in one_of_each():
        model, X = fitted(estimator)
        stored[type(estimator).__name__] = pickle.dumps((model, X, answer(model, X)), protocol=5)
    versions = {"skanomaly": skanomaly.__version__, "scikit-learn": sklearn.__version__}
    command = "python tests/golden/make_fitted.py"
    text = pickle.dumps({"command": command, "versions": versions, "stored": stored}, protocol=5)
    (HERE / f"fitted-{skanomaly.__version__}.xz").write_bytes(lzma.compress(text, preset=9))


if __name__ == "__main__":
    main()
