"""Display of the scores of patches on their grids."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._display import ORANGE, axes_for, drawable, read_number, read_numbers
from skanomaly._support._labels import read_labels
from skanomaly._support._patches import grid_of
from skanomaly._support._responses import final_step

__all__ = ["PatchMapDisplay"]

_MOST_SHOWN = 6


class PatchMapDisplay:
    """Scores of the patches of some samples, each as a map over its grid.

    Parameters
    ----------
    maps : list of ndarray of shape (n_rows_i, n_columns_i)
        Scores of patches; lower is more anomalous.
    scores : ndarray of shape (n_samples,)
        Scores of the samples, shown above the maps.
    threshold : float or None, default=None
        Samples with lower scores are flagged.
    masks : list of ndarray or None, default=None
        Labels in the form of the maps; anomalous patches (-1) are framed.

    Attributes
    ----------
    ax_ : ndarray of Axes
        The axes that :meth:`plot` drew on.
    figure_ : Figure

    See Also
    --------
    skanomaly.metrics.patch_region_overlap_score : Rates maps against labels of patches.

    Examples
    --------
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.embeddings import PatchMapDisplay, PatchResidual
    >>> X_train, X_test, _, patch_labels = make_patch_grids(random_state=0)
    >>> detector = PatchResidual().fit(X_train)
    >>> display = PatchMapDisplay.from_estimator(detector, X_test[-3:], patch_labels[-3:])
    >>> [each.shape for each in display.maps]
    [(8, 8), (8, 8), (8, 8)]
    """

    def __init__(
        self,
        *,
        maps: list[NDArray[Any]],
        scores: NDArray[Any],
        threshold: float | None = None,
        masks: list[NDArray[Any]] | None = None,
    ) -> None:
        self.maps = maps
        self.scores = scores
        self.threshold = threshold
        self.masks = masks

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        patch_labels: Any = None,
        *,
        grid_shape: tuple[int, int] | None = None,
        ax: Any = None,
    ) -> Self:
        """Score samples with a fitted detector and plot their maps.

        Parameters
        ----------
        estimator : estimator
            Fitted detector of patch sets, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_patches, n_features) or list of array-like
            At most six samples are plotted, the first ones.
        patch_labels : array-like of shape (n_samples, n_patches) or list of array-like, default=None
            -1 for anomalous patches, +1 normal, 0 unlabelled; or 1 anomaly and 0 normal.
        grid_shape : tuple of two int or None, default=None
            Rows and columns of the grid. None reads a number of patches that is a square as a square grid, any other
            as one row.
        ax : sequence of matplotlib Axes, default=None
            One for each sample. None creates a figure.

        Returns
        -------
        PatchMapDisplay
        """
        check_is_fitted(estimator)
        last = final_step(estimator)
        inputs = X
        for step in [step for _, step in estimator.steps[:-1]] if hasattr(estimator, "steps") else []:
            if step not in (None, "passthrough"):
                inputs = step.transform(inputs)
        return cls.from_predictions(
            last.score_patches(inputs),
            estimator.score_samples(X),
            patch_labels,
            grid_shape=grid_shape,
            threshold=getattr(last, "offset_", None),
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        patch_scores: Any,
        scores: Any,
        patch_labels: Any = None,
        *,
        grid_shape: tuple[int, int] | None = None,
        threshold: float | None = None,
        ax: Any = None,
    ) -> Self:
        """Plot the maps of scores.

        Parameters
        ----------
        patch_scores : array-like of shape (n_samples, n_patches) or list of array-like
            As returned by ``score_patches``.
        scores : array-like of shape (n_samples,)
            As returned by ``score_samples``.
        patch_labels : array-like of shape (n_samples, n_patches) or list of array-like, default=None
        grid_shape : tuple of two int or None, default=None
        threshold : float, default=None
            Samples with lower scores are flagged.
        ax : sequence of matplotlib Axes, default=None

        Returns
        -------
        PatchMapDisplay
        """
        maps, threshold = _on_grids(patch_scores, grid_shape), read_number(threshold, "threshold")
        masks = None
        if patch_labels is not None:
            rows = [np.asarray(part).ravel() for part in patch_labels]
            if len(rows) != len(maps):
                raise ValueError(
                    f"patch_labels has {len(rows)} samples and patch_scores {len(maps)}; give one label for each patch "
                    "of each sample."
                )
            flat = read_labels(np.concatenate(rows), sum(map(len, rows)), name="patch_labels", zero="normal")
            edges = np.cumsum([0, *map(len, rows)])
            masks = _on_grids([flat[edges[i] : edges[i + 1]] for i in range(len(rows))], grid_shape)
            if [mask.shape for mask in masks] != [each.shape for each in maps]:
                raise ValueError("patch_labels must have one label for each patch of each sample.")
        numbers = np.atleast_1d(read_numbers(scores, "scores", ndim=np.ndim(scores)))
        if numbers.shape != (len(maps),) or not maps:
            raise ValueError(
                f"scores has shape {numbers.shape} and patch_scores has {len(maps)} samples; give one score for each "
                "sample, and at least one sample. A single sample is patch_scores[None]."
            )
        display = cls(maps=maps, scores=numbers, threshold=threshold, masks=masks)
        display.plot(ax=ax)
        return display

    def plot(self, ax: Any = None) -> Self:
        """Draw the maps, darker where patches are more anomalous, with one scale for all.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            One for each sample. None creates a figure.

        Returns
        -------
        self
        """
        n_shown = min(len(self.maps), _MOST_SHOWN)
        axes = np.atleast_1d(axes_for(ax, n_shown, (2.4 * n_shown, 2.8)))
        maps = [drawable(each) for each in self.maps[:n_shown]]
        drawn = np.concatenate([each[np.isfinite(each)] for each in maps])
        low, high = (float(drawn.min()), float(drawn.max())) if drawn.size else (0.0, 1.0)
        for index, panel in enumerate(axes[:n_shown]):
            panel.imshow(maps[index], cmap="Blues_r", vmin=low, vmax=high)
            panel.set(xticks=[], yticks=[])
            flagged = self.threshold is not None and self.scores[index] < self.threshold
            panel.set_title(f"{self.scores[index]:.3g}{', anomaly' if flagged else ''}", fontsize=10)
            if self.masks is not None:
                for row, column in np.argwhere(self.masks[index] == -1):
                    corners = (column - 0.5, row - 0.5)
                    panel.add_patch(_frame(corners))
        self.ax_ = axes
        self.figure_ = axes[0].figure
        return self


def _frame(corner: tuple[float, float]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, fill=False, edgecolor=ORANGE, linewidth=1.5)


def _on_grids(values: Any, grid_shape: tuple[int, int] | None) -> list[NDArray[Any]]:
    """Return the values of each sample on its grid."""
    if values is None or not np.iterable(values):
        raise TypeError(f"patch_scores is {values!r:.50}; give the scores of the patches of each sample.")
    if grid_shape is not None and not (
        np.iterable(grid_shape)
        and len(grid_shape) == 2
        and all(isinstance(side, Integral) and side > 0 for side in grid_shape)
    ):
        raise TypeError(f"grid_shape={grid_shape!r}; give (rows, columns) as two whole numbers of at least 1, or None.")
    found = []
    for index, part in enumerate(values):
        flat = read_numbers(np.asarray(part).ravel(), f"patch_scores[{index}]")
        shape = grid_of(len(flat)) if grid_shape is None else tuple(grid_shape)
        if int(np.prod(shape)) != len(flat):
            raise ValueError(
                f"grid_shape={grid_shape} has {int(np.prod(shape))} patches; sample {index} has {len(flat)}."
            )
        found.append(flat.reshape(shape))
    return found
