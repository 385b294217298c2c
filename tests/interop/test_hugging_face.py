"""Random models that Hugging Face made and saved here, read by our tables: the same logits."""

import json
import re

import pytest
import torch

SIZES = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 31,
    "max_position_embeddings": 12,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
}
FAMILIES = {
    "llama": {},
    "llama, tied, with biases": {"tie_word_embeddings": True, "attention_bias": True},
    "llama, another base": {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    "mistral": {"sliding_window": 4},
    "mistral, no window": {"sliding_window": None, "num_key_value_heads": 4},
    "gemma": {"num_key_value_heads": 1},
    "gemma, untied": {"tie_word_embeddings": False},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "mixtral, one expert each": {"num_local_experts": 3, "num_experts_per_tok": 1},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """family -> a Hugging Face model with random weights of order 1, and where it was saved."""
    import transformers

    classes = {
        "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
        "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM),
        "gemma": (transformers.GemmaConfig, transformers.GemmaForCausalLM),
        "mixtral": (transformers.MixtralConfig, transformers.MixtralForCausalLM),
    }
    made = {}

    def make(family):
        if family not in made:
            make_config, make_model = classes[family.partition(",")[0]]
            model = make_model(make_config(**(SIZES | FAMILIES[family]))).eval()
            g = torch.Generator().manual_seed(0)
            with torch.no_grad():
                for parameter in model.parameters():
                    values = torch.randn(parameter.shape, generator=g)
                    parameter.copy_(values * (0.2 if parameter.ndim > 1 else 0.3))
            directory = tmp_path_factory.mktemp("saved")
            model.save_pretrained(directory)
            made[family] = model, directory
        return made[family]

    return make


@pytest.fixture
def copied(saved, tmp_path):
    """A saved Llama's config and weights, to be changed; and how to write them."""
    from safetensors.torch import load_file, save_file

    directory = saved("llama")[1]
    fields = json.loads((directory / "config.json").read_text())
    weights = load_file(directory / "model.safetensors")

    def write():
        (tmp_path / "config.json").write_text(json.dumps(fields))
        save_file(weights, tmp_path / "model.safetensors")
        return tmp_path

    return fields, weights, write


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_the_same_logits_and_stream(saved, family):
    from tfs.interop import from_hugging_face

    theirs, directory = saved(family)
    ours = from_hugging_face(directory)
    tokens = torch.randint(31, (3, 12), generator=torch.Generator().manual_seed(1))
    expected = theirs(tokens, output_hidden_states=True)
    logits, cache = ours.run_with_cache(tokens)
    torch.testing.assert_close(logits, expected.logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours(tokens), expected.logits, rtol=1e-5, atol=1e-5)
    assert expected.logits.std() > 0.1
    for layer in range(2):
        stream = expected.hidden_states[layer]
        torch.testing.assert_close(cache["resid_pre", layer], stream, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma", "mixtral"])
def test_token_by_token_it_writes_what_they_write(saved, family):
    import tfs
    from tfs.interop import from_hugging_face

    theirs, directory = saved(family)
    tokens = torch.tensor([[3, 1, 4, 1, 5]])
    expected = theirs.generate(tokens, max_new_tokens=7, min_new_tokens=7, do_sample=False)
    ours = tfs.generate(from_hugging_face(directory), tokens, 7, temperature=0.0)
    assert ours.tolist() == expected.tolist()


def test_a_shorter_context_and_another_dtype(saved):
    from tfs.interop import from_hugging_face

    model = from_hugging_face(saved("llama")[1], n_ctx=5, dtype=torch.bfloat16)
    assert model.cfg.n_ctx == 5 and model.W_E.dtype == torch.bfloat16
    assert from_hugging_face(saved("llama")[1], n_ctx=500).cfg.n_ctx == 12


def test_where_configs_of_older_versions_keep_the_base(copied):
    from tfs.interop import from_hugging_face

    fields, _, write = copied
    fields.pop("rope_parameters")
    assert from_hugging_face(write()).cfg.rotary_base == 10000
    fields["rope_theta"] = 77.0
    assert from_hugging_face(write()).cfg.rotary_base == 77.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"model_type": "t5"},
            "model_type must be one of llama, mistral, gemma, mixtral, not 't5'",
        ),
        ({"mlp_bias": True}, "mlp_bias is true"),
        (
            {"rope_parameters": {"rope_type": "linear", "factor": 2.0}},
            "rope_type 'linear' rescales rotary positions",
        ),
        ({"hidden_act": "quick_gelu"}, "act_fn must be one of"),
        ({"hidden_size": None}, "config.json lacks hidden_size"),
        ({"num_key_value_heads": 3}, "n_heads must be a multiple of n_key_value_heads, but 4"),
        ({"intermediate_size": 41}, "mlp.gate_proj.weight makes a blocks.0.mlp.W_gate of [24, 40]"),
        ({"head_dim": 10}, "q_proj.weight has shape [32, 24], of which"),
        ({"num_hidden_layers": 3}, "lacks model.layers.2.input_layernorm.weight"),
        ({"num_hidden_layers": 1}, "holds model.layers.1.input_layernorm.weight, which its family"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(copied, change, message):
    from tfs.interop import from_hugging_face

    fields, _, write = copied
    fields |= change
    for name in [name for name, value in change.items() if value is None]:
        del fields[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        from_hugging_face(write())


def test_a_tensor_too_many_or_too_few_is_named(copied):
    from tfs.interop import from_hugging_face

    _, weights, write = copied
    weights["model.extra"] = torch.zeros(2)
    with pytest.raises(ValueError, match="holds model.extra, which its family's table"):
        from_hugging_face(write())
    del weights["model.extra"], weights["lm_head.weight"]
    with pytest.raises(ValueError, match="lacks lm_head.weight, which becomes unembed.W_U"):
        from_hugging_face(write())


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_none_are_refused(copied, value):
    from tfs.interop import from_hugging_face

    _, weights, write = copied
    weights["model.layers.1.mlp.up_proj.weight"][3, 2] = value
    with pytest.raises(ValueError, match="1.mlp.up_proj.weight holds something other than finite"):
        from_hugging_face(write())
    weights["model.layers.1.mlp.up_proj.weight"] = torch.zeros(40, 24, dtype=torch.int32)
    with pytest.raises(ValueError, match="holds something other than finite numbers"):
        from_hugging_face(write())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 10**9}, "model.embed_tokens.weight makes a embed.W_E of [31, 24]"),
        ({"intermediate_size": 10**9}, "makes a blocks.0.mlp.W_gate of [24, 40]"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1,000,000,000, more than the 512"),
        ({"max_position_embeddings": 10**9}, "n_ctx is 1,000,000,000, more than the 1,048,576"),
    ],
)
def test_a_config_that_promises_too_much_takes_no_memory(copied, monkeypatch, change, message):
    """Shapes are compared before a tensor is loaded and before a model is made."""
    from tfs.interop import from_hugging_face, hugging_face

    monkeypatch.setattr(hugging_face, "DecoderOnly", lambda cfg: pytest.fail("a model was made"))
    monkeypatch.setattr(hugging_face, "_finite", lambda *_: pytest.fail("a tensor was loaded"))
    fields, _, write = copied
    fields |= change
    with pytest.raises(ValueError, match=re.escape(message)):
        from_hugging_face(write())


