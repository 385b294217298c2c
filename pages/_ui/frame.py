"""What stands around every page: its sidebar, the tour's banner, and choices that stay."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages._ui import components, controls, jumps, kept, layout, opened_by, predict, process, tour


def around(
    page: StreamlitPage, sections: Mapping[str, Sequence[StreamlitPage]], misled: bool
) -> None:
    """Run the page with all that is shared; misled: a server whose pages/ was taken for another."""
    kept.restore(page.title)
    tour.resume()
    jumps.follow([known for section in sections.values() for known in section], page)
    with st.sidebar:
        controls.shared_pickers(unread=opened_by.reads_its_own_models(page.url_path))
        predict.ask_first()
        components.one_entry_per_page(tour.place(), misled=misled and page.url_path != "")
        layout.style()
    st.session_state["page title"] = page.title
    controls.say_if_link_is_dead(page.title)
    tour.banner(page.url_path or "home")
    page.run()
    process.leave_what_it_brought(page.title)
