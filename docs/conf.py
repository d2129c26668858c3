"""Sphinx settings; API pages are written from the modules' ``__all__`` before each build."""

import ast
import importlib
import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS), str(DOCS / "_ext")]

import inventories  # noqa: E402  # after the path
import pictures  # noqa: E402  # after the path
from api_sections import sections_of  # noqa: E402  # after the path
from docutils import nodes  # noqa: E402  # after the path
from sphinx.pycode.ast import _UnparseVisitor  # noqa: E402  # after the path

import skanomaly  # noqa: E402  # after the path

MOST_CHARACTERS = 200  # of a page's description

# Sphinx 9.0 raises an error on `{**a}` in a decorator, and leaves out the source of the whole module.
_UnparseVisitor.visit_Dict = lambda _, node: ast.unparse(node)

project = "skanomaly"
copyright = "2026, The skanomaly developers"
version = release = skanomaly.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "crosslinks",
    "mathml",
    "pictures",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = [
    "_build",
    "**/GALLERY_HEADER.rst",
    "api/backreferences/*",
    "sg_execution_times.rst",
    "gallery/sg_execution_times.rst",
]
templates_path = ["_templates"]
html_math_renderer = "mathml"
intersphinx_mapping = inventories.mapping(DOCS / "_build" / "inventories")
copybutton_prompt_text = r">>> |\.\.\. |\$ "  # prompts are not copied, nor is output
copybutton_prompt_is_regexp = True
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "literal"  # `name` in a docstring is code, as in scikit-learn's
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"  # the list on the right has "fit()", not "GaussianDetector.fit()"
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
    "write_computation_times": False,  # their pages load scripts from the network
    "remove_config_comments": True,
    "ignore_repr_types": r"matplotlib\.|Display'>",  # the figure is shown, its name is not
    "backreferences_dir": "api/backreferences",
    "image_scrapers": ("pictures.scrape",),
    "doc_module": ("skanomaly",),
    "reference_url": {"skanomaly": None},
    "thumbnail_size": pictures.THUMBNAIL,
    "min_reported_time": 5,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skanomaly {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_logo = html_favicon = "_static/logo.svg"
# Where the site is published; the links of the version switcher and of the social card need it. Without it, the pages
# refer to nothing outside of themselves but the documentation of other packages.
site_address = os.environ.get("SKANOMALY_DOCS_ADDRESS", "")
site_address = site_address.rstrip("/") + "/" if site_address else ""
html_baseurl = site_address
html_context = {"site_address": site_address, "default_mode": "auto"}
html_theme_options = {
    "logo": {
        "text": "skanomaly",
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
    },
    "show_toc_level": 2,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
if site_address:
    html_theme_options |= {
        "switcher": {
            "json_url": f"{site_address}_static/switcher.json",
            "version_match": version,
        },
        "navbar_end": ["version-switcher", "theme-switcher"],
        "check_switcher": False,
    }
# Pages of the first level have no children to list, so they have no left sidebar.
html_sidebars = {page.stem: [] for page in DOCS.glob("*.md") if page.stem != "benchmarks"}
html_sidebars |= {"changelog": [], "search": [], "genindex": []}  # written by the build
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
    index = [
        "API",
        "===",
        "",
        ".. toctree::",
        "   :maxdepth: 1",
        "",
        *(f"   {name}" for name in modules),
        "",
    ]
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
                "   :nosignatures:",
                f"   :template: autosummary/{template}",
                "",
                *(f"   {name}" for name in kept),
                "",
            ]
    return lines


def write_changelog():
    """Write the page of changes: those of releases, and the fragments of what is not released."""
    text = (DOCS.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--draft",
        "--version",
        "Not released",
        "--date",
        "next",
    ]
    run = subprocess.run(  # noqa: S603  # our own command
        command, cwd=DOCS.parent, capture_output=True, text=True, check=True
    )
    draft = run.stdout.replace("## Not released (next)", "## Not released")
    marker = "<!-- towncrier release notes start -->"
    page = text.replace(marker, draft)
    target = DOCS / "changelog.md"
    if not target.exists() or target.read_text(encoding="utf-8") != page:
        target.write_text(page, encoding="utf-8")


write_api_pages()
write_changelog()
autosummary_generate = sorted(str(page) for page in (DOCS / "api").glob("*.rst"))


def _summarise(app, pagename, templatename, context, doctree):  # noqa: ARG001  # Sphinx's signature
    """Give the template the first paragraph of a page, for search engines and social cards."""
    if doctree is not None:
        first = next(iter(doctree.findall(nodes.paragraph)), None)
        text = " ".join(first.astext().split()) if first is not None else ""
        context["summary"] = (
            text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
        )


def _strip_examples(app, doctree):  # noqa: ARG001  # Sphinx's signature
    """Leave out the empty line that ends the expected output of an example."""
    for block in doctree.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.rawsource.rstrip()
            block.children = [nodes.Text(block.rawsource)]


def setup(app):
    """Connect the handlers that are defined here."""
    app.connect("doctree-read", _strip_examples)
    app.connect("html-page-context", _summarise)
