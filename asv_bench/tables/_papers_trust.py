"""The experiments of ``papers.py`` on what models leak, learn wrongly and are fed."""

import copy
import time

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import PolynomialFeatures
from sklearn.tree import DecisionTreeClassifier

from skanomaly import audit, detectors, generation, model_selection, robust
from skanomaly.datasets import make_fraud_stream


def membership():
    """Seed 0: 1,200 rows of 4 classes with 10 % random labels, 32 shadow models each; the network also with queries."""
    X, y = make_classification(1200, 20, n_informative=8, n_classes=4, flip_y=0.1, random_state=0)
    models = {
        "forest": RandomForestClassifier(),
        "network": MLPClassifier((64, 64), max_iter=150),
        "tree of depth 4": DecisionTreeClassifier(max_depth=4),
        "logistic regression": LogisticRegression(max_iter=1000),
    }
    parts = []
    for name, model in models.items():
        found = audit.MembershipAudit(model, random_state=0).fit(X, y)
        members, loss = found.member_mask_, found.shadow_confidence_
        by_loss = roc_auc_score(members.ravel(), loss.ravel())
        at_loss = (loss[members] > np.quantile(loss[~members], 0.99)).mean()
        rates = 100 * found.audit_curve_["true_positive_rate"]
        parts.append(
            f"{name}: AUC {found.auc_:.3f} and {rates[1]:.0f} % of the members at 1 % false positives "
            f"({by_loss:.3f} and {100 * at_loss:.0f} % by the loss alone)"
        )
    for mode, queries in (("offline", None), ("online", "gaussian"), ("online", "canary")):
        found = audit.MembershipAudit(models["network"], mode=mode, queries=queries, random_state=0).fit(X, y)
        rate = 100 * found.audit_curve_["true_positive_rate"][1]
        parts.append(f"network {queries or mode}: {found.auc_:.3f} and {rate:.0f} %")
    return "; ".join(parts)


def shadow_fits():
    """Seed 0: processor seconds of the audit of a forest on 1,200 rows, and of 32 plain fits on halves of them, in turn."""
    X, y = make_classification(1200, 20, n_informative=8, n_classes=4, random_state=0)
    ratios = []
    for seed in range(3):
        start = time.process_time()
        for fit in range(32):
            rows = np.random.default_rng(fit).permutation(1200)[:600]
            RandomForestClassifier(random_state=fit).fit(X[rows], y[rows]).predict_proba(X)
        plain = time.process_time() - start
        start = time.process_time()
        audit.MembershipAudit(RandomForestClassifier(), random_state=seed).fit(X, y)
        ratios.append((time.process_time() - start) / plain)
    return f"32 shadow forests take {np.median(ratios):.2f} times as long as 32 plain fits with predictions"


def spurious():
    """Seeds 0 to 19: a cause that is right for 80 %, a shortcut for 95 % of the training rows and 50 % of the others."""
    methods = {
        "balanced weights": robust.GroupWeights(),
        "a subsample": robust.GroupWeights(balance="subsample"),
        "training twice": robust.TrainTwice(),
        "the last layer": robust.LastLayer(PolynomialFeatures(2)),
    }
    first, plain, worst = 0, [], {name: [] for name in methods}
    for seed in range(20):
        random = np.random.default_rng(seed)
        y = random.integers(2, size=6000)
        right = np.column_stack([np.full(6000, 0.8), np.repeat([0.95, 0.5], 3000)])
        columns = np.where(random.random((6000, 2)) < right, y[:, None], 1 - y[:, None])
        X = np.column_stack([columns, np.zeros((6000, 8))]) + 0.2 * random.normal(size=(6000, 10))
        site, group = np.repeat([0, 1], 3000), columns[:, 1]
        found = audit.SpuriousAudit().fit(X, y, groups=site)
        first += bool(found.spurious_features_[0] == 1)
        train, new = slice(0, 3000), slice(3000, None)
        models = {
            name: robust.GroupBalancedClassifier(LogisticRegression(), method=method, random_state=seed)
            for name, method in methods.items()
        }

        def of_worst(model, new=new, y=y, X=X, group=group):
            return 100 * audit.worst_group_report(y[new], model.predict(X[new]), group[new])["accuracy"][0]

        plain.append(of_worst(LogisticRegression().fit(X[train], y[train])))
        for name, model in models.items():
            worst[name].append(of_worst(model.fit(X[train], y[train], groups=group[train])))
    parts = ", ".join(f"{np.mean(values):.0f} % with {name}" for name, values in worst.items())
    return (
        f"the shortcut comes first in {first} of 20 tables; accuracy of the worst group {np.mean(plain):.0f} %, {parts}"
    )


