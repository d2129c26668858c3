import hashlib
import json
import socket
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from skanomaly.datasets import _logs as logs
from skanomaly.datasets import (
    fetch_hdfs,
    fetch_nab,
    fetch_spacecraft,
    load_nyc_taxi,
    load_storage_log,
)
from skanomaly.datasets._nab_series import SERIES
from skanomaly.datasets._spacecraft_labels import CHANNELS
from skanomaly.events import EventCountDetector, NGramDetector
from skanomaly.metrics import roc_auc_score
from skanomaly.sequence import SubsequenceNeighbors

FETCHERS = {
    fetch_nab: (("nyc_taxi",), "nab/data/realKnownCause/nyc_taxi.csv", "SKANOMALY_NAB_URL"),
    fetch_spacecraft: (("T-13",), "spacecraft/data.zip", "SKANOMALY_SPACECRAFT_URL"),
    fetch_hdfs: ((), "hdfs/hdfs_train", "SKANOMALY_HDFS_URL"),
}


@pytest.fixture
def nab(server):
    """A copy of the repository with one series, whose windows are the rows 10 to 20 and 40."""
    folder = server.folder / "data" / "realTraffic"
    folder.mkdir(parents=True)
    times = pd.date_range("2015-09-08 11:39:00", periods=SERIES["realTraffic/speed_7578"], freq="5min")
    table = pd.DataFrame({"timestamp": times, "value": np.arange(len(times)) / 7})
    table.to_csv(folder / "speed_7578.csv", index=False)
    windows = [[f"{times[first]}.000000", f"{times[last]}.000000"] for first, last in ((10, 20), (40, 40))]
    (server.folder / "labels").mkdir()
    (server.folder / "labels" / "combined_windows.json").write_text(json.dumps({"realTraffic/speed_7578.csv": windows}))
    return table


def _archive(path, channel, n_timepoints=None, prefix="data/data/"):
    """Write an archive with one channel, in folders as some copies have them."""
    published = CHANNELS[channel]
    arrays = {"train": np.zeros((50, 3)), "test": np.ones((n_timepoints or published.n_timepoints, 3))}
    with zipfile.ZipFile(path, "w") as archive:
        for part, array in arrays.items():
            with archive.open(f"{prefix}{part}/{channel}.npy", "w") as stream:
                np.lib.format.write_array(stream, array)


def test_nab_labels_are_the_windows_with_both_ends(server, nab, tmp_path):
    series = fetch_nab("speed_7578", data_home=tmp_path / "home", base_url=server.url)
    np.testing.assert_array_equal(series.data[:, 0], nab["value"])
    np.testing.assert_array_equal(np.flatnonzero(series.target == -1), [*range(10, 21), 40])
    np.testing.assert_array_equal(series.times, nab["timestamp"].to_numpy())
    assert "12 of them in labelled windows" in series.DESCR


@pytest.mark.usefixtures("nab")
def test_nab_is_downloaded_once_and_as_frame_has_the_times(server, tmp_path):
    for _ in range(2):
        X, y = fetch_nab(
            "realTraffic/speed_7578", data_home=tmp_path / "home", base_url=server.url, return_X_y=True, as_frame=True
        )
    assert len(server.requested) == 2
    assert X.index[1] - X.index[0] == pd.Timedelta(minutes=5)
    assert X.index.equals(y.index)


def test_nab_series_of_another_length_raises(server, nab, tmp_path):
    nab.iloc[:-1].to_csv(server.folder / "data" / "realTraffic" / "speed_7578.csv", index=False)
    with pytest.raises(OSError, match=r"1126 time points, not 1127"):
        fetch_nab("speed_7578", data_home=tmp_path / "home", base_url=server.url)


@pytest.mark.parametrize("contents", ["<html>", "timestamp,count\n2020-01-01,3\n"])
@pytest.mark.usefixtures("nab")
def test_nab_page_without_series_raises(server, tmp_path, contents):
    (server.folder / "data" / "realTraffic" / "speed_7578.csv").write_text(contents)
    with pytest.raises(OSError, match="not files of the benchmark"):
        fetch_nab("speed_7578", data_home=tmp_path / "home", base_url=server.url)


@pytest.mark.parametrize(("name", "words"), [("nyc_taxy", "Did you mean 'nyc_taxi'"), ("zzzz", "It has artificial")])
def test_nab_unknown_name_is_named(name, words):
    with pytest.raises(ValueError, match=words):
        fetch_nab(name)


