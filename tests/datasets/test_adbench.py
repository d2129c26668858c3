import hashlib
import socket
import sys

import numpy as np
import pytest

from skanomaly.datasets import fetch_adbench
from skanomaly.datasets._adbench_embeddings import EMBEDDINGS
from skanomaly.datasets._adbench_tables import TABLES

WINE = TABLES["wine"]
WPBC = TABLES["WPBC"]


def _save(path, table, seed=0, y=None):
    """Write a table of the right size and number of anomalies, with other contents than the real one."""
    X = np.random.default_rng(seed).standard_normal((table.n_samples, table.n_features))
    labels = np.zeros(table.n_samples, dtype=np.int64)
    labels[: table.n_anomalies] = 1
    np.savez_compressed(path, X=X, y=labels if y is None else y)
    return X


@pytest.fixture
def wpbc(server):
    """WPBC's contents could not be verified when the list was made, so any table of its size passes."""
    assert WPBC.digest is None
    return _save(server.folder / "46_WPBC.npz", WPBC)


def test_fetch_converts_labels_and_returns_bunch(server, wpbc, tmp_path):
    table = fetch_adbench("WPBC", data_home=tmp_path / "home", base_url=server.url)
    np.testing.assert_array_equal(table.data, wpbc)
    np.testing.assert_array_equal(table.target, np.repeat([-1, 1], [47, 151]))
    assert table.feature_names[0] == "x0"
    assert table.filename == str(tmp_path / "home" / "skanomaly" / "adbench" / "46_WPBC.npz")
    assert "198 rows, 33 columns, 47 anomalies" in table.DESCR


def test_fetch_downloads_once(server, wpbc, tmp_path):
    for _ in range(3):
        fetch_adbench("WPBC", data_home=tmp_path / "home", base_url=server.url)
    assert server.requested == ["/Classical/46_WPBC.npz"]


@pytest.mark.usefixtures("wpbc")
def test_fetch_takes_the_server_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SKANOMALY_ADBENCH_URL", server.url + "/")
    X, _ = fetch_adbench("wpbc", data_home=tmp_path / "home", return_X_y=True)
    assert X.shape == (198, 33)


@pytest.mark.usefixtures("wpbc")
def test_fetch_stores_the_file_in_scikit_learns_data_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "data"))
    fetch_adbench("WPBC", base_url=server.url)
    assert (tmp_path / "data" / "skanomaly" / "adbench" / "46_WPBC.npz").is_file()


@pytest.mark.usefixtures("wpbc")
def test_fetch_as_frame_names_columns(server, tmp_path):
    table = fetch_adbench("WPBC", data_home=tmp_path, base_url=server.url, as_frame=True)
    assert list(table.data.columns) == table.feature_names
    assert list(table.frame.columns) == [*table.feature_names, "target"]


def test_fetch_of_other_contents_raises_and_deletes_them(server, tmp_path):
    _save(server.folder / "45_wine.npz", WINE)
    with pytest.raises(OSError, match=r"checksum differs.*deleted"):
        fetch_adbench("wine", data_home=tmp_path / "home", base_url=server.url)
    assert not list((tmp_path / "home").rglob("*.npz"))


@pytest.mark.parametrize("fault", ["rows", "anomalies"])
def test_fetch_of_another_size_raises(server, tmp_path, fault):
    table = WPBC._replace(n_samples=199) if fault == "rows" else WPBC._replace(n_anomalies=46)
    _save(server.folder / "46_WPBC.npz", table)
    with pytest.raises(OSError, match="not 198, 33 and 47"):
        fetch_adbench("WPBC", data_home=tmp_path / "home", base_url=server.url)


def test_fetch_of_a_page_without_table_raises(server, tmp_path):
    (server.folder / "46_WPBC.npz").write_text("<html>quota exceeded</html>")
    with pytest.raises(OSError, match=r"damaged or no npz file.*\n.*deleted"):
        fetch_adbench("WPBC", data_home=tmp_path / "home", base_url=server.url)
    assert not list((tmp_path / "home").rglob("*.npz"))


def test_fetch_passes_a_verified_table(shared_data, server, tmp_path):
    stored = np.load(shared_data / "tables" / "wine.npz")
    np.savez(server.folder / "45_wine.npz", X=stored["X"], y=stored["y"].astype(np.int64))
    X, y = fetch_adbench("wine", data_home=tmp_path, base_url=server.url, return_X_y=True)
    np.testing.assert_array_equal(X, stored["X"])
    assert (y == -1).sum() == 10


