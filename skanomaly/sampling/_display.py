"""Display of resampled rows."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import column_or_1d

from skanomaly._support._columns import column_names, frame_library, to_pandas
from skanomaly._support._display import CATEGORIES, GREY, ORANGE, axes_for, drawable, plain_text, read_numbers
from skanomaly._support._items import require_rows
from skanomaly._support._scales import SafeRange

__all__ = ["SamplerDisplay"]


class SamplerDisplay:
    """Real, synthetic, kept and dropped rows in two dimensions.

    Parameters
    ----------
    real : ndarray of shape (n_samples, 2)
        Coordinates of the training rows.
    labels : ndarray of shape (n_samples,)
        Classes of the training rows.
    synthetic : ndarray of shape (n_synthetic, 2)
        Coordinates of the synthetic rows.
    kept : ndarray of shape (n_samples,), bool
        Which training rows the sampler kept.
    rejected : ndarray of shape (n_rejected, 2), default=None
        Coordinates of candidates that were generated and not kept.
    trajectories : ndarray of shape (n_trajectories, n_steps, 2), default=None
        Coordinates of the steps on the way to generated rows; drawn as lines.
    feature_names : tuple of two str, default=("first component", "second component")
        Labels of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where `plot` drew.
    figure_ : matplotlib Figure
        Its figure.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import SMOTE, SamplerDisplay
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> display = SamplerDisplay.from_estimator(SMOTE(random_state=0), X, y)
    >>> display.ax_.get_xlabel()
    'first component'
    """

    def __init__(
        self,
        *,
        real: NDArray[Any],
        labels: NDArray[Any],
        synthetic: NDArray[Any],
        kept: NDArray[np.bool_],
        rejected: NDArray[Any] | None = None,
        trajectories: NDArray[Any] | None = None,
        feature_names: tuple[str, str] = ("first component", "second component"),
    ) -> None:
        self.real = real
        self.labels = labels
        self.synthetic = synthetic
        self.kept = kept
        self.rejected = rejected
        self.trajectories = trajectories
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, transformer: Any = None, ax: Any = None) -> Self:
        """Resample with a clone, and plot real, synthetic and dropped rows.

        Parameters
        ----------
        estimator : sampler
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Numbers only.
        y : array-like of shape (n_samples,)
        transformer : transformer to two columns, default=None
            Fitted to `X`; None is the first two principal components, or the columns themselves where there are two,
            which then name the axes.
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        SamplerDisplay
        """
        if not hasattr(estimator, "fit_resample"):
            raise TypeError(f"estimator={estimator!r:.60} has no fit_resample; give a sampler, such as SMOTE().")
        sampler = clone(estimator)
        resampled, _ = sampler.fit_resample(X, y)
        rejected = getattr(sampler, "rejected_", None)
        options = {"rejected": rejected, "transformer": transformer}
        return cls.from_predictions(X, y, resampled, sampler.sample_indices_, **options, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        y: Any,
        X_resampled: Any,
        sample_indices: Any,
        *,
        rejected: Any = None,
        trajectories: Any = None,
        transformer: Any = None,
        ax: Any = None,
    ) -> Self:
        """Plot real, synthetic and dropped rows of a table that was resampled before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Numbers only.
        y : array-like of shape (n_samples,)
        X_resampled : array-like or sparse matrix of shape (n_resampled, n_features)
        sample_indices : array-like of shape (n_resampled,)
            Row of `X` that each resampled row is, -1 for synthetic rows.
        rejected : array-like of shape (n_rejected, n_features), default=None
            Candidates that were generated and not kept.
        trajectories : array-like of shape (n_trajectories, n_steps, n_features), default=None
            Steps on the way to generated rows, such as the `states` that
            :meth:`skanomaly.generation.DiffusionSampler.sample_trajectories` returns.
        transformer : transformer to two columns, default=None
            As in :meth:`from_estimator`.
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        SamplerDisplay

        Raises
        ------
        ValueError
            If `sample_indices` has another length than `X_resampled`, or `trajectories` other dimensions.
        """
        rows, every, indices = _dense(X), _dense(X_resampled, "X_resampled"), np.asarray(sample_indices)
        labels = column_or_1d(y)
        if len(labels) != len(rows):
            raise ValueError(f"y has {len(labels)} labels and X has {len(rows)} rows; give one label a row.")
        if indices.shape != (len(every),):
            raise ValueError(
                f"sample_indices has shape {indices.shape} and X_resampled has {len(every)} rows; give one index a row."
            )
        if transformer is None and rows.shape[1] > 2:
            limits = SafeRange(rows, rescale="table")  # squares of huge values are no numbers
            transformer = make_pipeline(FunctionTransformer(limits.apply), PCA(2))
        with np.errstate(invalid="ignore"):  # rows that are all equal have no variance to divide by
            place = (lambda table: table) if transformer is None else clone(transformer).fit(rows).transform
        kept = np.isin(np.arange(len(rows)), indices)
        paths = None
        if trajectories is not None:
            steps = read_numbers(trajectories, "trajectories", ndim=np.ndim(trajectories))
            if steps.ndim != 3 or steps.shape[2] != rows.shape[1]:
                raise ValueError(
                    f"trajectories has shape {steps.shape}; give (n_trajectories, n_steps, {rows.shape[1]})."
                )
            paths = _two(place(steps.reshape(-1, rows.shape[1]))).reshape(*steps.shape[:2], 2)
        return cls(
            real=_two(place(rows)),
            labels=labels,
            synthetic=_two(place(every[indices < 0])) if (indices < 0).any() else np.empty((0, 2)),
            kept=kept,
            rejected=None if rejected is None or not len(rejected) else _two(place(_dense(rejected, "rejected"))),
            trajectories=paths,
            feature_names=("first component", "second component") if transformer is not None else _names(X),
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        self
        """
        ax = axes_for(ax, 1, (6.4, 4.8))
        names, sizes = np.unique(self.labels, return_counts=True)
        real = drawable(self.real)
        for place, label in enumerate(names[np.argsort(-sizes, kind="stable")]):
            rows = real[(self.labels == label) & self.kept]
            ax.scatter(
                *rows.T,
                s=14,
                color=CATEGORIES[place % len(CATEGORIES)],
                label=plain_text(f"class {label}"),
                linewidths=0,
            )
        groups = [("dropped", real[~self.kept], "x", GREY)]
        if self.rejected is not None:
            groups.append(("rejected", self.rejected, "+", GREY))
        groups.append(("synthetic", self.synthetic, "^", ORANGE))
        for label, rows, marker, colour in groups:
            if len(rows):
                ax.scatter(*drawable(rows).T, s=14, marker=marker, color=colour, alpha=0.6, label=label, linewidths=0.8)
        if self.trajectories is not None and len(self.trajectories):
            # The steps near the data; the first ones, from noise, may be anywhere.
            limits = ax.get_xlim(), ax.get_ylim()
            lines = ax.plot(
                *drawable(self.trajectories).transpose(2, 1, 0), color=GREY, linewidth=0.6, alpha=0.7, zorder=0
            )
            lines[0].set_label("trajectories")
            ax.set(xlim=limits[0], ylim=limits[1])
        ax.set(xlabel=plain_text(self.feature_names[0]), ylabel=plain_text(self.feature_names[1]))
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside the points, never over them
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _dense(X: Any, name: str = "X") -> NDArray[Any]:
    if sparse.issparse(X):
        return np.asarray(X.toarray())
    require_rows(X, name=name)
    rows = np.asarray(to_pandas(X) if frame_library(X) == "pyarrow" else X)
    try:
        rows = np.asarray(rows if rows.dtype.kind != "c" else "complex", dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} has columns that are not numbers. Give a table of numbers, such as the encoded one or X[numbers]."
        ) from None
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"{name} has shape {rows.shape}; give a table of shape (n_rows, n_columns).")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} has missing or infinite values, which have no place in the figure. Drop those rows.")
    return rows


def _names(X: Any) -> tuple[str, str]:
    """Name the axes of a table of one or two columns."""
    columns = column_names(X) or []
    shown = [str(name) for name in columns] or [f"column {place}" for place in range(np.shape(X)[1])]
    return (shown[0], shown[1]) if len(shown) > 1 else (shown[0], "")


def _two(table: Any) -> NDArray[Any]:
    table = _dense(table)
    return table if table.shape[1] >= 2 else np.hstack([table, np.zeros((len(table), 1))])
