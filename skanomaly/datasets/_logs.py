"""Logs as traces of events: a simulated one that is embedded, and the sessions of HDFS to be fetched."""

import gzip
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skanomaly._support._sklearn import validate_params
from skanomaly.datasets._download import Source, data_folder

__all__ = ["fetch_hdfs", "load_storage_log", "simulate_storage_log"]

_URL = "https://raw.githubusercontent.com/wuyifan18/DeepLog/master/data/"
_URL_VARIABLE = "SKANOMALY_HDFS_URL"
_SESSIONS = {"hdfs_train": 4855, "hdfs_test_normal": 553366, "hdfs_test_abnormal": 16838}
_N_NORMAL, _N_ANOMALIES = 1200, 60
_FAULTS = ("lost_copy", "failed_write", "read_after_delete", "cut_off", "endless_retries")
_STORAGE_LOG = """\
A simulated log of a file store
-------------------------------

Number of traces: 1260, one for each block of data, of which 60 are anomalous. The events are words, such as "allocate",
"receive" and "stored".

A block is allocated, and each of three copies is received and stored, in an order that differs between blocks. One in
five copies is received a second time after a retry. Then the block is read zero to six times, with verifications
between; one in four blocks is copied to a further machine. Most blocks are deleted at last, on each machine.

There are 12 blocks with each of five faults. "lost_copy": a copy is received, but never stored. "failed_write": an
exception takes the place of one "stored", and the copy is not repeated. "read_after_delete": the block is read after it
has been deleted. "cut_off": the trace ends before all copies are stored. "endless_retries": a copy is received 8 to 15
times before it is stored.

The log is the output of a simulation for this package, in the manner of the log of a distributed file system. It holds
no recorded data, and has the licence of the package.
"""


@validate_params({"return_X_y": ["boolean"]}, prefer_skip_nested_validation=True)
def load_storage_log(*, return_X_y: bool = False) -> Bunch | tuple[list[list[str]], Any]:
    """Load a simulated log of a file store, as traces of events with five kinds of faults.

    Nothing is downloaded: the log is part of this package.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.

    Returns
    -------
    data : Bunch
        With the attributes ``data``, a list of 1,260 lists of str, ``target`` of shape (1260,) with +1 normal and -1
        anomaly, ``faults`` of shape (1260,), the kind of fault or "normal", ``filename`` and ``DESCR``, which describes
        the simulation.
    (data, target) : tuple
        If ``return_X_y`` is True.

    See Also
    --------
    fetch_hdfs : The recorded log on which most methods are compared.

    Examples
    --------
    >>> from skanomaly.datasets import load_storage_log
    >>> X, y = load_storage_log(return_X_y=True)
    >>> len(X), int((y == -1).sum()), X[0][:4]
    (1260, 60, ['allocate', 'receive', 'stored', 'receive'])
    """
    resource = files("skanomaly.datasets") / "_data" / "storage_log.json.gz"
    log = json.loads(gzip.decompress(resource.read_bytes()))
    traces = [[log["events"][token] for token in trace] for trace in log["traces"]]
    faults = np.array([log["faults"].get(str(index), "normal") for index in range(len(traces))])
    target = np.where(faults == "normal", 1, -1).astype(np.int64)
    if return_X_y:
        return traces, target
    return Bunch(data=traces, target=target, faults=faults, filename=str(resource), DESCR=_STORAGE_LOG)


def simulate_storage_log(rng: np.random.Generator) -> tuple[list[list[str]], list[str]]:
    """Simulate the traces and faults of :func:`load_storage_log`, which were made with ``default_rng(0)``."""
    kinds = rng.permutation(np.arange(_N_NORMAL + _N_ANOMALIES)).tolist()
    faults = ["normal" if kind < _N_NORMAL else _FAULTS[kind % len(_FAULTS)] for kind in kinds]
    return [_trace(fault, rng) for fault in faults], faults


