"""What sines are chosen for: one rotation takes every position to the one k further on."""

import math

import streamlit as st

from pages._ui.axes import shape
from pages._ui.controls import View
from pages._ui.parts import part
from pages._ui.strips import strips
from tfs.interp import sinusoidal, sinusoidal_rotation

PAIRS = 3  # of a sine and a cosine whose angles are said


@part
def one_rotation(view: View, place: int) -> None:
    """A distance to choose, and PE(place) turned by it beside PE(place + distance)."""
    n_ctx, d_model = view.model.cfg.n_ctx, view.model.cfg.d_model
    if d_model % 2 or n_ctx < 3:
        st.info("A sine without its cosine cannot be turned, and two positions have one distance.")
        return
    if st.session_state.get("k", 1) not in range(1, n_ctx):
        del st.session_state["k"]
    k = st.slider("k, the distance", 1, n_ctx - 1, min(3, n_ctx - 1), key="k", bind="query-params")
    vectors = sinusoidal(n_ctx + k, d_model)
    rotation = sinusoidal_rotation(k, d_model)
    turned = vectors[:n_ctx] @ rotation
    off = (turned - vectors[k:]).abs().max()
    angles = ", ".join(
        f"{math.degrees(k / 10_000 ** (2 * i / d_model)):.2f}°" for i in range(d_model // 2)[:PAIRS]
    )
    st.markdown(
        f"Each pair of a sine and a cosine is the hand of a clock, and {k} positions further on "
        f"every hand has turned by an angle of its own: {angles}, … . These angles make one matrix "
        f"R {shape('d_model d_model')}, the same for every position: PE(pos) R = PE(pos + {k}). "
        f"Tried on all positions from 0 to {n_ctx - 1}, the largest difference of an entry is "
        f"{off:.1e}, which is rounding. So a head can look *{k} places back* from anywhere with "
        "one W_Q and one W_K (Vaswani et al. 2017, section 3.5)."
    )
    rows = {
        f"PE({place})": vectors[place],
        f"PE({place}) R": turned[place],
        f"PE({place + k})": vectors[place + k],
    }
    strips(
        rows,
        key="rotation",
        code=[sinusoidal_rotation, sinusoidal],
        program=view.program(
            f"""
            W_pos = sinusoidal({n_ctx + k}, {d_model})
            turned = W_pos @ sinusoidal_rotation({k}, {d_model})
            result = torch.stack([W_pos[{place}], turned[{place}], W_pos[{place + k}]])
            """,
            sinusoidal,
            sinusoidal_rotation,
        ),
    )
