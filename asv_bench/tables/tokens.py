"""Compare detectors of sets of tokens on planted sets, with positions and without.

    python asv_bench/tables/tokens.py [--seeds 2] [--only NAME ...] [--cases CASE ...]

Data: the grids of ``make_patch_grids``, in order or not, with a novel or a misplaced block, and the sets of
``make_token_sets``, with a token of a foreign kind or two tokens that do not match. Figures are the mean areas under
the ROC curve of sets / tokens in per cent over the seeds from 0, and the CPU seconds to fit and to score.
Methods that learn attention need torch, and are left out without it.
"""

import argparse
import importlib.util
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _markdown import head, row
from sklearn.metrics import roc_auc_score

from skanomaly import datasets, embeddings
from skanomaly.embeddings import PatchNeighbors, PatchResidual, TokenReconstructor

CASES = {
    "novel": lambda seed: datasets.make_patch_grids(random_state=seed),
    "misplaced": lambda seed: datasets.make_patch_grids(anomalies="misplaced", random_state=seed),
    "misplaced, no order": lambda seed: datasets.make_patch_grids(
        anomalies="misplaced", aligned=False, random_state=seed
    ),
    "foreign": lambda seed: datasets.make_token_sets(random_state=seed),
    "unmatched": lambda seed: datasets.make_token_sets(anomalies="unmatched", random_state=seed),
}
ATTENTION = ("OtherTokens", "OwnPrototypes", "ReferenceSets", "MaskedMemory", "TwoMemories")


def methods(seed):
    """Return the detectors by name."""
    found = {
        "PatchResidual()": PatchResidual(),
        "PatchResidual(aligned=False)": PatchResidual(aligned=False, random_state=seed),
        "PatchNeighbors()": PatchNeighbors(),
        "ContextPrototypes()": TokenReconstructor(random_state=seed),
        "ContextPrototypes(), centred": TokenReconstructor(centering="median", random_state=seed),
        "PartnerMap()": TokenReconstructor(method=embeddings.PartnerMap(), random_state=seed),
    }
    if importlib.util.find_spec("torch"):
        for name in ATTENTION:
            found[f"{name}()"] = TokenReconstructor(method=getattr(embeddings, name)(), random_state=seed)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--cases", nargs="*", default=[*CASES], choices=[*CASES])
    arguments = parser.parse_args()
    head("method", *arguments.cases, "seconds")
    for name in methods(0):
        if arguments.only and name.partition("(")[0] not in arguments.only:
            continue
        cells, seconds = [], []
        for case in arguments.cases:
            areas = []
            for seed in range(arguments.seeds):
                train, test, labels, of_tokens = CASES[case](seed)
                detector = methods(seed)[name]
                start = time.process_time()
                detector.fit(train)
                tokens = detector.score_patches(test)
                seconds.append(time.process_time() - start)
                areas.append(
                    (
                        roc_auc_score(labels, detector.score_samples(test)),
                        roc_auc_score(of_tokens.ravel(), tokens.ravel()),
                    )
                )
            cells.append(" / ".join(f"{100 * value:.1f}" for value in np.mean(areas, axis=0)))
        row(name, *cells, f"{np.mean(seconds):.1f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
