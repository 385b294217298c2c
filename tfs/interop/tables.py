"""Which tensor of a Hugging Face file is which of ours: one table per family, as data.

A row is (our name, their name, einops pattern from theirs to ours). {layer} and {expert} stand for
every number there is. Their matrices are [out in], ours [in out], with one axis for the heads.
"""

Row = tuple[str, str, str]

VECTOR = "d_model -> d_model"
INTO_HEADS = "(head d_head) d_model -> head d_model d_head"
OUT_OF_HEADS = "d_model (head d_head) -> head d_head d_model"
TRANSPOSED = "d_out d_in -> d_in d_out"
AS_IT_IS = "d_out d_in -> d_out d_in"

EMBED: list[Row] = [("embed.W_E", "model.embed_tokens.weight", AS_IT_IS)]
UNEMBED: list[Row] = [("unembed.W_U", "lm_head.weight", TRANSPOSED)]
FINAL: list[Row] = [("ln_final.w", "model.norm.weight", VECTOR)]
BLOCK: list[Row] = [
    ("ln1.w", "input_layernorm.weight", VECTOR),
    ("attn.W_Q", "self_attn.q_proj.weight", INTO_HEADS),
    ("attn._W_K", "self_attn.k_proj.weight", INTO_HEADS),
    ("attn._W_V", "self_attn.v_proj.weight", INTO_HEADS),
    ("attn.W_O", "self_attn.o_proj.weight", OUT_OF_HEADS),
    ("ln2.w", "post_attention_layernorm.weight", VECTOR),
]
BIASES: list[Row] = [  # of attention, where config.json says attention_bias
    ("attn.b_Q", "self_attn.q_proj.bias", "(head d_head) -> head d_head"),
    ("attn._b_K", "self_attn.k_proj.bias", "(head d_head) -> head d_head"),
    ("attn._b_V", "self_attn.v_proj.bias", "(head d_head) -> head d_head"),
    ("attn.b_O", "self_attn.o_proj.bias", VECTOR),
]
GATED: list[Row] = [
    ("mlp.W_gate", "mlp.gate_proj.weight", TRANSPOSED),
    ("mlp.W_in", "mlp.up_proj.weight", TRANSPOSED),
    ("mlp.W_out", "mlp.down_proj.weight", TRANSPOSED),
]
EXPERTS: list[Row] = [
    ("mlp.W_gate.weight", "block_sparse_moe.gate.weight", AS_IT_IS),
    ("mlp.experts.{expert}.W_gate.weight", "block_sparse_moe.experts.{expert}.w1.weight", AS_IT_IS),
    ("mlp.experts.{expert}.W_in.weight", "block_sparse_moe.experts.{expert}.w3.weight", AS_IT_IS),
    ("mlp.experts.{expert}.W_out.weight", "block_sparse_moe.experts.{expert}.w2.weight", AS_IT_IS),
]


def _of_layers(rows: list[Row]) -> list[Row]:
    return [
        (f"blocks.{{layer}}.{ours}", f"model.layers.{{layer}}.{theirs}", pattern)
        for ours, theirs, pattern in rows
    ]


GATED_DECODER = EMBED + _of_layers(BLOCK + GATED) + FINAL + UNEMBED
TABLES: dict[str, list[Row]] = {
    "llama": GATED_DECODER,
    "mistral": GATED_DECODER,
    "gemma": GATED_DECODER,
    "mixtral": EMBED + _of_layers(BLOCK + EXPERTS) + FINAL + UNEMBED,
}
ATTENTION_BIASES = _of_layers(BIASES)


def rows_of(family: str, n_layers: int, num_experts: int, *, biases: bool, tied: bool) -> list[Row]:
    """The family's table with every layer and expert written out.

    biases: attention has them. tied: their file has no lm_head, since embed_tokens serves twice.
    """
    table = TABLES[family] + (ATTENTION_BIASES if biases else [])
    rows = {}
    for ours, theirs, pattern in table:
        if tied and theirs == "lm_head.weight":
            continue
        for layer in range(n_layers):
            for expert in range(num_experts or 1):
                numbers = {"layer": layer, "expert": expert}
                rows[ours.format(**numbers)] = (theirs.format(**numbers), pattern)
    return [(ours, theirs, pattern) for ours, (theirs, pattern) in rows.items()]
