from types import SimpleNamespace

import pytest

from skanomaly._cli._words import _row_names, _without_common_date, score


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


def test_the_option_that_names_rows_is_shown_with_a_column_for_it():
    notes = [SimpleNamespace(finding="text, different in every row", columns=["Beleg Nr", "IBAN"])]
    assert _row_names(SimpleNamespace(ids=None, notes=[])) == "Rows are numbered from 0."
    shown = _row_names(SimpleNamespace(ids=None, notes=notes))
    assert shown == "Rows are numbered from 0; --id 'Beleg Nr' names them."
    assert _row_names(SimpleNamespace(ids=["a"], id_name="case", notes=notes)) == "Rows are named by case."


def test_a_score_of_zero_has_no_sign():
    assert score(-0.0) == score(0.0) == "0.000"
    assert score(-1e-5) == "-1.000e-05"