@pytest.mark.parametrize("limit", ["LARGEST_CONFIG", "LARGEST_WEIGHTS"])
def test_files_are_weighed_before_they_are_read(copied, monkeypatch, limit):
    from tfs.interop import from_hugging_face, hugging_face

    monkeypatch.setattr(hugging_face, limit, 100)
    with pytest.raises(ValueError, match="bytes, more than the 100 that we read"):
        from_hugging_face(copied[2]())


def test_weights_that_are_no_safetensors_are_damaged(copied):
    from tfs.interop import from_hugging_face

    directory = copied[2]()
    (directory / "model.safetensors").write_bytes(b"0" * 64)
    with pytest.raises(ValueError, match="is damaged or not a safetensors file"):
        from_hugging_face(directory)


def test_a_directory_that_is_no_model(tmp_path, copied):
    from tfs.interop import from_hugging_face

    _, _, write = copied
    (write() / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="model.safetensors is missing"):
        from_hugging_face(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="is damaged: it is not JSON"):
        from_hugging_face(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match="has no config.json"):
        from_hugging_face(tmp_path)


def test_a_table_names_nothing_twice():
    from tfs.interop.tables import rows_of

    for family in ("llama", "mistral", "gemma", "mixtral"):
        rows = rows_of(family, 3, 2, biases=True, tied=False)
        assert len({ours for ours, _, _ in rows}) == len({name for _, name, _ in rows}) == len(rows)
