"""Pictures for light and dark pages.

Each figure of the gallery is saved twice: as drawn, and with a dark background and light text. The theme shows the one
that fits the page. The thumbnail of a figure of many panels shows the first of them, large enough to be read.
``python docs/_ext/pictures.py`` draws the pictures of the index page and the social card anew.
"""

import os
import re
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from docutils import nodes
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.collections import Collection, QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from sphinx_gallery.directives import imgsgnode
from sphinx_gallery.scrapers import matplotlib_scraper
from sphinx_gallery.utils import scale_image

__all__ = ["darken", "scrape", "setup"]

BACKGROUND, FOREGROUND = "#14181e", "#ced6dd"  # those of the theme's dark pages
DOCS = Path(__file__).resolve().parents[1]
MOST_PANELS = 6  # of a figure whose thumbnail shows all of it
THUMBNAIL = (480, 336)


def _turned(color):
    """Return light for dark grey and dark for white; other colours stay."""
    red, green, blue, alpha = colors.to_rgba(color)
    if max(red, green, blue) - min(red, green, blue) > 0.1:
        return red, green, blue, alpha
    if red < 0.5:
        return colors.to_rgba(FOREGROUND, alpha)
    return colors.to_rgba(BACKGROUND, alpha) if red > 0.9 else (red, green, blue, alpha)


def _turn(artist):
    for name in (
        "color",
        "facecolor",
        "edgecolor",
        "markerfacecolor",
        "markeredgecolor",
    ):
        get, put = (
            getattr(artist, f"get_{name}", None),
            getattr(artist, f"set_{name}", None),
        )
        if get is None or put is None or (name == "color" and hasattr(artist, "get_facecolor")):
            continue
        value = get()
        if isinstance(value, str) and value in {"none", "auto", "face"}:
            continue
        if hasattr(value, "ndim") and value.ndim == 2:  # a collection has a colour for each of its members
            if artist.get_array() is None and len(value):
                put([_turned(one) for one in value])
        else:
            put(_turned(value))


def _turn_axes(axes):
    titles = [child for child in axes.get_children() if isinstance(child, Text) and child not in axes.texts]
    frame = [*titles, axes.xaxis.label, axes.yaxis.label, *axes.spines.values()]
    frame += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    for artist in frame:
        _turn(artist)
    axes.tick_params(which="both", color=FOREGROUND, labelcolor=FOREGROUND)
    for grid in [*axes.get_xgridlines(), *axes.get_ygridlines()]:
        grid.set_color(_turned(grid.get_color()))
    members = [*axes.lines, *axes.collections, *axes.patches, *axes.texts]
    maps = [*axes.images, *(one for one in members if isinstance(one, QuadMesh | ContourSet))]
    if maps:  # a map keeps its colours, and what is drawn on it as well; where it has no value, the page is seen
        for one in maps:
            if np.ma.is_masked(one.get_array()):
                axes.set_facecolor(BACKGROUND)
                if isinstance(one, QuadMesh):
                    one.set_edgecolor(BACKGROUND)  # or its lines would cross the cells without a value
        return
    axes.set_facecolor(BACKGROUND)
    for artist in members:
        _turn(artist)
    if legend := axes.get_legend():
        for part in legend.findobj(lambda one: isinstance(one, Line2D | Patch | Collection | Text)):
            _turn(part)


def darken(figure):
    """Give a figure the colours of dark pages; maps keep theirs."""
    figure.patch.set_facecolor(BACKGROUND)
    for label in figure.findobj(lambda artist: isinstance(artist, Text) and artist.axes is None):
        _turn(label)
    for legend in figure.legends:
        _turn(legend.get_frame())
    for axes in figure.axes:
        _turn_axes(axes)


def _first_panels(figure):
    """Return the part of a figure of many panels that holds the first two rows and columns of them, or None."""
    figure.canvas.draw()
    panels = [axes for axes in figure.axes if axes.get_subplotspec() is not None]
    if len(panels) <= MOST_PANELS:
        return None
    places = [axes.get_subplotspec() for axes in panels]
    first = [
        axes for axes, place in zip(panels, places, strict=True) if place.rowspan.start < 2 and place.colspan.start < 2
    ]
    boxes = [axes.get_tightbbox() for axes in first]
    return Bbox.union(boxes).padded(4).transformed(figure.dpi_scale_trans.inverted())


