"""Tables of the ADBench collection, downloaded once, verified, and stored in scikit-learn's data folder."""

import difflib
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from skanomaly._support._optional import import_optional
from skanomaly._support._sklearn import validate_params
from skanomaly.datasets._adbench_tables import TABLES, Table
from skanomaly.datasets._npz import load_npz

__all__ = ["fetch_adbench"]

# The repository of the collection, at a fixed revision.
_URL = (
    "https://raw.githubusercontent.com/Minqi824/ADBench/3dac8221081e190f157d78e93bfa8867f90d0965"
    "/adbench/datasets/Classical/"
)
_URL_VARIABLE = "SKANOMALY_ADBENCH_URL"
_TIMEOUT_SECONDS = 30
_BLOCK_ROWS = 65536


@validate_params(
    {
        "name": [str],
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
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch one of the 47 classical tables of the ADBench collection.

    The table is downloaded once and stored. The extra ``datasets`` is needed.

    Parameters
    ----------
    name : str
        Name in the collection, for example ``"cardio"`` or ``"InternetAds"``; the case of letters is ignored.
    data_home : str or path-like, default=None
        Folder for the files. None: that of scikit-learn (:func:`sklearn.datasets.get_data_home`), which is
        ``~/scikit_learn_data`` or the value of the environment variable ``SCIKIT_LEARN_DATA``). The file is stored in
        its subfolder ``skanomaly/adbench``.
    base_url : str, default=None
        Address of the folder to download from. None: the value of the environment variable
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
        If the table cannot be downloaded, or differs from the published one: the size, the number of anomalies and,
        for 26 tables, a checksum of the contents are verified each time. A wrong file is deleted.
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
    known = _resolve(name)
    table = TABLES[known]
    file_name = f"{table.number}_{known}.npz"
    folder = Path(get_data_home(data_home)) / "skanomaly" / "adbench"
    path = folder / file_name
    if not path.exists():
        url = base_url or os.environ.get(_URL_VARIABLE) or _URL
        if not download_if_missing:
            raise OSError(f"The table {known!r} is not at {path}, and download_if_missing is False.")
        _download(url, folder, file_name)
    X, y = _checked(path, known, table)
    return _bundle(X, y, path, known, return_X_y=return_X_y, as_frame=as_frame)


def _resolve(name: str) -> str:
    """Return the name of the table in the spelling of the collection."""
    spelled = {known.lower(): known for known in TABLES}
    if name.lower() in spelled:
        return spelled[name.lower()]
    near = difflib.get_close_matches(name.lower(), spelled, n=3)
    hint = f"Did you mean {' or '.join(repr(spelled[match]) for match in near)}? " if near else ""
    raise ValueError(f"ADBench has no classical table {name!r}. {hint}It has {', '.join(TABLES)}.")


def _download(url: str, folder: Path, file_name: str) -> None:
    """Download one file, or raise an error with a remedy."""
    pooch = import_optional("pooch", extra="datasets")
    source = url.rstrip("/") + "/"
    registry = pooch.create(path=folder, base_url=source, registry={file_name: None})
    try:
        registry.fetch(file_name, downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS))
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        raise OSError(
            f"Could not download {source}{file_name}: {error}\n"
            f"Without a network, copy {file_name} from another machine to {folder}, or give the address of a "
            f"server that you can reach as base_url or in the environment variable {_URL_VARIABLE}."
        ) from error


def _checked(path: Path, name: str, table: Table) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Load the file and compare it with the published table; delete it if they differ."""
    try:
        X, y = load_npz(path)
    except ValueError as error:
        path.unlink()
        raise OSError(f"{error}\nThe file was deleted; fetch {name!r} again.") from error
    n_anomalies = int(np.count_nonzero(y == -1))
    fault = ""
    if (*X.shape, n_anomalies) != (table.n_samples, table.n_features, table.n_anomalies):
        fault = (
            f"has {X.shape[0]} rows, {X.shape[1]} columns and {n_anomalies} anomalies, "
            f"not {table.n_samples}, {table.n_features} and {table.n_anomalies}"
        )
    elif table.digest is not None and _digest(X, y) != table.digest:
        fault = "has other contents than the verified table (checksum differs)"
    if fault:
        path.unlink()
        raise OSError(f"{path} {fault}. The file was deleted; fetch {name!r} again, or from another server.")
    return X, y


def _digest(X: NDArray[Any], y: NDArray[np.int64]) -> str:
    """Compute the checksum of a table's contents."""
    digest = hashlib.sha256(f"{X.shape[0]} {X.shape[1]}\n".encode("ascii"))
    for start in range(0, len(X), _BLOCK_ROWS):
        digest.update(np.ascontiguousarray(X[start : start + _BLOCK_ROWS], dtype="<f8").data)
    digest.update((y == -1).astype(np.int8).data)
    return digest.hexdigest()


def _bundle(
    X: NDArray[Any], y: NDArray[np.int64], path: Path, name: str, *, return_X_y: bool, as_frame: bool
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
    table = TABLES[name]
    description = (
        f"{name}, table {table.number} of ADBench's classical collection: {table.n_samples} rows, "
        f"{table.n_features} columns, {table.n_anomalies} anomalies ({table.n_anomalies / table.n_samples:.2%}). "
        "+1 is normal, -1 an anomaly."
    )
    return Bunch(data=data, target=target, frame=frame, feature_names=names, filename=str(path), DESCR=description)
