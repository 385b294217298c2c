"""Short names for hook points: ("pattern", 0) for "blocks.0.attn.hook_pattern"."""

import re

ALIASES = {"attn": "pattern", "attn_logits": "attn_scores", "key": "k", "query": "q", "value": "v"}
ALIASES |= {"mlp_pre": "pre", "mlp_post": "post"}
SUBLAYERS = {"a": "attn", "attention": "attn", "m": "mlp", "b": "", "block": "", "blocks": ""}
IN_ATTENTION = ("k", "v", "q", "rot_k", "rot_q", "z", "result", "pattern", "attn_scores")
IN_MLP = ("pre", "pre_linear", "post")


def act_name(name: str, layer: int | str | None = None, sublayer: str | None = None) -> str:
    """The full name of an activation, as TransformerLens's `get_act_name` gives it.

    >>> act_name("pattern", 0)
    'blocks.0.attn.hook_pattern'
    >>> act_name("k6")
    'blocks.6.attn.hook_k'
    >>> act_name("scale", 4, "ln1")
    'blocks.4.ln1.hook_scale'
    >>> act_name("scale")
    'ln_final.hook_scale'
    """
    if ("." in name or name.startswith("hook_")) and layer is None and sublayer is None:
        return name
    if match := re.match(r"([a-z]+)(\d+)(.*)", name):
        name, layer, sublayer = match[1], match[2], match[3] or sublayer
    name = ALIASES.get(name, name)
    sublayer = SUBLAYERS.get(sublayer or "", sublayer)
    if name in IN_ATTENTION:
        sublayer = "attn"
    elif name in IN_MLP:
        sublayer = "mlp"
    elif name in ("scale", "normalized") and layer is None:
        sublayer = "ln_final"
    block = "" if layer is None else f"blocks.{layer}."
    return f"{block}{sublayer + '.' if sublayer else ''}hook_{name}"
