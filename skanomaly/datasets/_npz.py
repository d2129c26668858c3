"""Tables kept as npz files with the keys X and y."""

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._labels import read_labels
from skanomaly._support._npz import read_npz

__all__ = ["load_npz"]


def load_npz(path: str | PathLike[str], *, pos_label: Any = None) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Load a labelled table from an npz file with the keys ``X`` and ``y``.

    Parameters
    ----------
    path : str or path-like
        File written by :func:`numpy.savez` or :func:`numpy.savez_compressed`. Pickled objects are never loaded.
    pos_label : label, default=None
        Label of the anomalies; all other labels are normal. None recognises -1, or 1 in labels of 0 and 1.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Numbers, in the dtype of the file.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly, 0 unlabelled. In the file, anomalies are 1 and normal rows 0, or they are -1 and +1,
        with 0 for unlabelled.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is not an npz file or is damaged, a key is missing, X is not a numeric table, or y has another
        length or unknown labels.

    See Also
    --------
    fetch_adbench : Fetch a table of the ADBench collection.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skanomaly.datasets import load_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "table.npz"
    ...     np.savez(path, X=[[0.0, 1.0], [0.5, 1.5], [9.0, 9.0]], y=[0, 0, 1])
    ...     X, y = load_npz(path)
    >>> X.shape, y
    ((3, 2), array([ 1,  1, -1]))
    """
    path = Path(fspath(path))
    arrays, _ = read_npz(path, required=("X", "y"))
    X = arrays["X"]
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise ValueError(f"X in {path} has shape {X.shape} and dtype {X.dtype}; it must be a table of numbers.")
    labels = arrays["y"][:, 0] if arrays["y"].ndim == 2 and arrays["y"].shape[1] == 1 else arrays["y"]
    labels = read_labels(labels, name=f"y in {path}", pos_label=pos_label).astype(np.int64)
    if len(labels) != len(X):
        raise ValueError(f"y in {path} has {len(labels)} labels and X has {len(X)} rows; the numbers differ.")
    return X, labels
