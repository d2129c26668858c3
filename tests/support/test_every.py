import pytest

from tests.every import of_every


def test_every_item_that_fails_is_named():
    @of_every([(1, "a"), (2, "b"), (3, "c")], lambda _, name: name)
    def check(number, name, limit):
        assert number < limit, f"{number} is too large"

    check(limit=4)
    with pytest.raises(AssertionError, match=r"(?s)^b: 2 is too large.*\nc: 3 is too large"):
        check(limit=2)
