"""Compare the networks with closed forms on public tables and embeddings, their engine with others, and contracts.

    python asv_bench/tables/networks.py quality [--data FOLDER] [--seeds 1] [--rows 800] [--kind tables] [--most 10]
        [--peers]
    python asv_bench/tables/networks.py speed
    python asv_bench/tables/networks.py contract

quality: 70 % of the normal rows train, the others and all anomalies are scored. Tables are standardised, embeddings are
taken as they are. Values are the mean area under the ROC curve in per cent, the wins over the distance to the nearest
whitened neighbour, and CPU seconds to fit and score. The folder holds ``tables/*.npz`` and ``embeddings/*.npz`` with
arrays ``X`` and ``y``; 1 is an anomaly.

speed: an autoencoder of three widths trained for 300 steps on the same rows by this package, by scikit-learn's
``MLPRegressor`` and, where it is installed, by torch on one thread.

contract: what the networks, and those of PyOD and DeepOD where they are installed with torch, keep of what scikit-learn
promises.
"""

import argparse
import contextlib
import functools
import importlib.util
import io
import os
import pickle
import sys
import time
import warnings
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _markdown import head, row
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from skanomaly import detectors, embeddings, sampling
from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._network import Layers, Network
from skanomaly._networks._training import Schedule, train
from skanomaly._support._blocks import single_blas_thread


def methods(seed):
    """Return the detectors by name."""
    kinds = {
        "principal components": detectors.PrincipalComponents(),
        "random features": detectors.RandomFeatures(),
        "dense": detectors.DenseCode(),
        "denoising": detectors.DenseCode(corruption="gaussian"),
        "variational": detectors.VariationalCode(),
        "context-encoding": detectors.VariationalCode(context_weight=0.5),
        "memory": detectors.MemoryCode(),
        "uncertainty": detectors.UncertaintyCode(),
        "constrained": detectors.ConstrainedCode(),
    }
    found = {
        "GaussianDetector": detectors.GaussianDetector(),
        "KrigingDetector": detectors.KrigingDetector(random_state=seed),
        "KrigingDetector, whitened": detectors.KrigingDetector(covariance="ledoit_wolf", random_state=seed),
        "nearest neighbour": detectors.NearestNeighborsDetector(metric="euclidean"),
        "nearest neighbour, whitened": detectors.NearestNeighborsDetector(),
    }
    for name, kind in kinds.items():
        found[f"Autoencoder, {name}"] = detectors.Autoencoder(kind=kind, random_state=seed)
    for statistic in ("reconstruction", "latent", "sum", "gradient"):
        found[f"Autoencoder, dense, {statistic}"] = detectors.Autoencoder(
            kind=detectors.DenseCode(), statistic=statistic, random_state=seed
        )
    for name, objective in {
        "SVDD": detectors.SVDD(),
        "soft boundary": detectors.SoftBoundary(),
        "projections": detectors.ProjectionOutlyingness(),
    }.items():
        found[f"OneClassNetwork, {name}"] = detectors.OneClassNetwork(objective=objective, random_state=seed)
    found["OneClassNetwork, mean-shifted"] = detectors.OneClassNetwork(
        objective=detectors.MeanShifted(), covariance=None, random_state=seed
    )
    return found


