"""Which time points the steps of a Chronos model stand for."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Steps", "documented_steps"]


class Steps(NamedTuple):
    """How a model divides a window into steps.

    Parameters
    ----------
    patch : int
        Time points per step. A first step with fewer stands for the beginning of the window.
    n_marks : int
        Steps at the end that stand for no time point.
    context : int
        Most time points that the model sees.
    """

    patch: int
    n_marks: int
    context: int

    def of_timepoints(self, n_steps: int, n_timepoints: int) -> NDArray[np.intp]:
        """Return the step of each time point.

        Parameters
        ----------
        n_steps : int
            Steps that the model returned.
        n_timepoints : int

        Raises
        ------
        ValueError
            If the window is longer than the context, or the number of steps is not the documented one.
        """
        if n_timepoints > self.context:
            raise ValueError(
                f"windows have {n_timepoints} time points and the model sees {self.context}: use a window_size of "
                f"{self.context} at the most."
            )
        n_patches = -(-n_timepoints // self.patch)
        if n_steps != n_patches + self.n_marks:
            raise ValueError(
                f"the model returned {n_steps} embeddings for windows of {n_timepoints} time points, and "
                f"{n_patches + self.n_marks} are documented for patches of {self.patch} and {self.n_marks} marks. "
                "Use a version of chronos-forecasting whose output has this shape."
            )
        n_missing = n_patches * self.patch - n_timepoints  # before the first time point
        return np.asarray((np.arange(n_timepoints) + n_missing) // self.patch)


def documented_steps(pipeline: Any) -> Steps | None:
    """Return the steps of a model of the families T5 and Bolt, from its configuration.

    Parameters
    ----------
    pipeline : object

    Returns
    -------
    Steps or None
        None if the pipeline has no configuration of either family, and is no class of the package `chronos`.

    Raises
    ------
    ValueError
        If it is of another family of the package, has no encoder, or its patches overlap.
    """
    model = getattr(pipeline, "model", None)
    bolt: Any = getattr(model, "chronos_config", None)
    tokens: Any = getattr(model, "config", None)
    if all(hasattr(bolt, name) for name in ("input_patch_size", "input_patch_stride", "use_reg_token")) and not hasattr(
        bolt, "time_encoding_scale"
    ):
        if bolt.input_patch_stride != bolt.input_patch_size:
            raise ValueError(
                f"the patches of the model have {bolt.input_patch_size} time points and begin every "
                f"{bolt.input_patch_stride}; a time point of overlapping patches has no embedding of its own."
            )
        return Steps(int(bolt.input_patch_size), int(bool(bolt.use_reg_token)), int(bolt.context_length))
    if all(hasattr(tokens, name) for name in ("use_eos_token", "model_type", "context_length")):
        if tokens.model_type != "seq2seq":
            raise ValueError(f"the model is of type {tokens.model_type!r} and has no encoder; use a T5 or Bolt model.")
        return Steps(1, int(bool(tokens.use_eos_token)), int(tokens.context_length))
    if type(pipeline).__module__.partition(".")[0] == "chronos":
        raise ValueError(
            f"{type(pipeline).__name__} is of neither the T5 nor the Bolt family of Chronos, so that its steps cannot "
            "be assigned to time points. Use a model such as 'amazon/chronos-t5-small' or 'amazon/chronos-bolt-small'."
        )
    return None
