"""Contestants that read both ways or write one text from another, made from one config.

As in peers.py every maker takes our TransformerConfig. A peer that can hold our weights does, and
a race begins only where it computes our logits.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks.peers import BETAS, CLIP, LR, quiet, update

START, END, PAD = 1, 2, 0


def paper_config(**sizes: Any) -> Any:
    """A TransformerConfig of the paper's kind: fixed sines, ReLU, post-norm, tied, scaled."""
    import tfs

    return tfs.TransformerConfig(
        d_head=sizes["d_model"] // sizes["n_heads"],
        act_fn="relu",
        positional_embedding_type="sinusoidal",
        tie_word_embeddings=True,
        seed=0,
        **sizes,
    )


def random_pairs(cfg: Any, batch: int) -> Any:
    """A PairBatch as long as the context, a tenth of its sources' tokens padding; without ends."""
    import torch

    from tfs.tasks.pairs import PairBatch

    g = torch.Generator().manual_seed(0)
    source, target = torch.randint(3, cfg.d_vocab, (2, batch, cfg.n_ctx), generator=g)
    lengths = torch.randint(int(0.8 * cfg.n_ctx), cfg.n_ctx + 1, (batch, 1), generator=g)
    source_mask = torch.arange(cfg.n_ctx) < lengths
    source = source.masked_fill(~source_mask, PAD)
    target[:, 0] = START
    written = torch.ones_like(target, dtype=torch.bool)
    written[:, 0] = False
    return PairBatch(source, source_mask, target, written, written)


def our_pair_training(cfg: Any, batch: Any) -> Callable[[], float]:
    """One update of our EncoderDecoder, as tfs.train makes it."""
    import tfs

    return our_update(tfs.EncoderDecoder(cfg), batch)


def our_update(model: Any, batch: Any) -> Callable[[], float]:
    import tfs
    from tfs.train.loss import training_loss
    from tfs.train.optimizer import make_optimizer

    optimizer = make_optimizer(model, tfs.TrainConfig(lr=LR, betas=BETAS, grad_clip=CLIP))
    return update(model, lambda: training_loss(model, batch), optimizer)


def torch_transformer_training(cfg: Any, batch: Any) -> Callable[[], float]:
    """torch.nn.Transformer between our embedding and unembedding, which it lacks."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    from tfs.model.positions import SinusoidalPosEmbed

    class Paper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(cfg.d_vocab, cfg.d_model)
            nn.init.normal_(self.embed.weight, std=cfg.initializer_range)
            self.sines = SinusoidalPosEmbed(cfg)
            self.transformer = nn.Transformer(
                cfg.d_model,
                cfg.n_heads,
                cfg.n_layers,
                cfg.n_layers,
                cfg.d_mlp,
                dropout=0.0,
                activation=cfg.act_fn,
                batch_first=True,
            )
            self.transformer.encoder.norm = self.transformer.decoder.norm = None  # as in the paper

        def looked_up(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.embed(tokens) * cfg.d_model**0.5 + self.sines(tokens)

        def forward(self, source: torch.Tensor, target: torch.Tensor, padding: torch.Tensor) -> Any:
            causal = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
            out = self.transformer(
                self.looked_up(source),
                self.looked_up(target),
                tgt_mask=causal,
                src_key_padding_mask=padding,
                memory_key_padding_mask=padding,
                tgt_is_causal=True,
            )
            return F.linear(out, self.embed.weight)

    model, padding = Paper(), ~batch.source_mask
    read, targets = batch.target[:, :-1], batch.target[:, 1:]

    def loss() -> torch.Tensor:
        logits = model(batch.source, read, padding)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    with quiet():
        return update(model.train(), loss)


def marian(model: Any) -> Any:
    """Hugging Face's MarianMTModel with our model's weights.

    Raises AssertionError where the two do not compute the same logits.
    """
    import torch

    from tfs.interop.marian import marian_config, marian_state_dict

    with quiet():
        from transformers import MarianConfig, MarianMTModel

        config = marian_config(model.cfg, start=START, end=END, pad=PAD)
        config |= {"dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0}
        peer = MarianMTModel(MarianConfig(**config))
        peer.load_state_dict(marian_state_dict(model), strict=False)
    tokens = torch.arange(3, 3 + min(8, model.cfg.n_ctx))[None]
    with torch.inference_mode():
        logits = peer.eval()(tokens, decoder_input_ids=tokens).logits
        torch.testing.assert_close(logits, model(tokens, tokens), atol=1e-4, rtol=1e-4)
    return peer


def marian_training(cfg: Any, batch: Any) -> Callable[[], float]:
    import tfs

    peer = marian(tfs.EncoderDecoder(cfg)).train()
    read, labels = batch.target[:, :-1].contiguous(), batch.target[:, 1:].contiguous()
    inputs = {"input_ids": batch.source, "attention_mask": batch.source_mask.long()}
    inputs |= {"decoder_input_ids": read, "labels": labels, "use_cache": False}
    return update(peer, lambda: peer(**inputs).loss)


def our_decoding(model: Any, batch: Any, beams: int) -> Callable[[], Any]:
    """Up to the context's end. Raises AssertionError where a text ends before: then a race with
    another's texts says nothing."""
    from tfs.seq2seq import beam_decode, greedy_decode

    how = {"start": START, "end": END, "one_zero_attention_mask": batch.source_mask.long()}
    assert END not in greedy_decode(model, batch.source, **how), "a text ended early"
    if beams == 1:
        return partial(greedy_decode, model, batch.source, **how)
    return partial(beam_decode, model, batch.source, beams=beams, **how)


def marian_decoding(model: Any, batch: Any, beams: int) -> Callable[[], Any]:
    peer, new = marian(model), model.cfg.n_ctx
    inputs = {"input_ids": batch.source, "attention_mask": batch.source_mask.long()}

    def generate() -> Any:
        with quiet():
            return peer.generate(**inputs, do_sample=False, num_beams=beams, max_new_tokens=new)

    return generate


def masked_batch(cfg: Any, batch: int) -> Any:
    """A LabelledBatch as long as the context, a tenth padding, every seventh token asked for."""
    import torch

    from tfs.tasks.labelled import LabelledBatch

    pairs = random_pairs(cfg, batch)
    asked = pairs.source_mask & (torch.arange(cfg.n_ctx) % 7 == 3)
    segments = torch.zeros_like(pairs.source)
    return LabelledBatch(pairs.source, pairs.source_mask, segments, pairs.target, asked, asked)


def our_masked_training(cfg: Any, batch: Any) -> Callable[[], float]:
    import tfs

    return our_update(tfs.EncoderOnly(cfg), batch)


def bert_training(cfg: Any, batch: Any) -> Callable[[], float]:
    """Hugging Face's BertForMaskedLM of our config's sizes, no dropout."""
    import torch

    with quiet():
        from transformers import BertConfig, BertForMaskedLM

        config = BertConfig(
            vocab_size=cfg.d_vocab,
            hidden_size=cfg.d_model,
            num_hidden_layers=cfg.n_layers,
            num_attention_heads=cfg.n_heads,
            intermediate_size=cfg.d_mlp,
            hidden_act=cfg.act_fn,
            max_position_embeddings=cfg.n_ctx,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            tie_word_embeddings=cfg.tie_word_embeddings,
        )
        model = BertForMaskedLM(config).train()
    labels = torch.where(batch.loss_mask, batch.labels, -100)
    inputs = {"input_ids": batch.tokens, "attention_mask": batch.token_mask.long()}
    inputs |= {"token_type_ids": batch.segments, "labels": labels}
    return update(model, lambda: model(**inputs).loss)
