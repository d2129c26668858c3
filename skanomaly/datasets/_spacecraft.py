"""Telemetry of two spacecraft, from an archive that is downloaded once."""

import difflib
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skanomaly._support._sklearn import validate_params
from skanomaly.datasets._download import Source, data_folder
from skanomaly.datasets._spacecraft_labels import CHANNELS

__all__ = ["fetch_spacecraft"]

_URL = "https://s3-us-west-2.amazonaws.com/telemanom/"
_URL_VARIABLE = "SKANOMALY_SPACECRAFT_URL"
_ARCHIVE = "data.zip"


@validate_params(
    {
        "channel": [str],
        "data_home": [str, os.PathLike, None],
        "base_url": [str, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_spacecraft(
    channel: str,
    *,
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch one of the 81 channels of telemetry of the satellite SMAP and the Mars rover MSL.

    The archive with all channels (85 MB) is downloaded once and stored. The extra ``datasets`` is needed.

    Parameters
    ----------
    channel : str
        Name of the channel, for example ``"A-1"`` (SMAP) or ``"T-13"`` (MSL).
    data_home : str or path-like, default=None
        Folder for the archive; None is that of scikit-learn (:func:`sklearn.datasets.get_data_home`). It is stored in
        its subfolder ``skanomaly/spacecraft``.
    base_url : str, default=None
        Address of a folder with the file ``data.zip``. None: the value of the environment variable
        ``SKANOMALY_SPACECRAFT_URL``, or the address of the publication.
    download_if_missing : bool, default=True
        If False, raise an error instead of downloading.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.

    Returns
    -------
    data : Bunch
        With the attributes ``train`` of shape (n_train, n_features), all normal, ``data`` of shape (n_timepoints,
        n_features), the test series, ``target`` of shape (n_timepoints,) with +1 normal and -1 anomaly, ``spacecraft``
        ("SMAP" or "MSL"), ``filename`` and ``DESCR``. The first column is the telemetry, the others are commands.
    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    ValueError
        If there is no such channel.
    OSError
        If the archive cannot be downloaded, lacks the channel, has another number of time points than the published
        labels, or has changed since its first use. No checksum is published: that of the first use is stored beside the
        archive, and verified from then on.
    ImportError
        If pooch is not installed.

    Notes
    -----
    The labels are part of this package (from the repository of the publication, Apache-2.0 licence), both ends of an
    interval included. Channel P-2 is labelled twice; its labels are the union. The address of the publication may no
    longer serve the archive: a copy from elsewhere can be put into the folder that the error names. Its files are found
    in any folder of the archive.

    References
    ----------
    .. [1] Hundman, K., Constantinou, V., Laporte, C., Colwell, I. and Soderstrom, T. (2018). "Detecting spacecraft
       anomalies using LSTMs and nonparametric dynamic thresholding". KDD. arXiv:1802.04431.

    Examples
    --------
    >>> from skanomaly.datasets import fetch_spacecraft
    >>> channel = fetch_spacecraft("T-13")  # doctest: +SKIP
    >>> channel.train.shape, channel.data.shape  # doctest: +SKIP
    ((1145, 55), (2430, 55))
    """
    if channel not in CHANNELS:
        near = difflib.get_close_matches(channel.upper(), CHANNELS, n=3)
        hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(f"There is no channel {channel!r}. {hint}There are {', '.join(CHANNELS)}.")
    published = CHANNELS[channel]
    source = Source(data_folder(data_home, "spacecraft"), base_url, _URL, _URL_VARIABLE, download_if_missing)
    path = source.trusted(_ARCHIVE)
    train, test = (_member(path, f"{part}/{channel}.npy") for part in ("train", "test"))
    if len(test) != published.n_timepoints:
        raise OSError(
            f"{path} has {len(test)} time points of {channel}, not {published.n_timepoints}. Delete it and fetch it "
            "again."
        )
    target = np.ones(len(test), dtype=np.int64)
    for first, last in published.intervals:
        target[first : last + 1] = -1
    if return_X_y:
        return test, target
    description = (
        f"Channel {channel} of {published.spacecraft}: {len(train)} time points for training, {len(test)} for test, "
        f"{np.count_nonzero(target == -1)} of them anomalous; {test.shape[1]} columns. +1 is normal, -1 an anomaly."
    )
    return Bunch(
        train=train,
        data=test,
        target=target,
        spacecraft=published.spacecraft,
        filename=str(path),
        DESCR=description,
    )


def _member(path: Path, name: str) -> NDArray[Any]:
    """Read one array of the archive, never a pickled object."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.namelist() if entry == name or entry.endswith(f"/{name}")]
            if not found:
                raise OSError(f"{path} has no file {name}. Delete it and fetch it again.")
            with archive.open(found[0]) as stream:
                array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except (zipfile.BadZipFile, ValueError) as error:
        raise OSError(f"{path} cannot be read: {error}. Delete it and fetch it again.") from error
    if array.ndim != 2:
        raise OSError(f"{name} in {path} has shape {array.shape}; it must be a table. Delete it and fetch it again.")
    return array
