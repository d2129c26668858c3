"""The only file that may import underscored names of scikit-learn."""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    Options,
    StrOptions,
    validate_params,
)

__all__ = ["HasMethods", "Hidden", "Interval", "Options", "StrOptions", "fit_context", "validate_params"]
