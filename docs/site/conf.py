"""How Sphinx makes the site. `make site` calls it, through authoring/publishing/site.py."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from authoring.publishing.notebooks import repository
from lass_lab import __version__

project = "LASS Lab"
author = "The LASS Lab authors"
project_copyright = f"{author}. Text CC BY 4.0, code MIT"
release = __version__
language = "en"

extensions = ["myst_nb"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks have run already
nb_output_stderr = "remove"  # warnings of libraries
nb_code_prompt_show = "Show the code of this cell"  # of folded ones: what fetches the course on Colab, and answers
nb_code_prompt_hide = "Hide it"
nb_ipywidgets_js = {}  # nothing in the pages needs a kernel, and nothing is fetched from elsewhere
# What `python -m authoring site --links` does not ask for: addresses that are there once the version is pushed.
linkcheck_ignore = [repository(), "https://colab.research.google.com/github/"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["lass.css"]
html_js_files = ["print.js"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "repository_url": repository(),
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search field stands at the side
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "home_page_in_toc": True,
}


def inline_math(writer, node) -> None:
    _write(writer, node, as_block=False)


def block_math(writer, node) -> None:
    _write(writer, node, as_block=True)


def _write(writer, node, *, as_block: bool) -> None:
    """Formulas as MathML, which every browser shows by itself; MathJax would be fetched from a network."""
    writer.body.append(tex2mathml(node.astext(), as_block=as_block))
    raise nodes.SkipNode


def name_toggles(app, pagename, templatename, context, doctree) -> None:
    """Give words to what unfolds a part of the contents; the theme gives it a picture, which nobody hears."""
    contents = context["generate_toctree_html"]

    def named(*arguments, **options) -> str:
        return str(contents(*arguments, **options)).replace("<summary>", '<summary aria-label="Pages below this one">')

    context["generate_toctree_html"] = named


def setup(app) -> dict:
    """Register the renderer of formulas, and what mends the theme."""
    app.connect("html-page-context", name_toggles, priority=900)  # after the theme's own
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