def test_spacecraft_channel_is_read_from_any_folder_of_the_archive(server, tmp_path):
    _archive(server.folder / "data.zip", "T-13")
    channel = fetch_spacecraft("T-13", data_home=tmp_path / "home", base_url=server.url)
    assert (channel.train.shape, channel.data.shape) == ((50, 3), (2430, 3))
    assert channel.spacecraft == "MSL"
    np.testing.assert_array_equal(np.flatnonzero(channel.target == -1), [*range(690, 791), *range(1900, 2051)])
    X, y = fetch_spacecraft("T-13", data_home=tmp_path / "home", return_X_y=True)
    assert len(X) == len(y)
    assert len(server.requested) == 1


def test_spacecraft_archive_without_the_channel_or_of_another_length_raises(server, tmp_path):
    _archive(server.folder / "data.zip", "T-13", n_timepoints=100)
    options = {"data_home": tmp_path / "home", "base_url": server.url}
    with pytest.raises(OSError, match="100 time points of T-13, not 2430"):
        fetch_spacecraft("T-13", **options)
    with pytest.raises(OSError, match=r"no file train/A-1\.npy"):
        fetch_spacecraft("A-1", **options)


def test_spacecraft_page_without_archive_raises(server, tmp_path):
    (server.folder / "data.zip").write_text("<html>moved</html>")
    with pytest.raises(OSError, match="cannot be read"):
        fetch_spacecraft("A-1", data_home=tmp_path / "home", base_url=server.url)


def test_spacecraft_never_loads_objects(server, tmp_path):
    with zipfile.ZipFile(server.folder / "data.zip", "w") as archive, archive.open("train/A-1.npy", "w") as stream:
        np.lib.format.write_array(stream, np.array([{}], dtype=object))
    with pytest.raises(OSError, match="allow_pickle=False"):
        fetch_spacecraft("A-1", data_home=tmp_path / "home", base_url=server.url)


@pytest.mark.parametrize(("name", "words"), [("t-13", "Did you mean 'T-13'"), ("zz", "There are A-1")])
def test_spacecraft_unknown_channel_is_named(name, words):
    with pytest.raises(ValueError, match=words):
        fetch_spacecraft(name)


def test_spacecraft_labels_are_those_of_the_real_channels(shared_data):
    for name, channel in CHANNELS.items():
        stored = np.load(shared_data / "telemetry" / f"{channel.spacecraft.lower()}_{name}.npz")
        y = np.zeros(channel.n_timepoints)
        for first, last in channel.intervals:
            y[first : last + 1] = 1
        if name == "P-2":  # labelled twice; the stored file has the second labels only
            y[6421:] = 0
        np.testing.assert_array_equal(stored["y"], y, err_msg=name)


def test_hdfs_sessions_are_event_keys(server, tmp_path, monkeypatch):
    sizes = {"hdfs_train": 3, "hdfs_test_normal": 2, "hdfs_test_abnormal": 1}
    monkeypatch.setattr(logs, "_SESSIONS", sizes)
    for name, size in sizes.items():
        (server.folder / name).write_text("5 5 22 \n" * size + "\n")
    sessions = fetch_hdfs(data_home=tmp_path / "home", base_url=server.url)
    assert sessions.train == [[5, 5, 22]] * 3
    assert len(sessions.data) == 3
    np.testing.assert_array_equal(sessions.target, [1, 1, -1])
    X, y = fetch_hdfs(data_home=tmp_path / "home", return_X_y=True)
    assert len(X) == len(y)


@pytest.mark.parametrize(("contents", "words"), [("1 2\n", "has 1 sessions, not 4855"), ("a b\n", "has no event keys")])
def test_hdfs_of_other_contents_raises(server, tmp_path, contents, words):
    for name in ("hdfs_train", "hdfs_test_normal", "hdfs_test_abnormal"):
        (server.folder / name).write_text(contents)
    with pytest.raises(OSError, match=words):
        fetch_hdfs(data_home=tmp_path / "home", base_url=server.url)


