"""What every network keeps: the checks of the table of the guide."""

import importlib.util
import sys
from pathlib import Path

import pytest

TABLES = Path(__file__).resolve().parents[2] / "asv_bench" / "tables"


def _script():
    sys.path.insert(0, str(TABLES))
    try:
        spec = importlib.util.spec_from_file_location("networks_table", TABLES / "networks.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(TABLES))


SCRIPT = _script()
NETWORKS = SCRIPT.networks(max_iter=4)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_keeps_the_contract(name):
    results = dict(SCRIPT.contract_rows(NETWORKS[name], n_rows=60))
    assert len(results) == 9
    assert set(results.values()) == {"yes"}, results
