import pytest

from skanomaly._cli._words import _without_common_date, score


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("2026-01-01 00:10", "2026-01-01 02:00", "02:00"),
        ("2026-01-01 00:10", "2026-01-02 02:00", "2026-01-02 02:00"),
        ("Oct 26 03:02:00", "Oct 26 03:43:00", "03:43:00"),
        ("Oct 26 03:02:00", "Oct 27 03:43:00", "Oct 27 03:43:00"),
        ("October 26, 2024 03:02", "October 26, 2024 03:43", "03:43"),
        ("Sat, 26 Oct 2024 03:02:00 +0000", "Sat, 26 Oct 2024 03:43:00 +0000", "03:43:00 +0000"),
        ("241026 030200", "241026 034300", "034300"),
        ("2024-W43-6", "2024-W43-7", "2024-W43-7"),
    ],
)
def test_the_end_of_an_event_has_its_date_where_that_is_another(first, last, shown):
    assert _without_common_date(first, last) == shown


def test_a_score_of_zero_has_no_sign():
    assert score(-0.0) == score(0.0) == "0.000"
    assert score(-1e-5) == "-1.000e-05"
