"""
Drift, a faulty batch and autocorrelation
=========================================

:class:`~skanomaly.audit.KNNDriftTest` tests whether rows are in random order. This example runs it on four tables:
independent rows, a slow drift, one faulty batch, and autocorrelated rows. Each row of the figure is a table. The
columns show whether nearest neighbours are close in order, where a change is most likely, and the score of each row.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.audit import DriftDisplay, KNNDriftTest

random = np.random.RandomState(0)
n_rows = 800
noise = random.normal(size=(n_rows, 3))

drift = noise + 1.5 * np.linspace(0, 1, n_rows)[:, None]
batch = noise.copy()
batch[500:560] += 3
autocorrelated = noise.copy()
for row in range(1, n_rows):
    autocorrelated[row] += 0.6 * autocorrelated[row - 1]

# %%
# The left panels show the number of neighbours relative to chance, by their distance in the order. Drift increases it
# at long distances, autocorrelation at short ones only.

tables = {
    "independent": noise,
    "slow drift": drift,
    "one faulty batch": batch,
    "autocorrelation": autocorrelated,
}
figure, axes = plt.subplots(len(tables), 3, figsize=(11, 11), layout="constrained")
for panels, (name, table) in zip(axes, tables.items(), strict=True):
    test = KNNDriftTest(random_state=0).fit(table)
    DriftDisplay.from_estimator(test, ax=panels)
    panels[0].set_title(f"{name}: {panels[0].get_title()}")
plt.show()