def split(path, n_rows, seed, *, table):
    """Return training rows, scored rows and their labels."""
    with np.load(path) as file:
        X, y = file["X"].astype(np.float64), file["y"].astype(int)
    random = np.random.default_rng([zlib.crc32(path.stem.encode()), seed])
    if len(X) > n_rows:
        kept = random.choice(len(X), n_rows, replace=False)
        rare = random.permutation(np.flatnonzero(y == 1))[: max(10, n_rows // 20)]
        kept = np.union1d(kept, rare)
        X, y = X[kept], y[kept]
    normal = random.permutation(np.flatnonzero(y == 0))
    cut = int(0.7 * len(normal))
    test = np.concatenate([normal[cut:], np.flatnonzero(y == 1)])
    train = X[normal[:cut]]
    if table:
        scaler = StandardScaler().fit(train)
        return scaler.transform(train), scaler.transform(X[test]), y[test]
    return train, X[test], y[test]


KINDS = {
    "tables": ("tables", "*.npz"),
    "resnet18": ("embeddings", "*resnet18.npz"),
    "vit": ("embeddings", "*vit.npz"),
}


def quality(arguments):
    """Print a line for each method and kind of data."""
    for folder, pattern in KINDS.values() if arguments.kind is None else [KINDS[arguments.kind]]:
        paths = sorted((arguments.data / folder).glob(pattern))[: arguments.most]
        values, seconds = {}, {}
        for path in paths:
            for seed in range(arguments.seeds):
                train, test, y = split(path, arguments.rows, seed, table=folder == "tables")
                if train.shape[1] > arguments.columns:
                    continue
                others = {name: make() for name, make in peers(train.shape[1]).items()} if arguments.peers else {}
                for name, detector in (methods(seed) | others).items():
                    if arguments.only and name not in arguments.only:
                        continue
                    start = time.process_time()
                    with contextlib.redirect_stdout(io.StringIO()):
                        detector.fit(train)
                        ours = name not in others
                        score = -detector.score_samples(test) if ours else detector.decision_function(test)
                    seconds.setdefault(name, []).append(time.process_time() - start)
                    values.setdefault(name, []).append(100 * roc_auc_score(y, score))
            print(f"\n{pattern} of {folder}, to {path.stem}, seeds {arguments.seeds}")
            base = np.array(values.get("nearest neighbour, whitened", [np.nan]))
            for method, areas in values.items():
                wins = int((np.array(areas) > base).sum())
                cells = f"{np.mean(areas):6.2f}  wins {wins} of {len(areas)}  {np.mean(seconds[method]):.3f} s"
                print(f"{method:40s} {cells}", flush=True)


def _ours(rows, hidden, batch, n_steps):
    random = np.random.default_rng(0)
    layers = {
        auto.ENCODER: Layers((rows.shape[1], hidden, 8)),
        auto.DECODER: Layers((8, hidden, rows.shape[1])),
    }
    network = Network(layers, random, np.float32)

    def objective(numbers, _):
        block = rows[numbers]
        return auto.reconstruct(network, block, block).loss

    with single_blas_thread():
        train(network, objective, np.arange(len(rows)), random, Schedule(n_steps, batch, 4e-3))
        outputs = network.forward(auto.DECODER, network.forward(auto.ENCODER, rows)[-1])[-1]
    return float(np.mean((outputs - rows) ** 2))


def _scikit_learn(rows, hidden, batch, n_steps):
    from sklearn.neural_network import MLPRegressor

    epochs = max(1, round(n_steps * batch / len(rows)))
    network = MLPRegressor(
        hidden_layer_sizes=(hidden, 8, hidden),
        batch_size=batch,
        max_iter=epochs,
        learning_rate_init=4e-3,
        n_iter_no_change=10**6,
        alpha=0.0,
        random_state=0,
    )
    with single_blas_thread():
        outputs = network.fit(rows, rows).predict(rows)
    return float(np.mean((outputs - rows) ** 2))


def _torch(rows, hidden, batch, n_steps):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    n_columns = rows.shape[1]
    network = torch.nn.Sequential(
        torch.nn.Linear(n_columns, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, 8),
        torch.nn.Linear(8, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, n_columns),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    data = torch.from_numpy(rows)
    for _ in range(n_steps):
        block = data[torch.randint(len(data), (batch,))]
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(block), block).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return float(torch.nn.functional.mse_loss(network(data), data))


def speed(arguments):
    """Print CPU seconds of three engines, each the smallest of five, taken in turn."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(1158, 21)) @ random.normal(size=(21, 21))
    rows = StandardScaler().fit_transform(rows).astype(np.float32)
    engines = {"skanomaly": _ours, "MLPRegressor": _scikit_learn}
    if importlib.util.find_spec("torch"):
        engines["torch"] = _torch
    for hidden, batch in ((32, 64), (64, 128), (256, 256)):
        seconds, errors = {name: [] for name in engines}, {}
        for _ in range(arguments.repeats):
            for name, engine in engines.items():
                start = time.process_time()
                errors[name] = engine(rows, hidden, batch, 300)
                seconds[name].append(time.process_time() - start)
        parts = [
            f"{name} {min(found):.3f} s (x {min(found) / min(seconds['skanomaly']):.1f}, error {errors[name]:.3f})"
            for name, found in seconds.items()
        ]
        print(f"hidden {hidden}, batch {batch}: " + "; ".join(parts), flush=True)


def contract_rows(make, scores=None, n_rows=300):  # noqa: C901  # one small function a check
    """Yield names and results of the checks of one detector."""
    random = np.random.default_rng(0)
    X, test = random.normal(size=(n_rows, 6)), random.normal(size=(40, 6))
    if scores is None:

        def scores(fitted, rows):
            return fitted.score_samples(rows)

    def attempt(check):
        try:
            return "yes" if check() else "no"
        except Exception as error:  # noqa: BLE001  # any failure is the result
            return type(error).__name__

    def untouched():
        before = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
        torch = sys.modules.get("torch")
        states = None if torch is None else (torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype())
        scores(make().fit(X), test)
        same = np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
        if states is None:
            return same
        return (
            same
            and torch.equal(states[0], torch.get_rng_state())
            and states[1:] == (torch.get_num_threads(), torch.get_default_dtype())
        )

    def alone():
        fitted = make().fit(X)
        together = scores(fitted, test)
        return all(np.array_equal(scores(fitted, test[i : i + 1]), together[i : i + 1]) for i in range(5))

    def restored():
        fitted = make().fit(X)
        return np.array_equal(scores(pickle.loads(pickle.dumps(fitted)), test), scores(fitted, test))  # noqa: S301

    def refused():
        broken = X.copy()
        broken[3, 2] = np.nan
        try:
            make().fit(broken)
        except ValueError:
            return True
        return False

    def stored():
        import skops.io

        fitted = make().fit(X)
        data = skops.io.dumps(fitted)
        again = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
        return np.array_equal(scores(again, test), scores(fitted, test))

    yield (
        "same seed, same bits",
        attempt(lambda: np.array_equal(scores(make().fit(X), test), scores(make().fit(X), test))),
    )
    refitted = make()
    yield (
        "refit, same bits",
        attempt(lambda: np.array_equal(scores(refitted.fit(X), test), scores(refitted.fit(X), test))),
    )
    yield "global generators untouched", attempt(untouched)
    yield "row alone = in a batch", attempt(alone)
    yield "pickle, same bits", attempt(restored)
    yield "five rows", attempt(lambda: np.isfinite(scores(make().fit(X[:5]), test)).all())
    yield "clone", attempt(lambda: clone(make()) is not None)
    yield "NaN raises", attempt(refused)
    yield "skops", attempt(stored)


def networks(max_iter):
    """Return functions that make each kind of network of the package, by name; those that need torch if it is there."""
    steps, maker = {"max_iter": max_iter}, sampling.AnomalySynthesizer(kind="swap")
    parts = {detectors.Autoencoder: {}, detectors.OneClassNetwork: {}}
    for name in [
        "AdversarialCode",
        "ConstrainedCode",
        "DenseCode",
        "MemoryCode",
        "PrincipalComponents",
        "RandomFeatures",
        "UncertaintyCode",
        "VariationalCode",
    ]:
        options = {} if name in {"PrincipalComponents", "RandomFeatures"} else steps
        parts[detectors.Autoencoder][name] = {"kind": getattr(detectors, name)(**options)}
    for name in ["SVDD", "SoftBoundary", "DeepSAD", "MeanShifted", "Margin", "ProjectionOutlyingness"]:
        parts[detectors.OneClassNetwork][name] = {"objective": getattr(detectors, name)(), **steps}
    heads = ["LogisticHead", "DensityHead", "OffsetHead", "ContrastiveHead", "HingeHead"]
    parts[sampling.SyntheticAnomalyDetector] = {
        name: {
            "head": getattr(sampling, name)(**steps),
            "synthesizer": None if name in {"OffsetHead", "HingeHead"} else maker,
        }
        for name in heads
    }
    parts[embeddings.DistillationDetector] = {
        f"NetworkStudent, {target}": {"student": embeddings.NetworkStudent(target=target, **steps), "n_views": 1}
        for target in ("columns", "random")
    }
    branch = embeddings.NetworkStudent(bottleneck=2, **steps)
    parts[embeddings.DistillationDetector]["NetworkStudent, branch"] = {"student": branch, "n_views": 1}
    parts[embeddings.TokenReconstructor] = {"ContextPrototypes": {}, "PartnerMap": {"method": "PartnerMap"}}
    if importlib.util.find_spec("torch"):
        attention = ["OtherTokens", "OwnPrototypes", "ReferenceSets", "MaskedMemory", "TwoMemories"]
        parts[embeddings.TokenReconstructor] |= {name: {"method": name} for name in attention}
    found = {}
    for kind, cases in parts.items():
        for name, given in cases.items():
            options = {"method": getattr(embeddings, given["method"])(**steps)} if "method" in given else given
            found[f"{kind.__name__}, {name}"] = functools.partial(kind, **options, random_state=0)
    return found


def _pyod(n_columns=6, **options):
    from pyod.models.alad import ALAD
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.deep_svdd import DeepSVDD
    from pyod.models.vae import VAE

    return {
        "AutoEncoder (PyOD)": lambda: AutoEncoder(verbose=0, random_state=0, **_epochs("epoch_num", options)),
        "VAE (PyOD)": lambda: VAE(verbose=0, random_state=0, **_epochs("epoch_num", options)),
        "DeepSVDD (PyOD)": lambda: DeepSVDD(n_columns, verbose=0, random_state=0, **options),
        "ALAD (PyOD)": lambda: ALAD(verbose=0, **options),
    }


def _epochs(name, options):
    return {name: options["epochs"]} if options else {}


def _deepod(n_columns=6, **options):  # noqa: ARG001  # as the other package
    from deepod.models.tabular import ICL, RCA

    return {
        "ICL (DeepOD)": lambda: ICL(verbose=0, random_state=0, device="cpu", **options),
        "RCA (DeepOD)": lambda: RCA(verbose=0, random_state=0, device="cpu", **options),
    }


def peers(n_columns=6, **options):
    """Return functions that make networks of other packages, where these are installed."""
    found = {}
    for make in (_pyod, _deepod):
        with contextlib.suppress(ImportError):
            found |= make(n_columns, **options)
    return found


def _negative_decision(fitted, rows):
    return np.asarray(fitted.decision_function(rows))


def contract(arguments):
    """Print a table of what each detector keeps."""
    found = {name: (make, None) for name, make in networks(60).items()}
    found |= {name: (make, _negative_decision) for name, make in peers(epochs=3).items()}
    titles = None
    for name, (make, scores) in found.items():
        if arguments.only and not any(part in name for part in arguments.only):
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            results = dict(contract_rows(make, scores))
        if titles is None:
            titles = list(results)
            head("network", *titles)
        row(name, *results.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["quality", "speed", "contract"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKANOMALY_DATA", "../shared/data")))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--columns", type=int, default=2000, help="tables with more are left out")
    parser.add_argument("--kind", choices=[*KINDS])
    parser.add_argument("--most", type=int, default=None)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--peers", action="store_true", help="also networks of PyOD and DeepOD, with their defaults")
    parser.add_argument("--repeats", type=int, default=5)
    warnings.simplefilter("ignore")
    given = parser.parse_args()
    {"quality": quality, "speed": speed, "contract": contract}[given.part](given)
