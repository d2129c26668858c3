import numpy as np

from skanomaly._networks._torch import padding_blocks


def test_padding_depends_on_the_own_length_alone(seed):
    sizes = np.random.default_rng(seed).integers(1, 200, 300)
    found = np.zeros(300, dtype=int)
    for places, length in padding_blocks(sizes, 32):
        assert 1 <= len(places) <= 32
        assert (found[places] == 0).all()
        found[places] = length
    assert (sizes <= found).all()
    assert (found <= 1.25 * sizes + 1).all()
    alone = [next(padding_blocks(sizes[[place]], 32))[1] for place in range(300)]
    np.testing.assert_array_equal(alone, found)
