"""Formulas as MathML, made while the pages are built: no script, and nothing from the network.

Browsers draw MathML themselves. Sphinx's own renderers either load MathJax from a server or need
LaTeX on the machine that builds.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

# a prime is part of the name: raised like a power, browsers put it far above the letter
PRIME = re.compile(r"<msup><mi>([^<]+)</mi><m[io]>(?:&#x02032;|′)</m[io]></msup>")


def mathml(formula: str, display: str) -> str:
    """Convert LaTeX to MathML; `display` is ``inline`` or ``block``."""
    return PRIME.sub(r'<mi class="primed">\1′</mi>', convert(formula, display=display))


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a sentence."""
    self.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own, which may be scrolled on a narrow screen."""
    self.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
