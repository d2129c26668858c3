"""Wisconsin breast cancer, with a few of the malignant cases as anomalies."""

from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.utils import Bunch

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import validate_params

__all__ = ["load_breast_cancer_anomalies"]

_N_ANOMALIES = 21
_DESCRIPTION = """\
Breast cancer, malignant cases as anomalies
-------------------------------------------

Number of rows: 378, of which 357 benign (normal, +1) and 21 malignant (anomaly, -1); contamination 0.056.
Number of columns: 30, all real and positive, none missing.

Each row describes the cell nuclei in a digitised image of a fine needle aspirate of a breast mass: mean, standard
error and worst value of ten properties of a nucleus. The rows are those of scikit-learn's load_breast_cancer (Wolberg,
Street and Mangasarian, University of Wisconsin, 1995; UCI machine learning repository). All benign rows are kept; of
the 212 malignant ones, 21 are drawn without replacement by random_state, the number that the outlier detection
literature uses (Shebuti Rayana, ODDS Library, 2016). Rows are in the original order. Other versions of this
table in the literature have other malignant rows, so results differ by a few hundredths, as they do between seeds.
"""


@validate_params(
    {"random_state": ["random_state"], "return_X_y": ["boolean"], "as_frame": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_breast_cancer_anomalies(
    *, random_state: Any = 0, return_X_y: bool = False, as_frame: bool = False
) -> Bunch | tuple[Any, Any]:
    """Load the Wisconsin breast cancer table with malignant cases as rare anomalies.

    The 357 benign rows are normal; 21 of the 212 malignant rows are kept as anomalies, 378 rows in
    all. Nothing is downloaded: the table is part of scikit-learn.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=0
        Seed for the choice of the malignant rows. With the default the table is always the same.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the whole Bunch.
    as_frame : bool, default=False
        Return a pandas frame and series instead of arrays.

    Returns
    -------
    data : Bunch
        With the attributes ``data`` of shape (378, 30), ``target`` of shape (378,) with +1 normal and -1 anomaly,
        ``frame`` (both together, only with ``as_frame=True``, else None), ``feature_names``, ``row_indices`` (the rows
        of scikit-learn's table that were kept, ascending) and ``DESCR``.
    (data, target) : tuple
        If ``return_X_y`` is True.

    See Also
    --------
    fetch_adbench : Fetch one of the 47 classical tables of ADBench.

    Examples
    --------
    >>> from skanomaly.datasets import load_breast_cancer_anomalies
    >>> X, y = load_breast_cancer_anomalies(return_X_y=True)
    >>> X.shape, int((y == -1).sum())
    ((378, 30), 21)
    """
    table = load_breast_cancer(as_frame=as_frame)
    malignant = np.flatnonzero(np.asarray(table.target) == 0)
    benign = np.flatnonzero(np.asarray(table.target) == 1)
    kept = generator(random_state).choice(malignant, size=_N_ANOMALIES, replace=False)
    rows = np.sort(np.concatenate([benign, kept]))
    target = np.where(np.asarray(table.target)[rows] == 0, -1, 1).astype(np.int64)
    frame = None
    if as_frame:
        data = table.data.iloc[rows].reset_index(drop=True)
        frame = data.assign(target=target)
        target = frame["target"]
    else:
        data = table.data[rows]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=[str(name) for name in table.feature_names],
        row_indices=rows,
        DESCR=_DESCRIPTION,
    )
