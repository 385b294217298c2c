"""One blind diagnosis in the browser, played to the end."""

import re

from playwright.sync_api import expect

from tests.e2e.browser import open_page, settle


def test_a_blind_diagnosis_is_played_to_the_end(page, server) -> None:
    from tfs.bugs import BUGS, hidden_bug

    open_page(page, server, "bugs?blind=true&case=7")
    main = page.get_by_test_id("stMain")
    bug = hidden_bug(7)
    wrong = next(other for other in BUGS if other.name != bug.name)
    main.get_by_role("button", name=bug.reading, exact=True).click()
    settle(page)
    expect(main.locator(".js-plotly-plot")).to_have_count(2)
    expect(main.get_by_text(bug.name, exact=True)).to_have_count(0)
    for named, answer in ((wrong, "1 try so far"), (bug, "Right after 2 tries")):
        box = main.get_by_role("combobox", name=re.compile("The fault is"))
        box.click()
        box.fill(named.name)
        page.get_by_role("option", name=named.name, exact=True).click()
        settle(page)
        main.get_by_role("button", name="Diagnose", exact=True).click()
        expect(main.get_by_text(answer)).to_be_visible()
        settle(page)
    expect(main.get_by_text("# <-- broken")).to_be_visible()
    assert "case=7" in page.url and bug.name.split()[0].lower() not in page.url
