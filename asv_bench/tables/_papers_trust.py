"""The experiments of ``papers.py`` on what models leak, learn wrongly and are fed."""

import time

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from skanomaly import audit


def membership():
    """Seed 0: 1,200 rows of 4 classes with 20 % random labels, 32 shadow models each; the network also with queries."""
    X, y = make_classification(1200, 20, n_informative=8, n_classes=4, flip_y=0.2, random_state=0)
    models = {
        "forest": RandomForestClassifier(),
        "network": MLPClassifier((64,), max_iter=150),
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
    """Seed 0: seconds of the audit of a forest on 1,200 rows, and of 32 plain fits on halves of them, in turn."""
    X, y = make_classification(1200, 20, n_informative=8, n_classes=4, random_state=0)
    ratios = []
    for seed in range(3):
        start = time.perf_counter()
        for fit in range(32):
            rows = np.random.default_rng(fit).permutation(1200)[:600]
            RandomForestClassifier(random_state=fit).fit(X[rows], y[rows]).predict_proba(X)
        plain = time.perf_counter() - start
        start = time.perf_counter()
        audit.MembershipAudit(RandomForestClassifier(), random_state=seed).fit(X, y)
        ratios.append((time.perf_counter() - start) / plain)
    return f"32 shadow forests take {np.median(ratios):.2f} times as long as 32 plain fits with predictions"
