"""Tables of the ADBench collections, downloaded once, verified, and stored in scikit-learn's data folder."""

import difflib
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skanomaly._support._sklearn import StrOptions, validate_params
from skanomaly.datasets._adbench_embeddings import COLLECTIONS, EMBEDDINGS
from skanomaly.datasets._adbench_tables import TABLES, Table
from skanomaly.datasets._download import Source, data_folder, delete_file
from skanomaly.datasets._npz import load_npz

__all__ = ["fetch_adbench"]

# The repository of the collection, at a fixed revision.
_URL = "https://raw.githubusercontent.com/Minqi824/ADBench/3dac8221081e190f157d78e93bfa8867f90d0965/adbench/datasets/"
_URL_VARIABLE = "SKANOMALY_ADBENCH_URL"
_BLOCK_ROWS = 65536


@validate_params(
    {
        "name": [str],
        "collection": [StrOptions(set(COLLECTIONS))],
        "data_home": [str, os.PathLike, None],
        "base_url": [str, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_adbench(
    name: str,
    *,
    collection: str = "Classical",
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch one of the 47 classical tables of ADBench, or one of its tables of embeddings.

    The table is downloaded once and stored. The extra ``datasets`` is needed.

    Parameters
    ----------
    name : str
        Name in the collection, for example ``"cardio"`` or ``"InternetAds"``; the case of letters is ignored. For a
        table of embeddings the name of its file without the ending, for example ``"MVTec-AD_bottle"``, ``"CIFAR10_0"``
        or ``"20news_3"``, in the case of letters of the file.
    collection : {"Classical", "CV_by_ResNet18", "CV_by_ViT", "NLP_by_BERT", "NLP_by_RoBERTa"}, default="Classical"
        Folder of the collection: classical tables, or embeddings of images or texts by the network named. The tables of
        "CV_by_ViT" have the 1,000 outputs of a classifier, not pooled features.
    data_home : str or path-like, default=None
        Folder for the files. None: that of scikit-learn (:func:`sklearn.datasets.get_data_home`), which is
        ``~/scikit_learn_data`` or the value of the environment variable ``SCIKIT_LEARN_DATA``). The file is stored in
        its subfolder ``skanomaly/adbench``, a table of embeddings in one for its collection below that.
    base_url : str, default=None
        Address of the folder with the files. None: the value of the environment variable
        ``SKANOMALY_ADBENCH_URL``, or the repository of the collection.
    download_if_missing : bool, default=True
        If False, raise an error instead of downloading.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.
    as_frame : bool, default=False
        Return a pandas frame and series; columns are named ``x0``, ``x1``, ...

    Returns
    -------
    data : Bunch
        With the attributes ``data`` of shape (n_samples, n_features), in the dtype of the file, ``target`` of shape
        (n_samples,) with +1 normal and -1 anomaly, ``frame`` (both together, only with ``as_frame=True``, else None),
        ``feature_names``, ``filename`` and ``DESCR``.
    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    ValueError
        If the collection has no table of this name.
    OSError
        If the table cannot be downloaded, or differs from the published one: for classical tables the size, the number
        of anomalies and, for 26 of them, a checksum of the contents are verified each time, and for 16 tables of
        embeddings too. A wrong file is deleted. For the other tables of embeddings no checksum is known: that of the
        first use is stored beside the file, and verified from then on.
    ImportError
        If pooch is not installed.

    See Also
    --------
    load_npz : Load a table from a file.
    load_breast_cancer_anomalies : A table that needs no download.

    References
    ----------
    .. [1] Songqiao Han, Xiyang Hu, Hailiang Huang, Minqi Jiang, Yue Zhao. ADBench: Anomaly Detection Benchmark.
       NeurIPS, Datasets and Benchmarks, 2022. arXiv:2206.09426.

    Examples
    --------
    >>> from skanomaly.datasets import fetch_adbench
    >>> X, y = fetch_adbench("cardio", return_X_y=True)  # doctest: +SKIP
    >>> X.shape, int((y == -1).sum())  # doctest: +SKIP
    ((1831, 21), 176)
    """
    folder = data_folder(data_home, "adbench")
    if collection != "Classical":
        folder /= collection
    source = Source(folder, base_url, f"{_URL}{collection}/", _URL_VARIABLE, download_if_missing)
    if collection == "Classical":
        known = _resolve(name)
        table = TABLES[known]
        path = source.stored(f"{table.number}_{known}.npz")
        X, y = _checked(path, known, table)
        title = f"{known}, table {table.number} of ADBench's classical collection"
    else:
        path = source.trusted(f"{name}.npz")
        X, y = _checked(path, name, _published(collection, name))
        title = f"{name} of ADBench's collection {collection}"
    return _bundle(X, y, path, title, return_X_y=return_X_y, as_frame=as_frame)


def _published(collection: str, name: str) -> Table | None:
    """Return what is known of a table of embeddings, if its contents could be verified."""
    known = EMBEDDINGS.get((collection, name))
    n_features = COLLECTIONS[collection]
    if known is None or n_features is None:
        return None
    return Table(0, known.n_samples, n_features, known.n_anomalies, known.digest)


def _resolve(name: str) -> str:
    """Return the name of the table in the spelling of the collection."""
    spelled = {known.lower(): known for known in TABLES}
    if name.lower() in spelled:
        return spelled[name.lower()]
    near = difflib.get_close_matches(name.lower(), spelled, n=3)
    hint = f"Did you mean {' or '.join(repr(spelled[match]) for match in near)}? " if near else ""
    raise ValueError(f"ADBench has no classical table {name!r}. {hint}It has {', '.join(TABLES)}.")


def _checked(path: Path, name: str, table: Table | None) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Load the file and compare it with the published table; delete it if they differ."""
    try:
        X, y = load_npz(path)
    except ValueError as error:
        delete_file(path)
        raise OSError(f"{error}\nThe file was deleted; fetch {name!r} again.") from error
    if table is None:
        return X, y
    n_anomalies = int(np.count_nonzero(y == -1))
    fault = ""
    if (*X.shape, n_anomalies) != (table.n_samples, table.n_features, table.n_anomalies):
        fault = (
            f"has {X.shape[0]} rows, {X.shape[1]} columns and {n_anomalies} anomalies, "
            f"not {table.n_samples}, {table.n_features} and {table.n_anomalies}"
        )
    elif table.digest is not None and _digest(X, y, "<f8" if table.number else "<f4") != table.digest:
        fault = "has other contents than the verified table (checksum differs)"
    if fault:
        delete_file(path)
        raise OSError(f"{path} {fault}. The file was deleted; fetch {name!r} again, or from another server.")
    return X, y


def _digest(X: NDArray[Any], y: NDArray[np.int64], dtype: str) -> str:
    """Compute the checksum of a table's contents."""
    digest = hashlib.sha256(f"{X.shape[0]} {X.shape[1]}\n".encode("ascii"))
    for start in range(0, len(X), _BLOCK_ROWS):
        digest.update(np.ascontiguousarray(X[start : start + _BLOCK_ROWS], dtype=dtype).data)
    digest.update((y == -1).astype(np.int8).data)
    return digest.hexdigest()


def _bundle(
    X: NDArray[Any], y: NDArray[np.int64], path: Path, title: str, *, return_X_y: bool, as_frame: bool
) -> Bunch | tuple[Any, Any]:
    """Return the data in the form of scikit-learn's fetchers."""
    names = [f"x{index}" for index in range(X.shape[1])]
    data: Any = X
    target: Any = y
    frame = None
    if as_frame:
        import pandas as pd

        data = pd.DataFrame(X, columns=names)
        target = pd.Series(y, name="target")
        frame = data.assign(target=target)
    if return_X_y:
        return data, target
    n_anomalies = int(np.count_nonzero(y == -1))
    description = (
        f"{title}: {X.shape[0]} rows, {X.shape[1]} columns, {n_anomalies} anomalies ({n_anomalies / len(X):.2%}). "
        "+1 is normal, -1 an anomaly."
    )
    return Bunch(data=data, target=target, frame=frame, feature_names=names, filename=str(path), DESCR=description)