def _trace(fault: str, rng: np.random.Generator) -> list[str]:
    """Simulate the trace of one block."""
    copies = [["receive", "retry", "receive", "stored"] if rng.random() < 0.2 else ["receive", "stored"] for _ in "123"]
    chosen = int(rng.integers(3))
    if fault == "lost_copy":
        copies[chosen] = copies[chosen][:-1]
    elif fault == "failed_write":
        copies[chosen][-1] = "exception"
    elif fault == "endless_retries":
        copies[chosen] = ["receive", *["retry", "receive"] * int(rng.integers(7, 15)), "stored"]
    trace = ["allocate"]
    while any(copies):
        open_copies = [copy for copy in copies if copy]
        trace.append(open_copies[int(rng.integers(len(open_copies)))].pop(0))
    if fault == "cut_off":
        last = len(trace) - trace[::-1].index("stored")
        return trace[: int(rng.integers(2, last - 1))]
    for _ in range(int(rng.integers(7))):
        trace += ["read", "verify"] if rng.random() < 0.3 else ["read"]
    if rng.random() < 0.25:
        trace += ["replicate", "receive", "stored"]
    if fault == "read_after_delete":
        return [*trace, *["delete"] * 3, *["read"] * int(rng.integers(1, 4))]
    return trace + ["delete"] * 3 if rng.random() < 0.8 else trace


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "base_url": [str, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_hdfs(
    *,
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[list[list[int]], Any]:
    """Fetch the sessions of HDFS, a log of a distributed file system, as sequences of event keys.

    Three files are downloaded once and stored. The extra ``datasets`` is needed.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder for the files; None is that of scikit-learn (:func:`sklearn.datasets.get_data_home`). They are stored in
        its subfolder ``skanomaly/hdfs``.
    base_url : str, default=None
        Address of the folder with the files ``hdfs_train``, ``hdfs_test_normal`` and ``hdfs_test_abnormal``. None: the
        value of the environment variable ``SKANOMALY_HDFS_URL``, or a public repository with them.
    download_if_missing : bool, default=True
        If False, raise an error instead of downloading.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.

    Returns
    -------
    data : Bunch
        With the attributes ``train``, a list of 4,855 normal sessions, each a list of int, ``data``, a list of 570,204
        sessions for test, ``target`` of shape (570204,) with +1 normal and -1 anomaly, ``filenames`` and ``DESCR``.
    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    OSError
        If a file cannot be downloaded, has another number of sessions than the published one, or has changed since its
        first use. No checksum is published: that of the first use is stored beside the file, and verified from then on.
    ImportError
        If pooch is not installed.

    See Also
    --------
    load_storage_log : A simulated log that needs no download.

    Notes
    -----
    Of the first 7,000 normal test sessions 6,262 are copies of a training session: compare methods on distinct sessions
    too.

    References
    ----------
    .. [1] Du, M., Li, F., Zheng, G. and Srikumar, V. (2017). "DeepLog: Anomaly detection and diagnosis from system logs
       through deep learning". CCS. https://doi.org/10.1145/3133956.3134015

    Examples
    --------
    >>> from skanomaly.datasets import fetch_hdfs
    >>> sessions = fetch_hdfs()  # doctest: +SKIP
    >>> len(sessions.train), len(sessions.data)  # doctest: +SKIP
    (4855, 570204)
    """
    source = Source(data_folder(data_home, "hdfs"), base_url, _URL, _URL_VARIABLE, download_if_missing)
    paths = [source.trusted(file_name) for file_name in _SESSIONS]
    train, normal, anomalous = (_read(path) for path in paths)
    target = np.repeat(np.array([1, -1], dtype=np.int64), [len(normal), len(anomalous)])
    if return_X_y:
        return normal + anomalous, target
    return Bunch(
        train=train,
        data=normal + anomalous,
        target=target,
        filenames=[str(path) for path in paths],
        DESCR=(
            f"Sessions of HDFS as sequences of event keys (Du et al., 2017): {len(train)} normal ones for training, "
            f"{len(normal)} normal and {len(anomalous)} anomalous ones for test. +1 is normal, -1 an anomaly."
        ),
    )


def _read(path: Path) -> list[list[int]]:
    """Read one session of each line that is not empty."""
    try:
        with path.open(encoding="ascii") as stream:
            sessions = [[int(key) for key in line.split()] for line in stream if line.strip()]
    except ValueError as error:
        raise OSError(f"{path} has no event keys: {error}. Delete it and fetch it again.") from error
    if len(sessions) != _SESSIONS[path.name]:
        raise OSError(f"{path} has {len(sessions)} sessions, not {_SESSIONS[path.name]}. Delete it and fetch it again.")
    return sessions
