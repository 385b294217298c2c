"""What is done once for the whole server process, whoever visits."""

import gc
import threading

import streamlit as st
import torch
from streamlit.runtime.pages_manager import PagesManager

from tfs.memory import keep_freed_memory


@st.cache_resource(show_spinner=False)
def prepare_process() -> None:
    """Once per server: one torch thread per run, no garbage collector in the imports' memory, and
    no page faults for tensors of a size that was freed a moment ago.

    Streamlit collects garbage after every rerun, which walks everything that torch brought along;
    freezing it makes a rerun in a full class an order of magnitude faster.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def leave_what_it_brought(page: str) -> None:
    """Once per server and page, after its first visit: what the page imported and keeps is left
    out of the collections to come, each of which would hold everybody up to walk through it."""
    gc.collect()
    gc.freeze()


def is_taken_for_older_kind() -> bool:
    """Whether Streamlit takes pages/ for its older kind of app, before st.navigation is called.

    So it is for the first visitors of a server that `streamlit run app.py` started. Who of them
    follows a deep link is greeted with "Page not found", before a line of ours has run.
    """
    return bool(PagesManager.uses_pages_directory)


@st.cache_resource(show_spinner=False)
def warm_training() -> None:
    """Once per server, in the background: what torch's optimisers import takes a second or two."""

    def warm() -> None:
        import_of_optimisers = torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
        import_of_optimisers.zero_grad()
        gc.collect()
        gc.freeze()

    threading.Thread(target=warm, daemon=True).start()
