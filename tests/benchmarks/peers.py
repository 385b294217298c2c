"""The contestants: our model, and those it is measured against, made from one config.

Every maker takes our TransformerConfig, so that a row's contestants have the same sizes. Where a
peer can hold our weights it does; where not, weights of the same shape and scale serve as well.
"""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

LR, BETAS, CLIP = 1e-3, (0.9, 0.98), 1.0


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No warnings or log lines from other people's libraries, here only."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def our_config(**sizes: Any) -> Any:
    """A TransformerConfig with GPT-2's activation; d_head follows from d_model and n_heads."""
    import tfs

    d_head = sizes["d_model"] // sizes["n_heads"]
    return tfs.TransformerConfig(d_head=d_head, act_fn="gelu_new", seed=0, **sizes)


def hooked_transformer(model: Any) -> Any:
    """TransformerLens's HookedTransformer with our model's own weights.

    Raises AssertionError where the two do not compute the same logits: then a race says nothing.
    """
    import torch

    with quiet():
        from transformer_lens import HookedTransformer, HookedTransformerConfig

        peer = HookedTransformer(HookedTransformerConfig(**model.cfg.hooked_fields(), device="cpu"))
        peer.load_state_dict(model.state_dict(), strict=False)
    tokens = torch.arange(8)[None]
    with torch.inference_mode():
        torch.testing.assert_close(peer(tokens), model(tokens), atol=1e-4, rtol=1e-4)
    return peer


def hugging_face(cfg: Any) -> Any:
    """Hugging Face's GPT2LMHeadModel of our config's sizes, no dropout, no end-of-text."""
    with quiet():
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(
            vocab_size=cfg.d_vocab,
            n_positions=cfg.n_ctx,
            n_embd=cfg.d_model,
            n_layer=cfg.n_layers,
            n_head=cfg.n_heads,
            n_inner=cfg.d_mlp,
            activation_function=cfg.act_fn,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=0,
            tie_word_embeddings=cfg.tie_word_embeddings,
        )
        model = GPT2LMHeadModel(config)
        model.loss_type = "ForCausalLM"  # what it would guess, with a warning
        return model


