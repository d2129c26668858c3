"""
Three ways in which an order can matter
=======================================

The same test looks at rows that drift, at rows among which a batch went wrong, and at rows that remember the last one.
Each column of the figure asks one question: are neighbours in the table near each other in the order, where does the
order break, and which rows stand in company of their own time?
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
memory = noise.copy()
for row in range(1, n_rows):
    memory[row] += 0.6 * memory[row - 1]

# %%
# On the left, neighbours against chance by their gap in the order. Drift shows at long gaps, memory at short ones only.

tables = {"independent": noise, "slow drift": drift, "one bad batch": batch, "memory": memory}
figure, axes = plt.subplots(len(tables), 3, figsize=(11, 11), layout="constrained")
for panels, (name, table) in zip(axes, tables.items(), strict=True):
    test = KNNDriftTest(random_state=0).fit(table)
    DriftDisplay.from_estimator(test, ax=panels)
    panels[0].set_title(f"{name}: {panels[0].get_title()}")
plt.show()
