"""A figure as a page of its own: what it shows, of which model and prompt, and what computes it."""

from html import escape

import plotly.graph_objects as go

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }}
pre {{ overflow-x: auto; padding: 1rem; border: 1px solid #8888; white-space: pre-wrap; }}
</style>
<h1>{title}</h1>
{about}<p>{alt}</p>
{figure}
{program}</html>
"""


def standalone_page(fig: go.Figure, title: str, alt: str, about: str, program: str) -> str:
    """HTML that needs no network; texts are shown letter by letter.

    about: one sentence on the model and the prompt; program: what computes the numbers. Both may be
    empty.
    """
    return PAGE.format(
        title=escape(title),
        about=f"<p>{escape(about)}</p>\n" if about else "",
        alt=escape(alt),
        figure=fig.to_html(include_plotlyjs=True, full_html=False),
        program=f"<h2>What computes it</h2>\n<pre>{escape(program)}</pre>\n" if program else "",
    )