def plain_decoder(cfg: Any) -> Any:
    """The same Transformer with nothing to open: fused QKV, torch's own modules, no hooks."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class PlainBlock(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(cfg.d_model), nn.LayerNorm(cfg.d_model)
            self.qkv = nn.Linear(cfg.d_model, 3 * cfg.d_model)
            self.out = nn.Linear(cfg.d_model, cfg.d_model)
            self.mlp_in = nn.Linear(cfg.d_model, cfg.d_mlp)
            self.mlp_out = nn.Linear(cfg.d_mlp, cfg.d_model)

        def forward(self, resid: torch.Tensor) -> torch.Tensor:
            qkv = self.qkv(self.ln1(resid)).unflatten(-1, (3, cfg.n_heads, cfg.d_head))
            q, k, v = (part.transpose(1, 2) for part in qkv.unbind(2))
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            resid = resid + self.out(z.transpose(1, 2).flatten(2))
            hidden = F.gelu(self.mlp_in(self.ln2(resid)), approximate="tanh")
            return resid + self.mlp_out(hidden)

    class PlainDecoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(cfg.d_vocab, cfg.d_model)
            self.pos_embed = nn.Embedding(cfg.n_ctx, cfg.d_model)
            self.blocks = nn.Sequential(*(PlainBlock() for _ in range(cfg.n_layers)))
            self.ln_final = nn.LayerNorm(cfg.d_model)
            self.unembed = nn.Linear(cfg.d_model, cfg.d_vocab, bias=not cfg.tie_word_embeddings)
            if cfg.tie_word_embeddings:
                self.unembed.weight = self.embed.weight
            for name, parameter in self.named_parameters():
                if name.endswith("weight") and "ln" not in name:
                    nn.init.normal_(parameter, std=cfg.initializer_range)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            resid = self.embed(tokens) + self.pos_embed.weight[: tokens.shape[1]]
            return self.unembed(self.ln_final(self.blocks(resid)))

    return PlainDecoder()


def our_training(cfg: Any, tokens: Any) -> Callable[[], float]:
    """One update of our model, as tfs.train makes it."""
    import torch

    import tfs
    from tfs.tasks import Batch
    from tfs.train.loss import training_loss
    from tfs.train.optimizer import make_optimizer

    model = tfs.DecoderOnly(cfg)
    optimizer = make_optimizer(model, tfs.TrainConfig(lr=LR, betas=BETAS, grad_clip=CLIP))
    everything = torch.ones_like(tokens, dtype=torch.bool)
    batch = Batch(tokens, everything, everything)
    return update(model, lambda: training_loss(model, batch), optimizer)


def hooked_transformer_training(cfg: Any, tokens: Any) -> Callable[[], float]:
    import tfs

    model = hooked_transformer(tfs.DecoderOnly(cfg))
    return update(model, lambda: model(tokens, return_type="loss"))


def hugging_face_training(cfg: Any, tokens: Any) -> Callable[[], float]:
    model = hugging_face(cfg).train()
    return update(model, lambda: model(tokens, labels=tokens, use_cache=False).loss)


def plain_training(cfg: Any, tokens: Any) -> Callable[[], float]:
    model = plain_decoder(cfg)
    return update(model, lambda: plain_loss(model, tokens))


def plain_loss(model: Any, tokens: Any) -> Any:
    """As ours: every position is read, and nothing follows the last token."""
    import torch.nn.functional as F

    following = F.pad(tokens[:, 1:], (0, 1), value=-100).flatten()
    return F.cross_entropy(model(tokens).flatten(0, 1), following)


def our_loop(recipe: Any, updates: int) -> Callable[[], None]:
    """So many updates of a recipe by tfs.train's own `update`: batch, hooks and all."""
    import tfs
    from tfs.train.backward import batch_loss
    from tfs.train.loop import update
    from tfs.train.optimizer import make_optimizer

    model, task, steps = tfs.DecoderOnly(recipe.model), recipe.make_task(), count(1)
    optimizer, loss_of = make_optimizer(model, recipe.train), batch_loss(model, recipe.train)

    def run() -> None:
        for step in islice(steps, updates):
            update(model, task, recipe.train, optimizer, step, loss_of)

    return run


def plain_loop(recipe: Any, updates: int) -> Callable[[], None]:
    """As many of the plain decoder in an eager loop of the usual shape, on the same batches."""
    model, task, steps = plain_decoder(recipe.model), recipe.make_task(), count(1)

    def loss_of() -> Any:
        return plain_loss(model, task.sample(recipe.train.batch_size, next(steps)).tokens)

    one = update(model, loss_of)

    def run() -> None:
        for _ in range(updates):
            one()

    return run


def update(model: Any, loss_of: Callable[[], Any], optimizer: Any = None) -> Callable[[], float]:
    """Forward, backward, clip, step: the same for everyone, with the same fused AdamW."""
    import torch

    parameters = list(model.parameters())
    if optimizer is None:
        optimizer = torch.optim.AdamW(parameters, lr=LR, betas=BETAS, weight_decay=0.0, fused=True)

    def step() -> float:
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


def our_generation(cfg: Any, prompt: Any, new: int) -> Callable[[], Any]:
    import tfs

    model = tfs.DecoderOnly(cfg)
    return lambda: tfs.generate(model, prompt, max_new_tokens=new, temperature=0.0)


def hugging_face_generation(cfg: Any, prompt: Any, new: int) -> Callable[[], Any]:
    import torch

    model = hugging_face(cfg).eval()
    mask = torch.ones_like(prompt)

    def generate() -> Any:
        with quiet():
            return model.generate(
                prompt,
                attention_mask=mask,
                do_sample=False,
                use_cache=True,
                max_new_tokens=new,
                min_new_tokens=new,
                pad_token_id=0,
            )

    return generate
