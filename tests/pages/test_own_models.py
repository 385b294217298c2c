"""Pages with models of their own: what the sidebar says there, and links to such models."""

import pytest

from tests.pages.screen import ROOT


@pytest.mark.parametrize(
    ("page", "query", "unread"),
    [
        ("pages/build/bugs.py", {}, True),
        ("pages/read/translation.py", {}, True),
        ("pages/read/attention.py", {"of": "cross"}, True),
        ("pages/read/attention.py", {"of": "cross, between two texts"}, True),
        ("pages/read/attention.py", {}, False),
        ("pages/read/positions.py", {}, False),
    ],
)
def test_a_page_with_models_of_its_own_says_that_the_sidebar_is_for_others(
    visit, page, query, unread
) -> None:
    at = visit(page, **query)
    said = [caption.value for caption in at.sidebar.caption]
    assert any("This page has its own models" in caption for caption in said) == unread


def test_every_page_that_opens_no_view_says_that_it_has_its_own_models() -> None:
    from pages._ui.opened_by import OWN_MODELS

    for name in OWN_MODELS:
        (path,) = ROOT.glob(f"pages/[a-z]*/{name}.py")
        assert "current_view" not in path.read_text()


def test_a_link_to_a_model_of_another_page_leads_there(visit) -> None:
    at = visit("pages/start/home.py", model="dates")
    assert not at.exception
    (warning,) = (element.value for element in at.warning)
    assert "**dates** is none" in warning and "There is no model" not in warning
    next(button for button in at.button if button.label == "Open in Two texts").click().run()
    assert at.title[0].value == "Two texts" and at.session_state["pair"] == "dates"
    assert not at.exception and not at.warning