def list_regression():
    """Seeds 0 to 4: 15, 25 or 40 % of the batches follow one model; the others a mixture, noise or its negative."""
    ratios, errors, lengths = [], [], []
    settings = ((0.4, 200, 8, 10), (0.25, 400, 12, 10), (0.15, 800, 20, 10), (0.25, 600, 10, 40))
    for fraction, n_batches, size, n_columns in settings:
        for adversary in ("mixture", "noise", "flip"):
            for seed in range(5):
                random = np.random.default_rng(seed)
                n_good = int(np.ceil(fraction * n_batches))
                models = random.normal(size=(1 + int(1 / fraction), n_columns))
                models *= 2 / np.linalg.norm(models, axis=1, keepdims=True)
                X = random.normal(size=(n_batches, size, n_columns))
                which = np.where(np.arange(n_batches) < n_good, 0, random.integers(1, len(models), size=n_batches))
                y = np.einsum("bnd,bd->bn", X, models[which])
                if adversary == "noise":
                    y[n_good:] = 2 * random.normal(size=y[n_good:].shape)
                elif adversary == "flip":
                    y[n_good:] = -X[n_good:] @ models[0]
                y += 0.3 * random.normal(size=y.shape)
                rows, targets = X.reshape(-1, n_columns), y.ravel()
                oracle = np.linalg.lstsq(rows[: n_good * size], targets[: n_good * size], rcond=None)[0]
                plain = np.linalg.lstsq(rows, targets, rcond=None)[0]
                found = robust.BatchListRegressor(clean_fraction=fraction, random_state=0)
                found.fit(rows, targets, groups=np.repeat(np.arange(n_batches), size))
                best = np.linalg.norm(found.coefs_ - models[0], axis=1).min()
                ratios.append(best / np.linalg.norm(oracle - models[0]))
                errors.append((best, np.linalg.norm(plain - models[0])))
                lengths.append(len(found.coefs_))
    best, plain = np.max([one for one, _ in errors]), np.min([other for _, other in errors])
    return f"the error of the best in the list is at most {np.max(ratios):.2f} times that of the oracle (at most {best:.2f}; least squares at least {plain:.1f}), with {min(lengths)} to {max(lengths)} elements"


def stream_poisoning():
    """Seeds 0 to 4: 160 clean batches of 100 rows, then 40 in which half of the rows are moved against their label."""
    found = {"clean": [], "alarm": [], "reject": [], "downweight": []}
    alarms, ratios, areas, rows = [], [], [], []
    for seed in range(5):
        X, y = make_classification(24000, 20, n_informative=10, class_sep=1.5, random_state=seed)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        for action, accuracies in found.items():
            learner = SGDClassifier(loss="log_loss", alpha=1e-3, learning_rate="constant", eta0=0.01, random_state=seed)
            guard = robust.StreamGuard(learner, action="alarm" if action == "clean" else action)
            for batch in range(200):
                part = slice(100 * batch, 100 * (batch + 1))
                given, labels = X[part].copy(), y[part]
                if batch >= 160 and action != "clean":
                    given[:50] -= 0.6 * np.where(labels[:50] == 1, 1, -1)[:, None] * np.sign(guard.estimator_.coef_)
                if batch == 160:
                    earlier = copy.deepcopy(guard.estimator_)
                if batch == 180 and action == "alarm":
                    now, before = (one.predict_proba(given) for one in (guard.estimator_, earlier))
                    rows.append(roc_auc_score(np.arange(100) < 50, robust.memorization_discrepancy(now, before)))
                guard.partial_fit(given, labels, classes=[0, 1])
            accuracies.append(100 * guard.score(X[20000:], y[20000:]))
            if action == "alarm":
                values, raised = (np.array(guard.history_[name]) for name in ("discrepancy", "alarm"))
                alarms.append((raised[:160].sum(), raised[160:].sum(), np.flatnonzero(raised[160:])[0] + 1))
                ratios.append(values[165:].mean() / values[120:160].mean())
                areas.append(roc_auc_score(np.arange(75) >= 40, np.r_[values[120:160], values[165:]]))
    clean, plain, reject, down = (np.mean(values) for values in found.values())
    false, true, first = np.mean(alarms, axis=0)
    return (
        f"the discrepancy of poisoned batches is {np.mean(ratios):.0f} times as large (AUC {np.mean(areas):.2f} for batches, {np.mean(rows):.2f} for rows); "
        f"{false:.1f} alarms in 160 clean batches and {true:.0f} in 40 poisoned ones, the first after {first:.0f}; accuracy {clean:.0f} % without "
        f"poison, {plain:.0f} % with it, {reject:.0f} % where alarms reject and {down:.0f} % where they weigh down"
    )


