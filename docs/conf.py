"""Sphinx settings; API pages are written from the modules' ``__all__`` before each build."""

import importlib
import inspect
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

from api_sections import sections_of  # noqa: E402  # after the path

import skanomaly  # noqa: E402  # after the path

project = "skanomaly"
copyright = "2026, The skanomaly developers"
version = release = skanomaly.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "literal"  # `name` in a docstring is code, as in scikit-learn's
autodoc_typehints = "none"
numpydoc_show_class_members = False
# scikit-learn's own docstrings, inherited by our classes, point into its documentation.
nitpick_ignore_regex = [
    ("py:.*", r"(sklearn|numpy|scipy|pandas|polars|matplotlib|arviz|joblib)\..*"),
    ("std:ref", "sklearn:.*"),
]

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
    "backreferences_dir": None,
    "min_reported_time": 5,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skanomaly {release}"
html_theme_options = {
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False
suppress_warnings = ["config.cache"]  # sphinx-gallery keeps functions in its settings
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def write_api_pages():
    """Write an API page for each module, and an index, from its public names."""
    folder = DOCS / "api"
    folder.mkdir(exist_ok=True)
    modules = [name for name in skanomaly.__all__ if not name.startswith("_")]
    for name in modules:
        module = importlib.import_module(f"skanomaly.{name}")
        lines = [
            f"skanomaly.{name}",
            "=" * (10 + len(name)),
            "",
            inspect.getdoc(module),
            "",
            f".. currentmodule:: skanomaly.{name}",
            "",
        ]
        sections = sections_of(name, module.__all__)
        for title, names in (sections or {"": module.__all__}).items():
            if title:
                lines += [title, "-" * len(title), ""]
            lines += _summaries(module, names, titled=sections is None)
        (folder / f"{name}.rst").write_text("\n".join(lines), encoding="utf-8")
    index = ["API", "===", "", ".. toctree::", "   :maxdepth: 1", "", *(f"   {name}" for name in modules), ""]
    (folder / "index.rst").write_text("\n".join(index), encoding="utf-8")


def _summaries(module, names, *, titled):
    """Return the lines of a table of classes and one of functions."""
    lines = []
    for title, template, keep in (
        ("Classes", "class.rst", inspect.isclass),
        ("Functions", "base.rst", inspect.isfunction),
    ):
        kept = [name for name in names if keep(getattr(module, name))]
        if kept:
            lines += [f".. rubric:: {title}", ""] if titled else []
            lines += [
                ".. autosummary::",
                "   :toctree: generated",
                f"   :template: autosummary/{template}",
                "",
                *(f"   {name}" for name in kept),
                "",
            ]
    return lines


write_api_pages()
autosummary_generate = sorted(str(page) for page in (DOCS / "api").glob("*.rst"))
