"""Is a table sound? Its columns and rows checked for what spoils a model."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._columns import column_names, missing_values, to_pandas
from skanomaly._support._labels import read_labels
from skanomaly._support._restore import restore_on_error
from skanomaly._support._validation import check_any_table
from skanomaly.audit._columns._findings import (
    COLUMN_CHECKS,
    Finding,
    copied_columns,
    duplicate_rows,
    leaking_columns,
    shared_missing,
)

__all__ = ["TableAudit"]

_ORDER = {"error": 0, "warning": 1, "note": 2}


class TableAudit(BaseEstimator):
    """Check whether a table is sound: its columns, its rows, and what they tell of the label.

    Each finding has a kind, a column, the rows concerned, a severity and a remedy. The table is not changed.

    Parameters
    ----------
    pos_label : label, default=None
        The anomalies' label in `y`; all other labels are then normal. None reads -1 as anomaly, +1 as normal and 0 as
        unlabelled, or 1 as anomaly in labels of 0 and 1.

    Attributes
    ----------
    findings_ : list of Finding
        The errors first. Each is a named tuple of "kind", "column" (name or position, None for rows), "severity"
        ("error", "warning", "note"), "rows" (positions), "message", "remedy"; give the list to ``pandas.DataFrame``.
    n_errors_, n_warnings_ : int
        Number of findings of these severities.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    ColumnDriftTest : Compares the columns of two tables.
    MissingnessTest : Tests whether values are missing at random.

    Notes
    -----
    *Columns*: empty, constant, mostly missing, missing in consecutive rows, infinite, numbers as text, values of
    several types, categories that differ by case or blanks, dates that do not exist or lie before 1900 or after 2100,
    a repeated value far from all others (a code for missing values, such as -999), values that are at least three
    times as large or small from some row on (other units), dates as text, a different value in every row that is no
    date (an identifier).

    *Pairs of columns*: equal up to names, a straight line of another, missing in the same rows.

    *Rows*: equal to an earlier row, or equal but for the seventh digit.

    *Label*: a column that alone separates the classes, with an area under the ROC curve of at least 0.99. The rate of
    a row's category is computed without the row itself.

    These are rules, not tests; a table without findings may still be wrong.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skanomaly.audit import TableAudit
    >>> random = np.random.RandomState(0)
    >>> table = pd.DataFrame(
    ...     {
    ...         "price": ["9.50", "12", "n/a"] + ["7"] * 57,
    ...         "weight": random.gamma(3, size=60),
    ...     }
    ... )
    >>> table.loc[[0, 1, 2, 20, 30], "weight"] = -999
    >>> for finding in TableAudit().fit(table).findings_:
    ...     print(f"{finding.severity}: {finding.column} {finding.message}")
    warning: price is text, and 98% of its values are numbers; 1 are not, such as 'n/a'
    warning: weight is -999 in 5 rows, far from every other value: a code for missing values?
    warning: None 1 rows repeat an earlier row
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"pos_label": "no_validation"}

    def __init__(self, *, pos_label: Any = None) -> None:
        self.pos_label = pos_label

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check a table.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Columns of every kind; missing and infinite values are allowed.
        y : array-like of shape (n_samples,), default=None
            Labels of anomalies, to find columns that separate them from the normal rows; unlabelled rows are left out.
            Without `pos_label`, class labels of three classes and more are ignored with a warning.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` has no row or no column, two columns have one name, or `y` is of another length or cannot be read as
            labels of anomalies.
        """
        with restore_on_error(self, X):
            self._fit(X, y)
        return self

    def _fit(self, X: Any, y: Any) -> None:
        if sparse.issparse(X):
            raise TypeError("X is sparse, whose columns are not checked; sparse input is not supported: X.toarray().")
        names = column_names(X) or []
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"X has two columns of the name {repeated!r}; rename one.")
        frame = to_pandas(check_any_table(self, X, reset=True))
        labels = read_labels(y, len(frame), pos_label=self.pos_label, lenient=True)
        findings: list[Finding] = []
        for place in range(frame.shape[1]):
            column = frame.iloc[:, place]
            absent = missing_values(column.to_numpy())
            for check in COLUMN_CHECKS:
                findings += check(column, absent)
        findings += [*copied_columns(frame), *shared_missing(frame), *duplicate_rows(frame)]
        labelled = np.flatnonzero(labels)
        if labelled.size:
            findings += leaking_columns(frame.iloc[labelled], labels[labelled] == -1)
        self._n_rows = len(frame)
        self.findings_ = sorted(findings, key=lambda finding: _ORDER[finding.severity])
        self.n_errors_, self.n_warnings_ = (
            sum(finding.severity == severity for finding in findings) for severity in ("error", "warning")
        )

    def row_counts(self) -> NDArray[np.intp]:
        """Count the findings that name each fitted row.

        Returns
        -------
        ndarray of shape (n_samples,), int
        """
        check_is_fitted(self)
        counts = np.zeros(self._n_rows, dtype=np.intp)
        for finding in self.findings_:
            counts[finding.rows] += 1
        return counts

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags
