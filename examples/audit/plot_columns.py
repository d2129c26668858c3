"""
================================
Which columns of a table drifted
================================

January's and February's rows of a table are compared column by column. In February one column is measured in
other units for some of the rows, one category is new, and more values are missing in one column.
"""

# %%
# The data
# --------
# Two tables of 2,000 rows.
import numpy as np
import pandas as pd

from skanomaly.audit import ColumnDriftDisplay, ColumnDriftTest, TableAudit


def month(seed):
    random = np.random.RandomState(seed)
    return pd.DataFrame(
        {
            "amount": random.gamma(2, 20, 2000),
            "age": random.normal(45, 12, 2000).round(),
            "delay": random.exponential(3, 2000),
            "shop": random.choice(["north", "south", "east"], 2000),
            "visits": random.poisson(2, 2000),
            "weight": random.normal(70, 10, 2000),
        }
    )


january, february = month(0), month(1)
february["delay"] *= 1.2
february.loc[february.index % 12 == 0, "shop"] = "online"
february.loc[february.index % 25 == 0, "weight"] = np.nan

# %%
# The test
# --------
# Each column has a p-value, an effect with a 90 % interval, and the fraction of missing values. The false discovery
# rate over the columns is held at 5 %.
test = ColumnDriftTest(random_state=0).fit_samples(january, february)
keys = [
    "column",
    "adjusted_pvalue",
    "effect",
    "psi",
    "missing_sample",
    "n_new",
    "drifted",
]
print(pd.DataFrame(test.results_)[keys].round(3))

# %%
# The largest effects are drawn first.
ColumnDriftDisplay.from_estimator(test)

# %%
# Is the new table sound?
# -----------------------
for finding in TableAudit().fit(february).findings_:
    print(f"{finding.severity}: {finding.column} {finding.message}. {finding.remedy}")