def train_on_steps(epsilon, seed, penalty=0.0):
    """Train a network of 128 units on digits after one step of a length; return the figures of new rows in %."""
    X, y = load_digits(return_X_y=True)
    rows, new, labels, truth = train_test_split(X / 16, y, test_size=0.4, random_state=seed)
    random = np.random.default_rng(seed)
    model = MLPClassifier((128,), random_state=seed).partial_fit(rows, labels, classes=np.arange(10))
    for _ in range(30):
        order = random.permutation(len(rows))
        for start in range(0, len(rows), 64):
            part = order[start : start + 64]
            step = audit.abnormal_adversarial_report(model, rows[part], labels[part], epsilon=epsilon)
            given, wanted, options = step.adversarial_rows, labels[part], {}
            bad = step.abnormal_mask
            if penalty and bad.any():
                # Their decrease of the loss, as rows of positive and of negative weight.
                given = np.vstack([given, rows[part][bad], given[bad]])
                wanted = np.r_[wanted, wanted[bad], wanted[bad]]
                weight = np.full(bad.sum(), penalty)
                options = {"sample_weight": np.r_[np.ones(len(part)), weight, -weight]}
            model.partial_fit(given, wanted, **options)
    one = audit.abnormal_adversarial_report(model, new, truth, epsilon=epsilon)
    moved = new.copy()
    for _ in range(10):
        step = audit.abnormal_adversarial_report(model, moved, truth, epsilon=epsilon / 4)
        moved = np.clip(step.adversarial_rows, new - epsilon, new + epsilon)
    accuracies = [model.score(found, truth) for found in (new, one.adversarial_rows, moved)]
    return [100 * one.fraction, *(100 * accuracy for accuracy in accuracies)]


def one_step_training():
    """Seeds 0 and 1: networks of 128 units on digits, trained on one step of a length, attacked with ten shorter ones."""
    parts = []
    for epsilon in (0.1, 0.2, 0.3):
        abnormal, clean, single, ten = np.mean([train_on_steps(epsilon, seed) for seed in range(2)], axis=0)
        parts.append(
            f"at {epsilon}: {abnormal:.1f} % abnormal, accuracy {clean:.0f} % clean, {single:.0f} % after one step, "
            f"{ten:.0f} % after ten"
        )
    return "; ".join(parts)


def penalized_training():
    """Seeds 0 and 1: the same networks, with the decrease of the loss of abnormal rows as a penalty of 2.5 and 10."""
    parts = []
    for epsilon in (0.2, 0.3):
        for penalty in (2.5, 10.0):
            values = [train_on_steps(epsilon, seed, penalty) for seed in range(2)]
            abnormal, clean, single, ten = np.mean(values, axis=0)
            parts.append(
                f"at {epsilon} with {penalty:g}: {abnormal:.1f} % abnormal, accuracy {clean:.0f} % clean, {single:.0f} % "
                f"after one step, {ten:.0f} % after ten"
            )
    return "; ".join(parts)


def tilted_sampling():
    """Seeds 0 to 9: a softmax model of 10 columns and 6 tokens; students train on 4,000 draws at 0.1 nats a draw."""
    found = {"no tilt": [], "a random tilt": [], "the tilt against a proxy": []}
    for seed in range(10):
        random = np.random.default_rng(seed)
        X, new, held = (random.normal(size=(n_rows, 10)) for n_rows in (4000, 4000, 1000))
        teacher = random.normal(size=(10, 6))
        proxy = 0.5 * teacher + 0.5 * random.normal(size=(10, 6))
        best = (held @ teacher).argmax(axis=1)
        slopes = softmax(held @ proxy, axis=1)
        slopes[np.arange(1000), best] -= 1
        gradient = held.T @ slopes / 1000
        direction = generation.antidistillation_direction(
            lambda given, X=X: log_softmax(X @ given, axis=1), proxy, gradient
        )
        other = generation.antidistillation_direction(
            lambda given, X=X: log_softmax(X @ given, axis=1), proxy, random.normal(size=(10, 6))
        )
        logits, truth = X @ teacher, (new @ teacher).argmax(axis=1)
        for name, given, budget in zip(found, (direction, other, direction), (0.0, 0.1, 0.1), strict=True):
            draws = generation.tilted_sample(logits, given, kl_budget=budget, random_state=seed)
            student = LogisticRegression(max_iter=1000).fit(X, draws.tokens)
            loss = log_loss(truth, student.predict_proba(new), labels=student.classes_)
            own = 100 * (draws.tokens == logits.argmax(axis=1)).mean()
            found[name].append((own, 100 * student.score(new, truth), loss))
    parts = []
    for name, values in found.items():
        own, accuracy, loss = np.mean(values, axis=0)
        parts.append(
            f"{name}: {own:.0f} % of the draws are the best token, students reach {accuracy:.0f} % and a loss of {loss:.2f}"
        )
    return "; ".join(parts)


