"""Sphinx's settings: ``sphinx-build -W -b html examples/docs OUT`` (``pip install ".[docs]"``)."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from reference import write_lessons, write_reference  # noqa: E402

import nbsnn  # noqa: E402

project = "nbsnn"
release = version = nbsnn.__version__
extensions = ["numpydoc", "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
nb_execution_mode = "off"  # lessons are executed where ``lessons=execute`` asks for it, and by the tests
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_typehints = "none"
html_theme = "furo"
html_title = "nbsnn"
templates_path: list[str] = []
html_static_path: list[str] = []
suppress_warnings = ["myst.header"]

write_reference(HERE / "reference")
write_lessons(HERE.parent, HERE / "lessons")
