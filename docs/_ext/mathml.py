"""Formulas as MathML, which browsers draw without a script and without a network."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

__all__ = ["setup", "to_mathml"]

_logger = logging.getLogger(__name__)
_LEFTOVER = re.compile(r"\\[A-Za-z]+")  # a command that the converter does not know stays in the output
_ARG = re.compile(r"\\arg(?![a-z])")  # unknown to the converter
_SIZE = re.compile(r"\\[Bb]igg?[lr]?(?=\s*\\[lr]?[Vv]ert)")  # the converter knows no sizes of these
_ROWS = r"\begin{align*}%s\end{align*}"


def to_mathml(tex, display):
    """Return the MathML of a TeX formula, and the commands in it that could not be converted."""
    tex = _SIZE.sub("", tex)
    tex = _ARG.sub(r"\\operatorname{arg}", tex.strip())
    if r"\\" in tex and r"\begin" not in tex:
        tex = _ROWS % tex
    mathml = convert(tex, display=display)
    return mathml, _LEFTOVER.findall(mathml)


def _converted(node, display):
    try:
        mathml, leftover = to_mathml(node.astext(), display)
    except Exception as error:  # noqa: BLE001  # the converter raises errors of many types
        mathml, leftover = f"<code>{node.astext()}</code>", [type(error).__name__]
    if leftover:
        _logger.warning(
            "formula not converted (%s): %s",
            ", ".join(leftover),
            node.astext(),
            location=node,
        )
    return mathml


def _visit_inline(self, node):
    self.body.append(_converted(node, "inline"))
    raise nodes.SkipNode


def _visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math-block"))
    self.body.append(_converted(node, "block"))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    """Register the renderer; ``html_math_renderer = "mathml"`` chooses it."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
