"""Where browser tests begin, and what they look for there."""

import re

MIRRORED = "41+7+93+28+60+15+82+3+3+82+15+60+28+93+7+41"
START = f"attention?model=mirror&layer=0&head=1&prompt={MIRRORED}"


def strip(page):
    return page.get_by_role("listbox", name=re.compile("coloured by the attention"))
