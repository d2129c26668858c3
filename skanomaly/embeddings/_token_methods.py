"""Methods of TokenReconstructor that explain a token by the other tokens of its set."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks import _attention as attention
from skanomaly._networks._attention import HIDDEN, Plan, Tokens
from skanomaly._networks._training import Schedule
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly.embeddings._token_models import (
    ContextModel,
    Material,
    PartnerModel,
    Trained,
    measured,
    train_attention,
    unseen_padding,
)

__all__ = ["TRAINING", "ContextPrototypes", "Fitted", "OtherTokens", "PartnerMap", "Told", "TrainedMethod"]

_HIDDEN_COLUMNS = 0.5
_N_MASKS = 8
Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Indices = NDArray[np.intp]
Told = Callable[[int, float], None]
Fitted = tuple[Any, list[float]]

TRAINING: dict[str, list[Any]] = {
    "hidden_size": [Interval(Integral, 1, None, closed="left"), None],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
}


class TrainedMethod(ParameterObject):
    """What the methods that train a network have in common."""

    hidden_size: int | None
    max_iter: int
    batch_size: int
    learning_rate_init: float

    def _hidden(self, n_columns: int) -> int:
        return int(np.clip(4 * n_columns, 32, 128)) if self.hidden_size is None else int(self.hidden_size)

    def _schedule(self) -> Schedule:
        return Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init))


class ContextPrototypes(ParameterObject):
    r"""Prototypes of tokens, and how likely each is beside the other tokens of the set; a closed form.

    Parameters
    ----------
    n_prototypes : int, default=12
        Number of prototypes, found by k-means.
    ridge : float, default=0.1
        Penalty of the logistic regression of a token's prototype on its context.

    See Also
    --------
    TokenReconstructor : The detector that uses it.

    Notes
    -----
    Let :math:`r_{im}` be the probability of prototype :math:`m` for token :math:`i` under normal distributions of one
    covariance. The context of token :math:`i` is the mean of :math:`r_{jm}` over the other tokens :math:`j`, and a
    multinomial logistic regression estimates :math:`p(m \mid c_i)`. The outlyingness of a token is
    :math:`-2 \log \sum_m p(m \mid c_i) \exp(-d_m(x_i)^2 / 2)` with :math:`d_m` the Mahalanobis distance to a prototype.
    So a token is anomalous that is far from all prototypes, or near one that does not occur beside such others.

    Examples
    --------
    >>> from skanomaly.embeddings import ContextPrototypes, TokenReconstructor
    >>> TokenReconstructor(method=ContextPrototypes(n_prototypes=6))
    TokenReconstructor(method=ContextPrototypes(n_prototypes=6))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, n_prototypes: int = 12, ridge: float = 0.1) -> None:
        self.n_prototypes = n_prototypes
        self.ridge = ridge

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        return ContextModel(material, int(self.n_prototypes), float(self.ridge), random), []

    def _scores(self, model: Any, rows: Rows, same: Indices) -> Floats:  # the form of methods
        return np.asarray(model.scores(rows))


