"""What every network keeps: the checks of the table of the guide."""

import pytest

from tests.scripts import load_script

SCRIPT = load_script("asv_bench/tables/networks.py")
NETWORKS = SCRIPT.networks(max_iter=4)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_keeps_the_contract(name):
    results = dict(SCRIPT.contract_rows(NETWORKS[name], n_rows=60))
    assert len(results) == 9
    assert set(results.values()) == {"yes"}, results
