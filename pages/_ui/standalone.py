"""A figure as a page of its own: what it shows, of which model and prompt, and what computes it."""

from html import escape, unescape

import plotly.graph_objects as go

LONGEST_PROMPT = 40  # characters, in the title of a browser's tab
TEXT, DARK_TEXT = "#0c131a", "#e8edf2"  # as in the app
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; color: {text}; background: #ffffff; }}
@media (prefers-color-scheme: dark) {{ :root {{ color: {dark_text}; background: #11161c; }} }}
body {{ font-family: sans-serif; margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }}
pre {{ overflow-x: auto; padding: 1rem; border: 1px solid #8888; white-space: pre-wrap; }}
</style>
<h1>{name}</h1>
<p>{about}</p>
<p>{alt}</p>
{figure}
{program}</html>
"""
# Plotly writes colours into the figure, where no style sheet reaches the words alone.
FOLLOW_THE_THEME = f"""
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () =>
  Plotly.relayout("{{plot_id}}", {{"font.color": dark.matches ? "{DARK_TEXT}" : "{TEXT}"}});
dark.addEventListener("change", paint);
paint();
"""


def standalone_page(
    fig: go.Figure, alt: str, *, page: str, model: str = "", prompt: str = "", program: str = ""
) -> str:
    """HTML that needs no network, light or dark as its reader likes it; texts are shown literally.

    page: where the figure stood, which names it where it has no title. program: what computes the
    numbers from `model` and `prompt`, all three empty where none does.
    """
    own = unescape(fig.layout.title.text or "")
    about = [page, *([f"model {model}", f"prompt: {prompt}"] if program else [])]
    parts = [own, page, *([model, _shortened(prompt)] if program else [])]
    return PAGE.format(
        title=escape(" · ".join(part for part in parts if part)),
        name=escape(own or page),
        about=escape(", ".join(about)),
        alt=escape(alt),
        figure=fig.to_html(include_plotlyjs=True, full_html=False, post_script=FOLLOW_THE_THEME),
        program=f"<h2>What computes it</h2>\n<pre>{escape(program)}</pre>\n" if program else "",
        text=TEXT,
        dark_text=DARK_TEXT,
    )


def _shortened(prompt: str) -> str:
    return prompt if len(prompt) <= LONGEST_PROMPT else prompt[: LONGEST_PROMPT - 1] + "…"
