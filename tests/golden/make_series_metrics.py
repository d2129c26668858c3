"""Write series_metrics.json: metrics of made series as the program of the benchmark TSB-AD computes them.

    pip install --no-deps TSB-AD
    python tests/golden/make_series_metrics.py

Its affiliation is the program of the metric's authors.
"""

import importlib.metadata
import json
import warnings
from pathlib import Path

import numpy as np
from TSB_AD.evaluation.affiliation.generics import convert_vector_to_events
from TSB_AD.evaluation.affiliation.metrics import pr_from_events
from TSB_AD.evaluation.basic_metrics import basic_metricor

EVENTS = ([[100, 130]], [[0, 12], [120, 126], [132, 133], [270, 300]], [[40, 60], [66, 70], [71, 72], [200, 260]])
WINDOWS = (0, 7, 40)


def main():
    """Compute all numbers."""
    warnings.simplefilter("ignore")
    random = np.random.RandomState(0)
    judge, cases = basic_metricor(), []
    for decimals, events in zip((2, 0, 1), EVENTS, strict=True):
        labels = np.zeros(300, dtype=int)
        for start, stop in events:
            labels[start:stop] = 1
        outlyingness = (random.normal(size=300) + 0.8 * labels).round(decimals) + 0.0
        called = (outlyingness > 1).astype(int)
        affiliation = pr_from_events(convert_vector_to_events(called), convert_vector_to_events(labels), (0, 300))
        cases.append(
            {
                "events": events,
                "outlyingness": outlyingness.tolist(),
                "windows": WINDOWS,
                "vus": [judge.RangeAUC_volume_opt(labels, outlyingness, window)[-2:] for window in WINDOWS],
                "threshold": 1.0,
                "affiliation": [affiliation["Affiliation_Precision"], affiliation["Affiliation_Recall"]],
                "range_f1": judge.metric_RF1(labels, None, preds=called),
                "event_f1": judge.metric_EventF1PA(labels, None, preds=called),
                # The program never adjusts the first point of a series.
                "point_adjusted_f1": None if labels[0] else judge.metric_PointF1PA(labels, outlyingness, preds=called),
            }
        )
    written = {
        "command": "python tests/golden/make_series_metrics.py",
        "versions": {name: importlib.metadata.version(name) for name in ("TSB-AD", "scikit-learn", "numpy")},
        "cases": cases,
    }
    Path(__file__).with_name("series_metrics.json").write_text(json.dumps(written) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