def protected_outputs():
    """Seeds 0 to 4: students train on the released probabilities of a forest for 2,000 rows, at 0.1 nats a row."""
    students = {
        "linear": LogisticRegression(max_iter=1000),
        "forest": RandomForestClassifier(50, min_samples_leaf=5, random_state=0),
    }
    found = {"no tilt": [], "a random direction": [], "the direction against a student": []}
    for seed in range(5):
        X, y = make_classification(6000, 20, n_informative=8, n_classes=4, flip_y=0.1, class_sep=1.5, random_state=seed)
        own, asked, new = slice(0, 2000), slice(2000, 4000), slice(4000, None)
        rows, classes = np.repeat(X[asked], 4, axis=0), np.tile(np.arange(4), 2000)
        for name, budget, direction in zip(found, (0.0, 0.1, 0.1), ("student", "random", "student"), strict=True):
            teacher = RandomForestClassifier(min_samples_leaf=5, random_state=seed)
            scorer = generation.ProtectedScorer(teacher, kl_budget=budget, direction=direction, random_state=seed)
            scorer.fit(X[own], y[own])
            weights, released = scorer.predict_proba(X[asked]).ravel(), scorer.predict_proba(X[new])
            values = [100 * scorer.score(X[new], y[new]), log_loss(y[new], np.maximum(released, 1e-9))]
            for student in students.values():
                student.fit(rows[weights > 0], classes[weights > 0], sample_weight=weights[weights > 0])
                values += [100 * student.score(X[new], y[new]), log_loss(y[new], student.predict_proba(X[new]))]
            found[name].append(values)
    parts = []
    for name, values in found.items():
        accuracy, loss, *others = np.mean(values, axis=0)
        pairs = zip(students, others[::2], others[1::2], strict=True)
        shown = ", ".join(f"{student} student {right:.0f} % and {cost:.2f}" for student, right, cost in pairs)
        parts.append(f"{name}: released outputs {accuracy:.0f} % and a loss of {loss:.2f}, {shown}")
    return "; ".join(parts)


def payments():
    """Seeds 0 to 4: models trained on the first 40 % of the days, without and with frauds that change."""
    parts = []
    for turn, name in ((0.0, "frauds that stay"), (np.pi, "frauds that turn")):
        values, shared, gains = [], [], []
        for seed in range(5):
            X, y, times = make_fraud_stream(turn=turn, random_state=seed)
            models = {"classifier": HistGradientBoostingClassifier(), "detector": detectors.GaussianDetector()}
            report = model_selection.compare_over_time(models, X, y, times, alerts_per_day=3, random_state=seed)
            values.append(100 * report.average_precision[:, [0, -1]])
            shared.append(100 * report.overlap[1, 0])
            holdout = model_selection.ReusableHoldout(random_state=seed)
            gain = model_selection.complementary_gain(
                y[report.test_indices], *report.scores, times[report.test_indices], alerts_per_day=3, holdout=holdout
            )
            gains.append(100 * gain.gain)
        (first, last), (before, after) = np.mean(values, axis=0)
        parts.append(
            f"{name}: average precision of gradient boosting {first:.0f} % in the first and {last:.0f} % in the last period, of a "
            f"Gaussian detector {before:.0f} and {after:.0f} %; boosting finds {np.mean(shared):.0f} % of what the detector finds, "
            f"and both together have {np.mean(gains):+.0f} points of precision"
        )
    return "; ".join(parts)


def classifier_by_table():
    """Seeds 0 to 4: four models on an easy, an overlapping and a drifting table, and by a shuffled split of the last."""
    parts = []
    models = {
        "logistic": LogisticRegression(),
        "forest": RandomForestClassifier(),
        "boosting": HistGradientBoostingClassifier(),
        "detector": detectors.GaussianDetector(),
    }
    for name, turn, overlap, shuffled in (
        ("easy", 0, 0, False),
        ("overlapping", 0, 2, False),
        ("drifting", np.pi, 0, False),
        ("drifting, shuffled", np.pi, 0, True),
    ):
        values, measures = [], []
        for seed in range(5):
            X, y, times = make_fraud_stream(turn=turn, size=4.5 - overlap, random_state=seed)
            if shuffled:
                times = np.random.default_rng(seed).permutation(times)
            report = model_selection.compare_over_time(models, X, y, times, n_periods=3, random_state=seed)
            values.append(100 * report.average_precision.mean(axis=1))
            measures.append(model_selection.table_difficulty(X, y, times, random_state=seed).overlap)
        shown = ", ".join(f"{model} {value:.0f}" for model, value in zip(models, np.mean(values, axis=0), strict=True))
        parts.append(f"{name} (overlap {np.mean(measures):.2f}): {shown}")
    return "average precision in %; " + "; ".join(parts)
