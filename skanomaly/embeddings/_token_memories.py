"""Methods of TokenReconstructor that rebuild tokens from prototypes, references and memories, by attention."""

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks import _attention as attention
from skanomaly._networks._attention import HIDDEN, Plan, Tokens
from skanomaly._networks._autoencoding import corrupted
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.embeddings._memory import SampleLookup
from skanomaly.embeddings._token_methods import TRAINING, Fitted, Told, TrainedMethod
from skanomaly.embeddings._token_models import Material, Trained, measured, train_attention, unseen_padding
from skanomaly.embeddings._token_sets import MOST_TRAINED, even_tokens, set_means, stacks

__all__ = ["MaskedMemory", "OwnPrototypes", "ReferenceSets", "TwoMemories"]

_MOST_STORED = 256  # sets
_MOST_OF_A_SET = 64  # tokens of a reference
_SWAPPED = 0.5  # fraction of the values that a synthetic token has from another
Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Indices = NDArray[np.intp]


def _same(rows: Rows, counted: Rows) -> tuple[Tokens, Rows, Rows]:
    """Let every token see all tokens of its set, and rebuild them."""
    return Tokens(rows, unseen_padding(counted)), rows, counted


class OwnPrototypes(TrainedMethod):
    """Rebuild a token from a few prototypes of its own set, which learnt queries take from its tokens (INP-Former).

    Parameters
    ----------
    n_prototypes : int, default=6
    coherence_weight : float, default=0.2
        Weight of one minus the cosine between a token's values and the nearest prototype; at least 0.
    mining : float, default=3.0
        Errors are weighted by their size, relative to the mean, to this power; at least 0.
    hidden_size : int or None, default=None
        Units of each layer. None is four times the number of columns, at least 32 and at most 128.
    max_iter : int, default=400
        Steps of Adam, each on one batch of sets.
    batch_size : int, default=16
        Sets of a batch.
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    TokenReconstructor : The detector that uses it.

    Notes
    -----
    After [1]_: the prototypes come from softmax attention of the queries to the tokens, and a token reads only the
    prototypes, with rectified linear attention and no residual connection. What we changed: one layer and one head,
    similarities are cosines, to prototypes less their mean (otherwise nothing was learnt), squared errors, and the
    score is the Mahalanobis distance of the errors.

    References
    ----------
    .. [1] Luo, W. et al. (2025). "Exploring intrinsic normal prototypes within a single image for universal anomaly
       detection". CVPR. arXiv:2503.02424.

    Examples
    --------
    >>> from skanomaly.embeddings import OwnPrototypes, TokenReconstructor
    >>> TokenReconstructor(method=OwnPrototypes(n_prototypes=4))
    TokenReconstructor(method=OwnPrototypes(n_prototypes=4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "coherence_weight": [Interval(Real, 0, None, closed="left")],
        "mining": [Interval(Real, 0, None, closed="left")],
        **TRAINING,
    }

    def __init__(
        self,
        *,
        n_prototypes: int = 6,
        coherence_weight: float = 0.2,
        mining: float = 3.0,
        hidden_size: int | None = None,
        max_iter: int = 400,
        batch_size: int = 16,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.n_prototypes = n_prototypes
        self.coherence_weight = coherence_weight
        self.mining = mining
        self.hidden_size = hidden_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _plan(self, n_columns: int) -> Plan:
        return attention.own_prototypes(
            n_columns, self._hidden(n_columns), int(self.n_prototypes), float(self.coherence_weight)
        )

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        plan = self._plan(material.rows.shape[1])
        weights, losses = train_attention(
            plan,
            material,
            self._schedule(),
            random,
            after_step,
            make=lambda _, rows, counted, __: _same(rows, counted),
            mining=float(self.mining),
        )
        return measured(weights, material, partial(_plain_errors, plan)), losses

    def _scores(self, model: Trained, rows: Rows, same: Indices) -> Floats:  # the form of methods
        return model.distances(model.errors(self._plan(rows.shape[-1]), Tokens(rows, _seen(rows))))


def _seen(rows: Rows) -> Rows:
    """Let every token see all tokens of its set."""
    return np.zeros((1, 1, rows.shape[1]), dtype=np.float32)


def _plain_errors(plan: Plan, trained: Trained, _: Indices, rows: Rows) -> Floats:
    """Return the errors of tokens that see all tokens of their set."""
    return trained.errors(plan, Tokens(rows, _seen(rows)))


class ReferenceSets(TrainedMethod):
    """Rebuild a token from tokens of the nearest normal training sets (DictAS, and OneNIP with one set).

    Parameters
    ----------
    n_sets : int, default=4
        Number of sets, the nearest by their mean token.
    kind : {"softmax", "sparsemax"}, default="sparsemax"
        "sparsemax" gives most tokens no weight.
    noise : float, default=0.0
        Standard deviation of noise on the tokens during training, in root mean variances of the columns; at least 0.
    hidden_size : int or None, default=None
        Units of each layer. None is four times the number of columns, at least 32 and at most 128.
    max_iter : int, default=400
        Steps of Adam, each on one batch of sets.
    batch_size : int, default=16
        Sets of a batch.
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    TokenReconstructor : The detector that uses it.
    AttentionLookup : The same in :class:`PatchNeighbors`, with nothing learnt.

    Notes
    -----
    Sparse look-ups in a dictionary of normal tokens are those of [1]_; one normal image as a prompt, and noise on what
    is to be rebuilt, those of [2]_. What we changed: one layer and one head, squared errors, no contrast with text or
    synthetic anomalies, no refiner. At most 256 training sets are kept, of at most 64 tokens each; a training set that
    is scored is left out.

    References
    ----------
    .. [1] Qu, Z. et al. (2025). "DictAS: a framework for class-generalizable few-shot anomaly segmentation via
       dictionary lookup". ICCV. arXiv:2508.13560.
    .. [2] Gao, B.-B. (2024). "Learning to detect multi-class anomalies with just one normal image prompt". ECCV.
       arXiv:2505.09264.

    Examples
    --------
    >>> from skanomaly.embeddings import ReferenceSets, TokenReconstructor
    >>> TokenReconstructor(method=ReferenceSets(n_sets=1, kind="softmax", noise=0.1))
    TokenReconstructor(method=ReferenceSets(kind='softmax', n_sets=1, noise=0.1))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_sets": [Interval(Integral, 1, None, closed="left")],
        "kind": [StrOptions({"softmax", "sparsemax"})],
        "noise": [Interval(Real, 0, None, closed="left")],
        **TRAINING,
    }

    def __init__(
        self,
        *,
        n_sets: int = 4,
        kind: str = "sparsemax",
        noise: float = 0.0,
        hidden_size: int | None = None,
        max_iter: int = 400,
        batch_size: int = 16,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.n_sets = n_sets
        self.kind = kind
        self.noise = noise
        self.hidden_size = hidden_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _plan(self, n_columns: int) -> Plan:
        return attention.references(n_columns, self._hidden(n_columns), self.kind)

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        plan = self._plan(material.rows.shape[1])
        dictionary = Dictionary(material, int(self.n_sets), random)

        def make(numbers: Indices, rows: Rows, counted: Rows, noise: np.random.Generator) -> tuple[Tokens, Rows, Rows]:
            others = dictionary.of_training(numbers)
            given = corrupted(rows, "gaussian", float(self.noise), noise) if self.noise else rows
            return Tokens(given, _seen(rows), others), rows, counted

        weights, losses = train_attention(plan, material, self._schedule(), random, after_step, make=make)

        def residuals(trained: Trained, numbers: Indices, rows: Rows) -> Floats:
            return trained.errors(plan, Tokens(rows, _seen(rows), dictionary.of_training(numbers)))

        trained = measured(weights, material, residuals)
        dictionary.forget()
        return (trained, dictionary), losses

    def _scores(self, model: tuple[Trained, "Dictionary"], rows: Rows, same: Indices) -> Floats:
        trained, dictionary = model
        tokens = Tokens(rows, _seen(rows), dictionary.nearest(set_means(rows), same))
        return trained.distances(trained.errors(self._plan(rows.shape[-1]), tokens))


class Dictionary:
    """Tokens of normal sets.

    Parameters
    ----------
    material : Material
    n_nearest : int
    random : numpy.random.Generator
        Chooses sets of many.
    """

    def __init__(self, material: Material, n_nearest: int, random: np.random.Generator) -> None:
        stored = np.sort(random.permutation(material.whole)[:_MOST_STORED])
        n_tokens = int(min(_MOST_OF_A_SET, material.sets.sizes[stored].max()))
        self._tokens = material.rows[even_tokens(material.sets, stored, n_tokens)]
        self._trained = np.empty((len(material.sets), material.rows.shape[1]))
        for numbers, rows in stacks(material.sets):
            self._trained[numbers] = set_means(material.rows[rows])
        self._means, self._n_nearest = self._trained[stored], n_nearest
        # Place of each training set among the stored ones, by value.
        self._places = SampleLookup(material.sets.take(stored)).find(material.sets)

    def forget(self) -> None:
        """Drop what only training needs."""
        self._trained = self._trained[:0]

    def of_training(self, numbers: Indices) -> Rows:
        """Return the references of training sets."""
        return self.nearest(self._trained[numbers], numbers)

    def nearest(self, means: Floats, same: Indices) -> Rows:
        """Return the tokens of the sets nearest to some means, one set after the other.

        Parameters
        ----------
        means : ndarray of shape (n, n_columns)
        same : ndarray of shape (n,), intp
            Equal training set, which is left out, or -1.

        Returns
        -------
        ndarray of shape (n, n_nearest * n_tokens, n_columns)
        """
        squares = np.stack([np.square(self._means - mean).sum(axis=1) for mean in means])
        places = np.append(self._places, -1)[same]
        squares[places >= 0, places[places >= 0]] = np.inf
        n_nearest = min(self._n_nearest, max(1, len(self._means) - 1))
        chosen = np.argsort(squares, axis=1, kind="stable")[:, :n_nearest]
        return self._tokens[chosen].reshape(len(means), -1, self._tokens.shape[2])


class MaskedMemory(TrainedMethod):
    """Hide some tokens, and rebuild them from the others, a learnt memory and their positions (MemMC-MAE).

    Parameters
    ----------
    n_slots : int, default=16
        Tokens of the memory.
    mask_ratio : float, default=0.5
        Fraction of the tokens that is hidden, in (0, 0.5].
    aligned : bool, default=True
        Whether token `j` is at the same place in all sets. If False, or if sets differ in size, a hidden token has no
        position, and is rebuilt as the mean of what is likely there.
    hidden_size : int or None, default=None
        Units of each layer. None is four times the number of columns, at least 32 and at most 128.
    max_iter : int, default=400
        Steps of Adam, each on one batch of sets.
    batch_size : int, default=16
        Sets of a batch.
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    TokenReconstructor : The detector that uses it.
    PatchResidual : Better for aligned sets, and a closed form.

    Notes
    -----
    After [1]_: random tokens are hidden in training. A set is scored in as many passes as needed for every token to be
    hidden once: of two passes, the first hides tokens 0, 2, 4, and so on. What we changed: one layer and one head, and
    the score is the Mahalanobis distance of the errors.

    References
    ----------
    .. [1] Tian, Y. et al. (2023). "Unsupervised anomaly detection in medical images with a memory-augmented multi-level
       cross-attentional masked autoencoder". MLMI. arXiv:2203.11725.

    Examples
    --------
    >>> from skanomaly.embeddings import MaskedMemory, TokenReconstructor
    >>> TokenReconstructor(method=MaskedMemory(mask_ratio=0.25))
    TokenReconstructor(method=MaskedMemory(mask_ratio=0.25))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_slots": [Interval(Integral, 1, None, closed="left")],
        "mask_ratio": [Interval(Real, 0, 0.5, closed="right")],
        "aligned": ["boolean"],
        **TRAINING,
    }

    def __init__(
        self,
        *,
        n_slots: int = 16,
        mask_ratio: float = 0.5,
        aligned: bool = True,
        hidden_size: int | None = None,
        max_iter: int = 400,
        batch_size: int = 16,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.n_slots = n_slots
        self.mask_ratio = mask_ratio
        self.aligned = aligned
        self.hidden_size = hidden_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _plan(self, n_columns: int, n_places: int) -> Plan:
        return attention.memory(n_columns, self._hidden(n_columns), int(self.n_slots), n_places, masked=True)

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        n_patches = material.sets.n_patches
        small = n_patches is not None and n_patches <= MOST_TRAINED
        n_places = int(n_patches) if self.aligned and small and n_patches is not None else 1
        plan = self._plan(material.rows.shape[1], n_places)

        def make(numbers: Indices, rows: Rows, counted: Rows, noise: np.random.Generator) -> tuple[Tokens, Rows, Rows]:  # noqa: ARG001
            hidden = np.asarray(noise.random(rows.shape[1]) < self.mask_ratio)
            hidden[noise.integers(rows.shape[1])] = True
            unseen = unseen_padding(counted) + np.where(hidden, np.float32(HIDDEN), np.float32(0))
            wanted = counted * hidden
            return Tokens(rows, unseen), rows, wanted if wanted.any() else counted

        weights, losses = train_attention(plan, material, self._schedule(), random, after_step, make=make)
        trained = measured(weights, material, lambda trained, _, rows: self._errors(trained, rows, n_places))
        return (trained, n_places), losses

    def _errors(self, trained: Trained, rows: Rows, n_places: int) -> Floats:
        """Return the error of each token where it is hidden."""
        if n_places > 1 and rows.shape[1] != n_places:
            raise ValueError(
                f"X must have {n_places} tokens a set, as in fit, and has {rows.shape[1]}. Use "
                "MaskedMemory(aligned=False) if tokens have no positions."
            )
        n_groups = round(1 / self.mask_ratio)
        groups, errors = np.arange(rows.shape[1]) % n_groups, np.empty(rows.shape)
        plan = self._plan(rows.shape[-1], n_places)
        for group in range(min(n_groups, rows.shape[1])):
            unseen = np.where(groups == group, np.float32(HIDDEN), np.float32(0))[None, None, :]
            errors[:, groups == group] = trained.errors(plan, Tokens(rows, unseen))[:, groups == group]
        return errors

    def _scores(self, model: tuple[Trained, int], rows: Rows, same: Indices) -> Floats:
        trained, n_places = model
        return trained.distances(self._errors(trained, rows, n_places))


class TwoMemories(TrainedMethod):
    """Rebuild a token from a memory of normal tokens, and from one of synthetic anomalies (GRAD).

    Parameters
    ----------
    n_slots : int, default=16
        Tokens of each memory.
    abnormal_weight : float, default=0.2
        The error of the memory of anomalies, times this, is subtracted; in [0, 1).
    hidden_size : int or None, default=None
        Units of each layer. None is four times the number of columns, at least 32 and at most 128.
    max_iter : int, default=400
        Steps of Adam for each memory, each on one batch of sets.
    batch_size : int, default=16
        Sets of a batch.
    learning_rate_init : float, default=0.002
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    TokenReconstructor : The detector that uses it.

    Notes
    -----
    After [1]_, with slots of a memory in place of continuous grids. Synthetic anomalies are tokens with half of their
    values from random tokens of the batch. Each token is rebuilt for itself, so misplaced tokens are not detected.

    References
    ----------
    .. [1] Zhang, H. et al. (2025). "Bi-grid reconstruction for image anomaly detection". arXiv:2504.00609.

    Examples
    --------
    >>> from skanomaly.embeddings import TokenReconstructor, TwoMemories
    >>> TokenReconstructor(method=TwoMemories(n_slots=32))
    TokenReconstructor(method=TwoMemories(n_slots=32))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_slots": [Interval(Integral, 1, None, closed="left")],
        "abnormal_weight": [Interval(Real, 0, 1, closed="left")],
        **TRAINING,
    }

    def __init__(
        self,
        *,
        n_slots: int = 16,
        abnormal_weight: float = 0.2,
        hidden_size: int | None = None,
        max_iter: int = 400,
        batch_size: int = 16,
        learning_rate_init: float = 2e-3,
    ) -> None:
        self.n_slots = n_slots
        self.abnormal_weight = abnormal_weight
        self.hidden_size = hidden_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _plan(self, n_columns: int) -> Plan:
        return attention.memory(n_columns, self._hidden(n_columns), int(self.n_slots), 1, masked=False)

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        plan = self._plan(material.rows.shape[1])

        def swapped(_: Indices, rows: Rows, counted: Rows, noise: np.random.Generator) -> tuple[Tokens, Rows, Rows]:
            mixed = corrupted(rows.reshape(-1, rows.shape[-1]), "swap", _SWAPPED, noise)
            return _same(mixed.reshape(rows.shape), counted)

        def plain(_: Indices, rows: Rows, counted: Rows, __: np.random.Generator) -> tuple[Tokens, Rows, Rows]:
            return _same(rows, counted)

        def fitted(make: Any) -> tuple[Trained, list[float]]:
            weights, losses = train_attention(plan, material, self._schedule(), random, after_step, make=make)
            return measured(weights, material, partial(_plain_errors, plan)), losses

        (normal, losses), (abnormal, more) = fitted(plain), fitted(swapped)
        return (normal, abnormal), losses + more

    def _scores(self, model: tuple[Trained, Trained], rows: Rows, same: Indices) -> Floats:
        tokens = Tokens(rows, _seen(rows))
        plan = self._plan(rows.shape[-1])
        normal, abnormal = (one.distances(one.errors(plan, tokens)) for one in model)
        return np.asarray(normal - self.abnormal_weight * abnormal)
