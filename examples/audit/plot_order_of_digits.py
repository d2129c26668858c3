"""
Handwritten digits do not come in random order
==============================================

scikit-learn's digits were collected writer by writer. Is that still to be seen in the order of the rows? If so, a split
that shuffles rows puts one writer's digits on both sides, and its accuracy flatters.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from skanomaly.audit import KNNDriftTest

digits = load_digits()
test = KNNDriftTest(random_state=0).fit(digits.data)
print(f"as they come: p = {test.pvalue_:.1g}")

# %%
# The digits follow each other in patterns, so the labels alone could do this. Strata take the labels out: each row is
# held against rows of its own digit only.

within = KNNDriftTest(random_state=0).fit(digits.data, strata=digits.target)
print(f"within each digit: p = {within.pvalue_:.1g}")

# %%
# A shuffled table passes.

shuffled = np.random.RandomState(0).permutation(len(digits.data))
print(f"shuffled: p = {KNNDriftTest(random_state=0).fit(digits.data[shuffled]).pvalue_:.2g}")

# %%
# The flattery: shuffled folds against folds of consecutive rows.

model = KNeighborsClassifier(1)
errors = [
    1 - cross_val_score(model, digits.data, digits.target, cv=KFold(10, shuffle=shuffle, random_state=seed)).mean()
    for shuffle, seed in ((True, 0), (False, None))
]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.axhline(1, color="0.55", linestyle="--", linewidth=1)
left.plot(within.scales_, within.gap_totals_ / within.expected_totals_, "o-", color="#0072B2")
left.set(xscale="log", xlabel="gap, in rows of the same digit", ylabel="neighbours / chance")
left.set_title(f"within digits, p = {within.pvalue_:.1g}")
right.barh(["shuffled folds", "consecutive folds"], 100 * np.array(errors), color=["0.6", "#D55E00"], height=0.5)
right.set(xlabel="error of the nearest neighbour, %")
right.set_title("what shuffling hides")
plt.show()