def scrape(block, block_vars, gallery_conf):
    """Save the figures of a block twice and return the text that shows them: sphinx-gallery's scraper of figures."""
    iterator = block_vars["image_path_iterator"]
    before = len(iterator)
    figures = [plt.figure(number) for number in plt.get_fignums()]
    light = matplotlib_scraper(block, block_vars, gallery_conf)  # closes the figures
    for path, figure in zip(iterator.paths[before:], figures, strict=False):
        panels = _first_panels(figure)
        if panels is not None and str(path).endswith("_001.png"):
            figure.savefig(str(path).replace("_001.png", "_panels.png"), dpi=150, bbox_inches=panels)
        darken(figure)
        figure.savefig(
            str(path).replace(".png", "_dark.png"),
            dpi=figure.dpi,
            facecolor=BACKGROUND,
        )
    dark = re.sub(r"(sphx_glr_\w+?)\.png", r"\1_dark.png", light)
    classes = r":class: (sphx-glr-\w+-img)"
    return re.sub(classes, r":class: \1 only-light", light) + re.sub(classes, r":class: \1 only-dark", dark)


def shrink_panels(app):  # noqa: ARG001  # Sphinx's signature
    """Replace the thumbnails of figures of many panels by their first panels."""
    for panels in (DOCS / "gallery").glob("*/images/*_panels.png"):
        thumbnail = panels.parent / "thumb" / panels.name.replace("_panels.png", "_thumb.png")
        if thumbnail.exists():
            scale_image(str(panels), str(thumbnail), *THUMBNAIL)


def show_both(app, doctree):  # noqa: ARG001  # Sphinx's signature
    """Where a page shows a figure of the gallery, let it show the dark one on dark pages."""
    for image in list(doctree.findall(nodes.image)):
        dark = re.sub(r"(sphx_glr_\w+?)\.png$", r"\1_dark.png", image["uri"])
        place = DOCS / "gallery" / dark.rpartition("gallery/")[2]
        if dark != image["uri"] and "_dark" not in image["uri"] and place.exists():
            twin = image.copy()
            twin["uri"] = dark
            image["classes"].append("only-light")
            twin["classes"].append("only-dark")
            image.parent.insert(image.parent.index(image) + 1, twin)


def keep_classes(app, doctree, docname):  # noqa: ARG001  # Sphinx's signature
    """Give a figure of the gallery all of its classes: sphinx-gallery writes only the first one."""
    for image in doctree.findall(imgsgnode):
        if image["class"]:
            image["class"] = [" ".join(image["class"])]


def setup(app):
    """Connect the handler, before Sphinx collects the images of a page."""
    app.connect("doctree-read", show_both, priority=100)
    app.connect("doctree-resolved", keep_classes)
    app.connect("builder-inited", shrink_panels, priority=900)  # after the gallery is drawn
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _draw():
    mpl.use("Agg")
    sys.argv = sys.argv[:1]
    example = DOCS.parent / "examples" / "detectors" / "plot_terrain.py"
    scope = {"__name__": "example"}
    plt.show = lambda: None
    exec(compile(example.read_text(encoding="utf-8"), str(example), "exec"), scope)  # noqa: S102  # our own example
    figure, static = scope["figure"], DOCS / "_static"
    figure.savefig(static / "terrain.png", dpi=150)
    card = plt.figure(figsize=(12, 6.3), facecolor="white")
    card.text(0.06, 0.84, "skanomaly", size=52, weight="bold", color="#1f6f65")
    card.text(
        0.06,
        0.73,
        "Anomaly detection in scikit-learn's API",
        size=26,
        color="#333333",
    )
    axes = card.add_axes([0.06, 0.05, 0.88, 0.62])
    axes.set_axis_off()
    axes.contourf(
        scope["x"],
        scope["y"],
        scope["height"],
        levels=scope["levels"],
        cmap="BrBG_r",
        extend="both",
    )
    axes.contour(
        scope["x"],
        scope["y"],
        scope["height"],
        levels=[scope["threshold"]],
        colors="black",
        linewidths=2,
        linestyles="solid",
    )
    axes.scatter(*scope["rows"].T, s=14, c="black", alpha=0.6)
    card.savefig(static / "card.png", dpi=100)
    darken(figure)
    figure.savefig(static / "terrain_dark.png", dpi=150, facecolor=BACKGROUND)


if __name__ == "__main__":
    os.chdir(DOCS.parent)
    _draw()
