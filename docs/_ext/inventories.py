"""Inventories of the packages that our pages link to, written from what is installed: the build needs no network.

Each inventory lists the public classes and functions of a package with the address of their pages, which follows one
pattern in each of these documentations. Where the environment variable ``SKANOMALY_DOCS_ONLINE`` is set, Sphinx loads
the packages' own inventories instead, which list more.
"""

import importlib
import inspect
import os
import zlib

__all__ = ["mapping"]

# Address of the documentation, of a page in it, and the modules whose public names have such pages.
PACKAGES = {
    "sklearn": (
        "https://scikit-learn.org/stable/",
        "modules/generated/{name}.html",
        (
            *(
                "base",
                "calibration",
                "cluster",
                "compose",
                "covariance",
                "datasets",
                "decomposition",
                "dummy",
            ),
            *(
                "ensemble",
                "feature_extraction",
                "impute",
                "inspection",
                "isotonic",
                "kernel_approximation",
            ),
            *(
                "linear_model",
                "manifold",
                "metrics",
                "mixture",
                "model_selection",
                "naive_bayes",
                "neighbors",
            ),
            *(
                "neural_network",
                "pipeline",
                "preprocessing",
                "random_projection",
                "svm",
                "tree",
                "utils",
            ),
        ),
    ),
    "numpy": (
        "https://numpy.org/doc/stable/",
        "reference/generated/{name}.html",
        ("", "linalg"),
    ),
    "scipy": (
        "https://docs.scipy.org/doc/scipy/",
        "reference/generated/{name}.html",
        (
            *(
                "cluster.hierarchy",
                "fft",
                "interpolate",
                "linalg",
                "ndimage",
                "optimize",
                "signal",
                "sparse",
            ),
            *("spatial", "special", "stats"),
        ),
    ),
    "pandas": (
        "https://pandas.pydata.org/docs/",
        "reference/api/{name}.html",
        ("",),
    ),
}


def _lines(package, page, modules):
    for module in modules:
        path = f"{package}.{module}" if module else package
        found = importlib.import_module(path)
        for name in getattr(found, "__all__", dir(found)):
            value = vars(found).get(name)
            role = "class" if inspect.isclass(value) else "function" if callable(value) else None
            if role and not name.startswith("_"):
                yield f"{path}.{name} py:{role} 1 {page.format(name=f'{path}.{name}')} -"


def mapping(folder):
    """Return Sphinx's ``intersphinx_mapping``, after the inventories were written to the folder."""
    if os.environ.get("SKANOMALY_DOCS_ONLINE"):
        return {package: (address, None) for package, (address, *_) in PACKAGES.items()}
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for package, (address, page, modules) in PACKAGES.items():
        version = importlib.import_module(package).__version__
        head = f"# Sphinx inventory version 2\n# Project: {package}\n# Version: {version}\n# zlib-compressed\n"
        body = "\n".join(_lines(package, page, modules)) + "\n"
        target = folder / f"{package}.inv"
        content = head.encode() + zlib.compress(body.encode())
        if not target.exists() or target.read_bytes() != content:  # Sphinx reads again what has changed
            target.write_bytes(content)
        found[package] = (address, str(target))
    return found