class PartnerMap(TrainedMethod):
    r"""Predict a token from each other token of its set by one learnt map; the best prediction counts.

    Parameters
    ----------
    hidden_size : int or None, default=None
        Units of each of two layers. None is four times the number of columns, at least 32 and at most 128.
    max_iter : int, default=2000
        Steps of Adam, each on one batch of sets.
    batch_size : int, default=16
        Sets of a batch.
    learning_rate_init : float, default=0.004
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    TokenReconstructor : The detector that uses it.
    OtherTokens : The same task by attention.

    Notes
    -----
    A map :math:`f` and a variance :math:`v` maximise the likelihood of a mixture over the other tokens:
    :math:`p(x_i) = \sum_{j \ne i} N(x_i; f(x_j), v I) + N(x_i; c, v I)`. The constant :math:`c` is the prediction for
    tokens without a partner. The outlyingness of a token is its negative log-likelihood. The network is trained in
    NumPy; torch is not needed.

    References
    ----------
    .. [1] Bishop, C. M. (1994). "Mixture density networks". NCRG/94/004, Aston University.
       https://publications.aston.ac.uk/id/eprint/373/

    Examples
    --------
    >>> from skanomaly.embeddings import PartnerMap, TokenReconstructor
    >>> TokenReconstructor(method=PartnerMap(max_iter=500))
    TokenReconstructor(method=PartnerMap(max_iter=500))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {**TRAINING}

    def __init__(
        self,
        *,
        hidden_size: int | None = None,
        max_iter: int = 2000,
        batch_size: int = 16,
        learning_rate_init: float = 4e-3,
    ) -> None:
        self.hidden_size = hidden_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        model = PartnerModel(material.rows.shape[1], self._hidden(material.rows.shape[1]), random)
        return model, model.train(material, self._schedule(), random, after_step)

    def _scores(self, model: PartnerModel, rows: Rows, same: Indices) -> Floats:  # the form of methods
        return model.scores(rows)


class OtherTokens(TrainedMethod):
    """Hide some columns of each token, and rebuild them from its other columns and from the other tokens, by attention.

    Parameters
    ----------
    hidden_size : int or None, default=None
        Units of each layer. None is four times the number of columns, at least 32 and at most 128.
    max_iter : int, default=3000
        Steps of Adam, each on one batch of sets.
    batch_size : int, default=16
        Sets of a batch.
    learning_rate_init : float, default=0.004
        Learning rate of the first step; it falls to 0 along a cosine.

    See Also
    --------
    TokenReconstructor : The detector that uses it.
    PartnerMap : The same task by a dense network; better on planted pairs, and faster.

    Notes
    -----
    In a training step a random half of the columns is hidden from the queries of all tokens. A token attends to all
    tokens but itself, and to one learnt slot. Eight fixed choices of columns and their complements score. Columns must
    be hidden: queries that know the whole token pass it on in the weights of the mixture, even if the values do not.

    References
    ----------
    .. [1] Vaswani, A. et al. (2017). "Attention is all you need". NeurIPS. arXiv:1706.03762.

    Examples
    --------
    >>> from skanomaly.embeddings import OtherTokens, TokenReconstructor
    >>> TokenReconstructor(method=OtherTokens(max_iter=500))
    TokenReconstructor(method=OtherTokens(max_iter=500))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {**TRAINING}

    def __init__(
        self,
        *,
        hidden_size: int | None = None,
        max_iter: int = 3000,
        batch_size: int = 16,
        learning_rate_init: float = 4e-3,
    ) -> None:
        self.hidden_size = hidden_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _plan(self, n_columns: int) -> Plan:
        return attention.other_tokens(n_columns, self._hidden(n_columns))

    def _fit(self, material: Material, random: np.random.Generator, after_step: Told) -> Fitted:
        plan = self._plan(material.rows.shape[1])

        def make(_: Indices, rows: Rows, counted: Rows, noise: np.random.Generator) -> tuple[Tokens, Rows, Rows]:
            hidden = noise.random(rows.shape) < _HIDDEN_COLUMNS
            hidden[..., int(noise.integers(rows.shape[-1]))] = True
            tokens = Tokens(rows, unseen_padding(counted) + _own(rows), _seen_of(rows, hidden))
            return tokens, rows, counted[:, :, None] * hidden

        weights, losses = train_attention(plan, material, self._schedule(), random, after_step, make=make)
        masks = random.random((_N_MASKS, material.rows.shape[1])) < _HIDDEN_COLUMNS
        masks = np.concatenate([masks, ~masks])
        trained = measured(weights, material, lambda trained, _, rows: self._errors(trained, masks, rows))
        return (trained, masks), losses

    def _errors(self, trained: Trained, masks: NDArray[np.bool_], rows: Rows) -> Floats:
        """Return the mean error of each value over the masks that hide it."""
        plan, total = self._plan(rows.shape[-1]), np.zeros(rows.shape)
        for mask in masks:
            hidden = np.broadcast_to(mask, rows.shape)
            total += np.where(hidden, trained.errors(plan, Tokens(rows, _own(rows), _seen_of(rows, hidden))), 0.0)
        return total / (len(masks) // 2)

    def _scores(self, model: tuple[Trained, NDArray[np.bool_]], rows: Rows, same: Indices) -> Floats:
        trained, masks = model
        return trained.distances(self._errors(trained, masks, rows))


def _seen_of(rows: Rows, hidden: NDArray[np.bool_]) -> Rows:
    """Return tokens with 0 in hidden columns, and which columns are hidden."""
    return np.concatenate([np.where(hidden, np.float32(0), rows), hidden.astype(np.float32)], axis=-1)


def _own(rows: Rows) -> Rows:
    """Hide each token from itself."""
    return np.float32(HIDDEN) * np.eye(rows.shape[1], dtype=np.float32)[None]
