"""Series of the Numenta Anomaly Benchmark: one embedded, all to be fetched."""

import difflib
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skanomaly._support._sklearn import validate_params
from skanomaly.datasets._download import Source, data_folder
from skanomaly.datasets._nab_series import SERIES

__all__ = ["fetch_nab", "load_nyc_taxi"]

# The repository of the benchmark, at a revision under the MIT licence.
_URL = "https://raw.githubusercontent.com/numenta/NAB/ea702d75cc2258d9d7dd35ca8e5e2539d71f3140/"
_URL_VARIABLE = "SKANOMALY_NAB_URL"
_WINDOWS = "labels/combined_windows.json"
_TAXI = """\
Passengers of New York's taxis
------------------------------

Number of time points: 10320, one for each half hour from 1 July 2014 to 31 January 2015. Number of channels: 1.
Labels: -1 in five windows of 207 time points (10 %), around the New York marathon, Thanksgiving, Christmas, New Year's
Day and a snow storm; +1 elsewhere. The windows are wider than the events.

Series realKnownCause/nyc_taxi of the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015), from records of New York's Taxi
and Limousine Commission. Copyright 2014-2024 Numenta Inc., MIT licence; its text is in the file nyc_taxi.LICENSE of the
folder of this module.
"""


@validate_params({"return_X_y": ["boolean"], "as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_nyc_taxi(*, return_X_y: bool = False, as_frame: bool = False) -> Bunch | tuple[Any, Any]:
    """Load the number of passengers of New York's taxis, a series with five labelled events.

    Nothing is downloaded: the series is part of this package.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.
    as_frame : bool, default=False
        Return a pandas frame and series, whose index is the time, instead of arrays.

    Returns
    -------
    data : Bunch
        With the attributes ``data`` of shape (10320, 1), ``target`` of shape (10320,) with +1 normal and -1 anomaly,
        ``times`` of shape (10320,), datetime64, ``frame`` (data and target, only with ``as_frame=True``, else None),
        ``feature_names``, ``filename`` and ``DESCR``.
    (data, target) : tuple
        If ``return_X_y`` is True.

    See Also
    --------
    fetch_nab : All series of the benchmark.
    load_storage_log : An embedded log.

    References
    ----------
    .. [1] Lavin, A. and Ahmad, S. (2015). "Evaluating real-time anomaly detection algorithms - the Numenta anomaly
       benchmark". ICMLA. arXiv:1510.03336.

    Examples
    --------
    >>> from skanomaly.datasets import load_nyc_taxi
    >>> X, y = load_nyc_taxi(return_X_y=True)
    >>> X.shape, int((y == -1).sum())
    ((10320, 1), 1035)
    """
    resource = files("skanomaly.datasets") / "_data" / "nyc_taxi.npz"
    with resource.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        passengers, anomalous = arrays["passengers"].astype(np.float64), arrays["anomalous"]
    times = np.datetime64("2014-07-01T00:00:00", "s") + np.timedelta64(1800, "s") * np.arange(len(passengers))
    target = np.ones(len(passengers), dtype=np.int64)
    for start, stop in anomalous.tolist():
        target[start:stop] = -1
    return _bundle(
        passengers[:, None], target, times, "passengers", str(resource), _TAXI, return_X_y=return_X_y, as_frame=as_frame
    )


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
def fetch_nab(
    name: str,
    *,
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch one of the 58 series of the Numenta Anomaly Benchmark.

    The series and the labels of all series are downloaded once and stored. The extra ``datasets`` is needed.

    Parameters
    ----------
    name : str
        Name in the benchmark, with or without its folder: ``"realKnownCause/nyc_taxi"`` or ``"nyc_taxi"``.
    data_home : str or path-like, default=None
        Folder for the files; None is that of scikit-learn (:func:`sklearn.datasets.get_data_home`). They are stored in
        its subfolder ``skanomaly/nab``.
    base_url : str, default=None
        Address of a copy of the repository. None: the value of the environment variable ``SKANOMALY_NAB_URL``, or the
        repository at a fixed revision.
    download_if_missing : bool, default=True
        If False, raise an error instead of downloading.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.
    as_frame : bool, default=False
        Return a pandas frame and series, whose index is the time, instead of arrays.

    Returns
    -------
    data : Bunch
        With the attributes of :func:`load_nyc_taxi`. A time point inside a window of the benchmark, both ends included,
        has the label -1.
    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    ValueError
        If the benchmark has no series of this name.
    OSError
        If a file cannot be downloaded, has another number of time points than the published series, or has changed
        since its first use. No checksum is published: that of the first use is stored beside the file, and verified
        from then on.
    ImportError
        If pooch is not installed.

    See Also
    --------
    load_nyc_taxi : The series of the taxis, without a download.
    skanomaly.metrics.nab_score : The score of the benchmark.

    References
    ----------
    .. [1] Lavin, A. and Ahmad, S. (2015). "Evaluating real-time anomaly detection algorithms - the Numenta anomaly
       benchmark". ICMLA. arXiv:1510.03336.

    Examples
    --------
    >>> from skanomaly.datasets import fetch_nab
    >>> X, y = fetch_nab(
    ...     "machine_temperature_system_failure", return_X_y=True
    ... )  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (22695, 1)
    """
    known = _resolve(name)
    source = Source(data_folder(data_home, "nab"), base_url, _URL, _URL_VARIABLE, download_if_missing)
    series, labels = source.trusted(f"data/{known}.csv"), source.trusted(_WINDOWS)
    values, times, target = _read(series, labels, known)
    description = (
        f"Series {known} of the Numenta Anomaly Benchmark: {len(values)} time points, {(target == -1).sum()} of them "
        "in labelled windows. +1 is normal, -1 an anomaly. Copyright 2014-2024 Numenta Inc., MIT licence."
    )
    return _bundle(values, target, times, "value", str(series), description, return_X_y=return_X_y, as_frame=as_frame)


def _resolve(name: str) -> str:
    """Return the name of the series with its folder."""
    short = {known.partition("/")[2]: known for known in SERIES}
    if name in SERIES or name in short:
        return short.get(name, name)
    near = difflib.get_close_matches(name.rpartition("/")[2], short, n=3)
    hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise ValueError(f"The benchmark has no series {name!r}. {hint}It has {', '.join(SERIES)}.")


def _read(series: Path, labels: Path, name: str) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.int64]]:
    """Read a series and its windows."""
    try:
        table = pd.read_csv(series, parse_dates=["timestamp"])
        values = table["value"].to_numpy(dtype=np.float64)[:, None]
        windows = json.loads(labels.read_text(encoding="utf-8"))[f"{name}.csv"]
    except (ValueError, KeyError) as error:
        raise OSError(
            f"{series} and {labels} are not files of the benchmark: {error}. Delete and fetch them."
        ) from error
    if len(values) != SERIES[name]:
        raise OSError(
            f"{series} has {len(values)} time points, not {SERIES[name]}. Delete it and fetch {name!r} again."
        )
    times = table["timestamp"].to_numpy().astype("datetime64[s]")
    target = np.ones(len(values), dtype=np.int64)
    for start, stop in windows:
        inside = (times >= np.datetime64(pd.Timestamp(start), "s")) & (times <= np.datetime64(pd.Timestamp(stop), "s"))
        target[inside] = -1
    return values, times, target


def _bundle(
    values: NDArray[np.float64],
    target: NDArray[np.int64],
    times: NDArray[Any],
    feature: str,
    file_name: str,
    description: str,
    *,
    return_X_y: bool,
    as_frame: bool,
) -> Bunch | tuple[Any, Any]:
    """Return a series in the form of scikit-learn's fetchers."""
    X: Any = values
    y: Any = target
    frame = None
    if as_frame:
        index = pd.DatetimeIndex(times, name="time")
        X, y = pd.DataFrame(values, columns=[feature], index=index), pd.Series(target, name="target", index=index)
        frame = X.assign(target=y)
    if return_X_y:
        return X, y
    return Bunch(
        data=X,
        target=y,
        times=times,
        frame=frame,
        feature_names=[feature],
        filename=file_name,
        DESCR=description,
    )
