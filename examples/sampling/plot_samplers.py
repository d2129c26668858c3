"""
Compare samplers on one table
=============================

The table has two classes, one of them rare. Training rows are grey and blue, synthetic rows orange. SMOTE fills the
rare class evenly, BorderlineSMOTE and ADASYN add rows at its border, and EAPSampler keeps candidates that are close to
the data and unlike the common class.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

from skanomaly.sampling import (
    ADASYN,
    SMOTE,
    BorderlineSMOTE,
    EAPSampler,
    MinoritySampler,
    SamplerChain,
    SamplerDisplay,
)

X, y = make_moons((300, 40), noise=0.2, random_state=0)
samplers = {
    "SMOTE": SMOTE(random_state=0),
    "BorderlineSMOTE": BorderlineSMOTE(random_state=0),
    "ADASYN": ADASYN(random_state=0),
    "SMOTE, then under-sampling": SamplerChain(random_state=0),
    "EAPSampler": EAPSampler(random_state=0),
    "MinoritySampler": MinoritySampler(bandwidth=0.15, random_state=0),
}

figure, axes = plt.subplots(
    2, 3, figsize=(12, 7), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, sampler) in zip(axes.flat, samplers.items(), strict=True):
    SamplerDisplay.from_estimator(sampler, X, y, ax=ax)
    ax.set_title(name)
    ax.set(xlabel="first column", ylabel="second column")
plt.show()
