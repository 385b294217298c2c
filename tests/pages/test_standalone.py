"""A figure as a page of its own: complete, and with nothing in it interpreted."""

import re

import torch


def test_it_names_what_it_shows_and_interprets_nothing() -> None:
    from pages._ui.standalone import standalone_page
    from tfs.plots import attention_pattern, figure_alt

    fig = attention_pattern(torch.tensor([[1.0, 0.0], [0.25, 0.75]]), ["<b>", "</script>"])
    page = standalone_page(fig, "pattern", figure_alt(fig), "Model mirror, prompt: <i>", "1 < 2")
    assert "<title>pattern</title>" in page and "<h1>pattern</h1>" in page
    assert "Model mirror, prompt: &lt;i&gt;" in page and "<pre>1 &lt; 2</pre>" in page
    assert figure_alt(fig).split("'")[0] in page
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<i>" not in outside and "<b>" not in outside
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page), "it needs the network"


def test_what_was_not_computed_from_a_prompt_claims_none() -> None:
    from pages._ui.standalone import standalone_page
    from tfs.plots import attention_pattern

    fig = attention_pattern(torch.tensor([[1.0]]), ["a"])
    assert "<pre>" not in standalone_page(fig, "pattern", "alt", "", "")
