"""A figure as a page of its own: complete, with a name, and with nothing in it interpreted."""

import re

import pytest
import torch


def page_of(title="", tokens=("<b>", "</script>"), **about) -> str:
    from pages._ui.standalone import standalone_page
    from tfs.plots import attention_pattern, figure_alt

    fig = attention_pattern(torch.tensor([[1.0, 0.0], [0.25, 0.75]]), list(tokens), title=title)
    return standalone_page(fig, figure_alt(fig), page="Attention", **about)


def parts(page: str) -> tuple[str, str, str]:
    """What the tab is called, the heading, and what stands below it."""
    return tuple(re.search(f"<{tag}>(.*?)</{tag}>", page)[1] for tag in ("title", "h1", "p"))


def test_it_names_what_it_shows_and_interprets_nothing() -> None:
    about = {"model": "mirror", "prompt": "<i> & so on", "program": "1 < 2"}
    page = page_of("L0H1 <u>", **about)
    title, heading, told = parts(page)
    assert title == "L0H1 &lt;u&gt; · Attention · mirror · &lt;i&gt; &amp; so on"
    assert heading == "L0H1 &lt;u&gt;"
    assert told == "Attention, model mirror, prompt: &lt;i&gt; &amp; so on"
    assert "<pre>1 &lt; 2</pre>" in page and "Attention of L0H1 " in page
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search("<(i|b|u)>", outside)
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page), "it needs the network"


def test_without_a_title_the_page_names_it() -> None:
    title, heading, _ = parts(page_of(model="mirror", prompt="7 " * 99, program="x"))
    assert heading == "Attention" and title.startswith("Attention · mirror · 7 7")
    assert title.endswith("…") and len(title) < 70


def test_what_was_not_computed_from_a_prompt_claims_none() -> None:
    page = page_of()
    assert "<pre>" not in page and parts(page) == ("Attention",) * 3


@pytest.mark.parametrize(
    ("path", "key", "name"),
    [
        ("pages/read/attention.py", "large", "L0H0: weight · Attention · mirror · 41 7 93"),
        ("pages/read/embeddings.py", "alike", "Embeddings · mirror · 41 7 93"),
        ("pages/train/live.py", "schedule", "Train"),
    ],
)
def test_a_page_knows_what_to_call_it(visit, monkeypatch, path, key, name) -> None:
    """The button makes its page when it is pressed; here, as soon as it is drawn."""
    import streamlit as st

    made = {}

    def press(label, data, key, **_):
        made[key] = data()

    monkeypatch.setattr(st, "download_button", press)
    at = visit(path, model="mirror")
    at.session_state[f"{key} code"] = True
    at.run()
    assert not at.exception
    assert parts(made[f"{key} html"].decode())[0].startswith(name)
