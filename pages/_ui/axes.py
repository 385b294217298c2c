"""Axis words in colour: the same word has the same colour in prose, shapes and pictures."""

import re

COLOURS = {
    "batch": "gray",
    "layer": "gray",
    "pos": "blue",
    "query_pos": "blue",
    "key_pos": "orange",
    "head": "violet",
    "d_head": "red",
    "d_model": "green",
    "d_mlp": "yellow",
    "d_vocab": "primary",
}
AXIS_WORD = re.compile(rf"\b({'|'.join(COLOURS)})\b")
IN_BACKTICKS = re.compile(rf"`({'|'.join(COLOURS)})`")


def shape(axes: str) -> str:
    """Markdown for a shape such as "query_pos key_pos": each axis word in its colour.

    >>> shape("pos d_head")
    '[:blue[pos] :red[d_head]]'
    """
    return f"[{AXIS_WORD.sub(lambda word: f':{COLOURS[word[1]]}[{word[1]}]', axes)}]"


def css_colour(axis: str) -> str:
    """The colour of an axis word inside a component, which has the theme's variables; "" if none.

    >>> css_colour("d_head")
    'var(--st-red-text-color)'
    """
    if axis not in COLOURS:
        return ""
    name = COLOURS[axis]
    return f"var(--st-{name}-color)" if name == "primary" else f"var(--st-{name}-text-color)"


def coloured(markdown: str) -> str:
    """Prose in which an axis word in backticks takes its colour."""
    return IN_BACKTICKS.sub(lambda word: f":{COLOURS[word[1]]}[**{word[1]}**]", markdown)


def coloured_shapes(reads: str) -> str:
    """Hook names as code, each shape in brackets behind them in colour.

    >>> coloured_shapes("hook_q, hook_k [pos], W_U [d_vocab]")
    '`hook_q`, `hook_k` [:blue[pos]], `W_U` [:primary[d_vocab]]'
    """
    outside_brackets = r"(?![^\[]*\])"
    as_code = re.sub(rf"[\w.*]*[_.][\w.*]*{outside_brackets}", r"`\g<0>`", reads)
    return re.sub(r"\[([^\]]+)\]", lambda axes: shape(axes[1]), as_code)


def read_of_scores(cfg, layer: int | str, *, values: bool = False) -> str:
    """The hook points that a layer's scores are made from: turned q and k with rotary positions.

    layer: its number, or "*" for all. values: hook_v, too.
    """
    turned = "rot_" if cfg.positional_embedding_type == "rotary" else ""
    shared = cfg.n_key_value_heads not in (None, cfg.n_heads)
    also = ", hook_v" if values else ""
    if shared:
        return (
            f"blocks.{layer}.attn.hook_{turned}q [batch pos head d_head], hook_{turned}k{also} "
            "[batch pos key_head d_head]"
        )
    return f"blocks.{layer}.attn.hook_{turned}q, hook_{turned}k{also} [batch pos head d_head]"
