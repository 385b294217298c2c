"""Start the app with everything imported, so that the first visitor does not wait for torch.

python -m pages._ui.serve [streamlit's own options]
"""

import sys
from pathlib import Path

import streamlit as st
from streamlit.web import cli

import tfs.interp  # noqa: F401
import tfs.plots  # noqa: F401
import tfs.train.worker  # noqa: F401

APP = Path(__file__).resolve().parents[2] / "app.py"

if __name__ == "__main__":
    # Until some page has called st.navigation, Streamlit takes the folder pages/ for its older kind
    # of app, and greets the first visitor who follows a deep link with "Page not found".
    st.navigation([st.Page(APP)])
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    sys.exit(cli.main())