def test_digests_are_those_of_the_real_tables(shared_data):
    found = 0
    for name, table in TABLES.items():
        path = shared_data / "tables" / f"{name}.npz"
        if not path.exists():
            continue
        stored = np.load(path)
        content = b"%d %d\n" % stored["X"].shape + stored["X"].astype("<f8").tobytes() + stored["y"].tobytes()
        assert hashlib.sha256(content).hexdigest() == table.digest, name
        found += 1
    assert found == sum(table.digest is not None for table in TABLES.values())


def test_fetch_offline_raises_with_a_remedy(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(OSError, match=r"(?s)Could not download.*copy 46_WPBC.npz.*SKANOMALY_ADBENCH_URL"):
            fetch_adbench("WPBC", data_home=tmp_path, base_url=url)


def test_fetch_missing_on_server_raises_with_a_remedy(server, tmp_path):
    with pytest.raises(OSError, match=r"(?s)404.*copy 46_WPBC.npz"):
        fetch_adbench("WPBC", data_home=tmp_path, base_url=server.url)


def test_fetch_does_not_download_unless_allowed(server, tmp_path):
    with pytest.raises(OSError, match="download_if_missing is False"):
        fetch_adbench("WPBC", data_home=tmp_path, base_url=server.url, download_if_missing=False)
    assert server.requested == []


@pytest.mark.parametrize(("name", "words"), [("cardoi", "Did you mean 'cardio'"), ("zzzz", "It has ALOI")])
def test_fetch_unknown_name_is_named(name, words):
    with pytest.raises(ValueError, match=words):
        fetch_adbench(name)


def test_fetch_without_pooch_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[datasets\]'"):
        fetch_adbench("WPBC", data_home=tmp_path)


def test_list_is_the_collections():
    assert [table.number for table in TABLES.values()] == list(range(1, 48))


def test_fetch_of_embeddings_stores_each_collection_apart(server, tmp_path):
    X = np.random.default_rng(0).normal(size=(30, 768)).astype(np.float32)
    np.savez(server.folder / "20news_3.npz", X=X, y=np.repeat([0, 1], [27, 3]))
    table = fetch_adbench(
        "20news_3", collection="NLP_by_BERT", data_home=tmp_path / "home", base_url=server.url, as_frame=True
    )
    assert table.filename == str(tmp_path / "home" / "skanomaly" / "adbench" / "NLP_by_BERT" / "20news_3.npz")
    assert (table.target == -1).sum() == 3
    assert "NLP_by_BERT: 30 rows, 768 columns, 3 anomalies" in table.DESCR
    assert table.frame.shape == (30, 769)


def test_embeddings_without_a_known_checksum_are_verified_from_their_first_use_on(server, tmp_path):
    options = {"collection": "CV_by_ViT", "data_home": tmp_path / "home", "base_url": server.url, "return_X_y": True}
    np.savez(server.folder / "CIFAR10_0.npz", X=np.ones((9, 4)), y=np.repeat([0, 1], [8, 1]))
    path = tmp_path / "home" / "skanomaly" / "adbench" / "CV_by_ViT" / "CIFAR10_0.npz"
    for _ in range(2):
        assert fetch_adbench("CIFAR10_0", **options)[0].shape == (9, 4)
    assert path.with_name("CIFAR10_0.npz.sha256").read_text().strip() == hashlib.sha256(path.read_bytes()).hexdigest()
    np.savez(path, X=np.zeros((9, 4)), y=np.repeat([0, 1], [8, 1]))
    with pytest.raises(OSError, match=r"not the file of its first use.*Delete the file"):
        fetch_adbench("CIFAR10_0", **options)


def test_embeddings_of_other_contents_are_deleted_with_their_record(server, tmp_path):
    np.savez(server.folder / "MVTec-AD_bottle.npz", X=np.zeros((292, 512), np.float32), y=np.repeat([0, 1], [229, 63]))
    with pytest.raises(OSError, match="checksum differs"):
        fetch_adbench("MVTec-AD_bottle", collection="CV_by_ResNet18", data_home=tmp_path / "home", base_url=server.url)
    assert not list((tmp_path / "home").rglob("MVTec*"))


def test_digests_of_embeddings_are_those_of_the_real_tables(shared_data, server, tmp_path):
    networks = {"CV_by_ResNet18": "resnet18", "CV_by_ViT": "vit"}
    for collection, name in EMBEDDINGS:
        stored = np.load(shared_data / "embeddings" / f"mvtec_{name[9:]}_{networks[collection]}.npz")
        np.savez(server.folder / f"{name}.npz", X=stored["X"], y=stored["y"].astype(np.int64))
        options = {"data_home": tmp_path / collection, "base_url": server.url, "return_X_y": True}
        X, _ = fetch_adbench(name, collection=collection, **options)
        np.testing.assert_array_equal(X, stored["X"])


def test_fetch_of_an_unknown_collection_is_named():
    with pytest.raises(ValueError, match="collection"):
        fetch_adbench("cardio", collection="classical")
