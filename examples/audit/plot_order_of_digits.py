"""
Handwritten digits are not in random order
==========================================

scikit-learn's digits were collected writer by writer. This example tests whether the order of the rows still shows it.
If so, shuffled cross-validation puts digits of one writer into training and test set, and its accuracy is optimistic.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from skanomaly.audit import KNNDriftTest

digits = load_digits()
test = KNNDriftTest(random_state=0).fit(digits.data)
print(f"original order: p = {test.pvalue_:.1g}")

# %%
# The labels are not in random order either, and could explain the result. With strata, each row is compared only with
# rows of the same digit.

within = KNNDriftTest(random_state=0).fit(digits.data, strata=digits.target)
print(f"within each digit: p = {within.pvalue_:.1g}")

# %%
# On the shuffled table the test does not reject.

shuffled = np.random.RandomState(0).permutation(len(digits.data))
print(
    f"shuffled: p = {KNNDriftTest(random_state=0).fit(digits.data[shuffled]).pvalue_:.2g}"
)

# %%
# The figure shows the neighbours by distance in the order on the left, and the error of a classifier with shuffled and
# with consecutive folds on the right.

model = KNeighborsClassifier(1)
errors = [
    1
    - cross_val_score(
        model,
        digits.data,
        digits.target,
        cv=KFold(10, shuffle=shuffle, random_state=seed),
    ).mean()
    for shuffle, seed in ((True, 0), (False, None))
]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.axhline(1, color="0.55", linestyle="--", linewidth=1)
left.plot(
    within.scales_, within.gap_totals_ / within.expected_totals_, "o-", color="#0072B2"
)
left.set(
    xscale="log",
    xlabel="distance in order, rows of the same digit",
    ylabel="neighbours relative to chance",
)
left.set_title(f"order within digits, p = {within.pvalue_:.1g}")
right.barh(
    ["shuffled folds", "consecutive folds"],
    100 * np.array(errors),
    color=["0.6", "#D55E00"],
    height=0.5,
)
right.set(xlabel="error of the nearest-neighbour classifier, %")
right.set_title("shuffling hides the dependence")
plt.show()