@pytest.mark.parametrize(("fetch", "case"), FETCHERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_fetch_offline_raises_with_the_folder_and_the_variable(fetch, case, tmp_path):
    arguments, path, variable = case
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(OSError, match="Could not download") as error:
            fetch(*arguments, data_home=tmp_path, base_url=url)
    assert str((tmp_path / "skanomaly" / path).parent) in str(error.value)
    assert variable in str(error.value)


@pytest.mark.parametrize(("fetch", "case"), FETCHERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_fetch_takes_the_server_from_the_environment(fetch, case, server, tmp_path, monkeypatch):
    arguments, _, variable = case
    monkeypatch.setenv(variable, server.url)
    with pytest.raises(OSError, match="404"):
        fetch(*arguments, data_home=tmp_path / "home")
    assert server.requested


@pytest.mark.parametrize(("fetch", "case"), FETCHERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_fetch_does_not_download_unless_allowed(fetch, case, server, tmp_path):
    with pytest.raises(OSError, match="download_if_missing is False"):
        fetch(*case[0], data_home=tmp_path, base_url=server.url, download_if_missing=False)
    assert server.requested == []


@pytest.mark.parametrize(("fetch", "case"), FETCHERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_fetch_without_pooch_names_the_extra(fetch, case, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[datasets\]'"):
        fetch(*case[0], data_home=tmp_path)


def test_file_of_the_first_use_is_verified_from_then_on(server, tmp_path):
    _archive(server.folder / "data.zip", "T-13")
    options = {"data_home": tmp_path / "home", "base_url": server.url, "return_X_y": True}
    fetch_spacecraft("T-13", **options)
    path = tmp_path / "home" / "skanomaly" / "spacecraft" / "data.zip"
    record = path.with_name("data.zip.sha256")
    assert record.read_text().strip() == hashlib.sha256(path.read_bytes()).hexdigest()
    _archive(path, "T-13", prefix="")
    with pytest.raises(OSError, match=r"checksum differs from data.zip.sha256"):
        fetch_spacecraft("T-13", **options)
    record.unlink()
    assert len(fetch_spacecraft("T-13", **options)[0]) == 2430


def test_embedded_files_are_small():
    folder = logs.files("skanomaly.datasets") / "_data"
    assert sum(len(entry.read_bytes()) for entry in folder.iterdir() if entry.is_file()) < 400_000


def test_taxi_series_has_the_published_windows():
    series = load_nyc_taxi(as_frame=True)
    assert series.frame.shape == (10320, 2)
    starts = np.flatnonzero(np.diff(np.append(1, series.target)) == -2)
    assert [str(series.times[start]) for start in starts] == [
        "2014-10-30T15:30:00",
        "2014-11-25T12:00:00",
        "2014-12-23T11:30:00",
        "2014-12-29T21:30:00",
        "2015-01-24T20:30:00",
    ]
    assert str(series.times[-1]) == "2015-01-31T23:30:00"


def test_taxi_series_is_the_public_one(shared_data):
    X, y = load_nyc_taxi(return_X_y=True)
    stored = np.load(shared_data / "series" / "nab_realKnownCause_nyc_taxi.npz")
    np.testing.assert_array_equal(X[:, 0], stored["x"])
    np.testing.assert_array_equal(y == -1, stored["y"] == 1)


def test_taxi_events_are_found_by_days_not_by_values():
    X, y = load_nyc_taxi(return_X_y=True)
    days = SubsequenceNeighbors(window_size=48, random_state=0).fit(X).score_samples(X)
    assert roc_auc_score(y, days) > 0.7
    assert roc_auc_score(y, -np.abs(X[:, 0] - np.median(X))) < 0.6


def test_storage_log_is_the_simulated_one():
    log = load_storage_log()
    traces, faults = logs.simulate_storage_log(np.random.default_rng(0))
    assert log.data == traces
    assert log.faults.tolist() == faults
    assert ((log.faults == "normal") == (log.target == 1)).all()


def test_storage_log_has_faults_of_counts_and_faults_of_order():
    log = load_storage_log()
    train = (log.target == 1) & (np.arange(1260) % 2 == 0)
    test = [trace for trace, chosen in zip(log.data, train, strict=True) if not chosen]
    area = {}
    for detector in (EventCountDetector(), NGramDetector()):
        detector.fit([trace for trace, chosen in zip(log.data, train, strict=True) if chosen])
        scores = detector.score_samples(test)
        for fault in ("lost_copy", "read_after_delete"):
            chosen = np.isin(log.faults[~train], ["normal", fault])
            area[type(detector).__name__, fault] = roc_auc_score(log.target[~train][chosen], scores[chosen])
    assert area["EventCountDetector", "lost_copy"] > 0.95
    assert area["NGramDetector", "lost_copy"] < 0.7
    assert area["NGramDetector", "read_after_delete"] > 0.95
    assert area["EventCountDetector", "read_after_delete"] < 0.7
