"""Links that nobody has to write: from names in text to the API, and from API pages to the guide.

Inline code that is the name of a public class or function becomes a link to its page, and so does a full name of
scikit-learn, NumPy, SciPy or pandas. The directive ``guidesections`` lists the sections of the guide that name an
object.
"""

import importlib
import re
from collections import Counter, defaultdict

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes

import skanomaly

__all__ = ["PUBLIC", "setup"]

_MOST_SECTIONS = 4
_OURS = re.compile(r"(?:skanomaly\.(?P<module>\w+)\.)?(?P<name>[A-Za-z]\w+)(?:\.\w+)?(?:\(.*\))?")
_OTHERS = re.compile(r"(sklearn|numpy|np|scipy|pandas|pd)(\.\w+)+")
_SHORT = {"np": "numpy", "pd": "pandas"}
_TITLED = (
    nodes.title,
    nodes.reference,
    nodes.rubric,
    addnodes.pending_xref,
    addnodes.desc_signature,
)


def _public():
    places = defaultdict(list)
    for module in skanomaly.__all__:
        if not module.startswith("_"):
            for name in importlib.import_module(f"skanomaly.{module}").__all__:
                places[name].append(module)
    return places


PUBLIC = _public()  # the modules of each public name


class _Sections(nodes.General, nodes.Element):
    """Place of a list of sections of the guide, which is known when every page has been read."""


class GuideSections(Directive):
    """List the sections of the guide that name the object most often."""

    required_arguments = 1

    def run(self):
        """Leave a place for the list."""
        return [_Sections(name=self.arguments[0].rpartition(".")[2])]


def _target(text, docname):
    """Return the full name of the public object that some inline code names, or None."""
    if match := _OTHERS.fullmatch(text.removesuffix("()")):
        first, rest = match[0].split(".", 1)
        return f"{_SHORT.get(first, first)}.{rest}"
    match = _OURS.fullmatch(text)
    modules = PUBLIC.get(match["name"], []) if match else []
    here = docname.rpartition("/")[2]
    for module in (match["module"] if match else None, here):
        if module in modules:
            return f"skanomaly.{module}.{match['name']}"
    # One word in lower case is rather a word, or a name of scikit-learn's; a class or a longer name is ours.
    if len(modules) == 1 and ("_" in match["name"] or match["name"][0].isupper()):
        return f"skanomaly.{modules[0]}.{match['name']}"
    return None


def _inside_title(node):
    while node := node.parent:
        if isinstance(node, _TITLED):
            return True
    return False


def link_names(app, doctree):
    """Make links of names, and remember which sections of the guide name what."""
    docname = app.env.docname
    mentions = app.env.skanomaly_mentions = getattr(app.env, "skanomaly_mentions", {})
    counts = Counter()
    for node in list(doctree.findall(addnodes.pending_xref)):
        target = node.get("reftarget", "")
        if docname.startswith("guide/") and target.startswith("skanomaly."):
            _count(counts, node, target)
    for node in list(doctree.findall(nodes.literal)):
        if _inside_title(node) or not (target := _target(node.astext(), docname)):
            continue
        if docname.endswith(f"/{target}"):  # its own page
            continue
        if docname.startswith("guide/") and target.startswith("skanomaly."):
            _count(counts, node, target)
        link = addnodes.pending_xref(
            "",
            refdomain="py",
            reftype="obj",
            reftarget=target,
            refexplicit=True,
            refwarn=False,
            refdoc=docname,
        )
        node.replace_self(link)
        link += node
    mentions[docname] = counts


def _count(counts, node, target):
    while node and not isinstance(node, nodes.section):
        node = node.parent
    if node and node["ids"]:
        weight = 10 if target.rpartition(".")[2] in node[0].astext().replace(" ", "") else 1
        counts[target.rpartition(".")[2], node["ids"][0], node[0].astext()] += weight


def _page_title(env, docname):
    return env.titles[docname].astext() if docname in env.titles else docname


def list_sections(app, doctree, docname):
    """Fill the places that the directive has left."""
    for place in list(doctree.findall(_Sections)):
        found = [
            (count, page, anchor, title)
            for page, counts in getattr(app.env, "skanomaly_mentions", {}).items()
            for (name, anchor, title), count in counts.items()
            if name == place["name"]
        ]
        if not found:
            place.parent.remove(place)
            continue
        items = nodes.bullet_list()
        for _, page, anchor, title in sorted(found, key=lambda one: (-one[0], one[1:]))[:_MOST_SECTIONS]:
            address = f"{app.builder.get_relative_uri(docname, page)}#{anchor}"
            page_title = _page_title(app.env, page)
            text = page_title if page_title == title else f"{page_title}: {title}"
            link = nodes.reference("", text, refuri=address, internal=True)
            items += nodes.list_item("", nodes.paragraph("", "", link))
        place.replace_self([nodes.rubric("", "In the guide"), items])


def forget(app, env, docname):  # noqa: ARG001  # Sphinx's signature
    """Forget what a page that is read again has named."""
    getattr(env, "skanomaly_mentions", {}).pop(docname, None)


def setup(app):
    """Register the directive and the handlers."""
    app.add_node(_Sections)
    app.add_directive("guidesections", GuideSections)
    app.connect("doctree-read", link_names)
    app.connect("doctree-resolved", list_sections)
    app.connect("env-purge-doc", forget)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
