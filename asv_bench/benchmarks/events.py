# ruff: noqa: ARG002  # asv hands every parameter to every method
"""Event traces and collections of series: time, memory and quality."""

import numpy as np
from sklearn.metrics import roc_auc_score

from skanomaly.events import (
    CompressionDetector,
    EventCountDetector,
    MarkovDetector,
    MultiscaleEventDetector,
    NGramDetector,
)
from skanomaly.sequence import (
    RandomConvolutionTransformer,
    SelfSimilarityDetector,
    SequenceNeighbors,
)

EVENTS = {
    "counts": EventCountDetector(),
    "runs": NGramDetector(),
    "markov": MarkovDetector(),
    "compression": CompressionDetector(),
    "three scales": MultiscaleEventDetector(),
}


def make_traces(n_traces, generator):
    """Traces of a job that opens, works in rounds and closes; one in fifty is truncated or reversed."""
    traces, is_anomaly = [], np.arange(n_traces) % 50 == 0
    for anomaly in is_anomaly:
        rounds = [["read", "check", "write"][: generator.integers(2, 4)] for _ in range(generator.integers(2, 8))]
        trace = ["open", *(event for part in rounds for event in part), "close"]
        if anomaly:
            trace = trace[::-1] if generator.random() < 0.5 else trace[: len(trace) // 2]
        traces.append(trace)
    return traces, is_anomaly


class EventTraces:
    """Each detector on 20,000 traces."""

    params = (tuple(EVENTS),)
    param_names = ("detector",)

    def setup(self, name):
        """Make traces, fit once."""
        self.traces, self.is_anomaly = make_traces(20_000, np.random.Generator(np.random.PCG64(0)))
        self.normal = [trace for trace, anomaly in zip(self.traces, self.is_anomaly, strict=True) if not anomaly]
        self.detector = EVENTS[name].fit(self.normal)

    def time_fit(self, name):
        """Fit."""
        EVENTS[name].fit(self.normal)

    def time_score_samples(self, name):
        """Score."""
        self.detector.score_samples(self.traces)

    def peakmem_fit(self, name):
        """Memory of a fit."""
        EVENTS[name].fit(self.normal)

    def track_auc(self, name):
        """Area under the curve."""
        return roc_auc_score(self.is_anomaly, -self.detector.score_samples(self.traces))


class WholeSeries:
    """Neighbours of 200 series of 300 time points, and features of random convolutions."""

    params = (("resampled", "statistics", "warped", "both"),)
    param_names = ("representation",)

    def setup(self, representation):
        """Make series, fit once."""
        random = np.random.Generator(np.random.PCG64(0))
        places = np.linspace(0, 20, 300) + random.normal(scale=0.3, size=(200, 1))
        self.series = np.sin(places)[:, :, None] + 0.1 * random.normal(size=(200, 300, 1))
        self.detector = SequenceNeighbors(representation=representation).fit(self.series)

    def time_score_samples(self, representation):
        """Score."""
        self.detector.score_samples(self.series)


class Embeddings:
    """Self-similarity of a series of 20,000 time points under both bundled encoders."""

    params = (("delay", "convolution"),)
    param_names = ("encoder",)

    def setup(self, encoder):
        """Make a series, fit once."""
        self.series = np.sin(np.arange(20_000) / 5)
        self.detector = SelfSimilarityDetector(encoder=encoder, random_state=0).fit(self.series)

    def time_score_samples(self, encoder):
        """Score."""
        self.detector.score_samples(self.series)


class Convolutions:
    """Features of 500 series of 200 time points by 256 filters."""

    def setup(self):
        """Make series, fit once."""
        random = np.random.Generator(np.random.PCG64(0))
        self.series = random.normal(size=(500, 200, 1))
        self.transformer = RandomConvolutionTransformer(random_state=0).fit(self.series)
        self.transformer.transform(self.series[:2])

    def time_transform(self):
        """Describe."""
        self.transformer.transform(self.series)
