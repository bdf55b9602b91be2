"""Sphinx's settings: ``sphinx-build -W -b html examples/docs OUT`` (``pip install ".[docs]"``).

Lessons are executed, and what they print and draw is kept until they or the library change; ``NBSNN_DOCS_EXECUTE=0``
leaves that out.
"""

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from lessons import write_lessons  # noqa: E402
from reference import write_reference  # noqa: E402

import nbsnn  # noqa: E402

project = "nbsnn"
release = version = nbsnn.__version__
extensions = ["numpydoc", "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
if importlib.util.find_spec("sphinx-mathjax-offline"):  # MathJax comes with the pages, else from the network
    extensions.append("sphinx-mathjax-offline")
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
nb_execution_mode = "off"  # lessons.py executes them: a neuron's functions must come from a file
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_typehints = "none"
html_theme = "furo"
html_title = "nbsnn"
templates_path: list[str] = []
html_static_path = ["static"]
html_css_files = ["nbsnn.css"]
html_show_copyright = False
suppress_warnings = ["myst.header"]

write_reference(HERE / "reference")
write_lessons(HERE.parent, HERE / "lessons")
