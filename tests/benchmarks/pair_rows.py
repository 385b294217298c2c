"""The table's rows about models that read both ways, or write one text from another."""

from collections.abc import Callable
from typing import Any

from tests.benchmarks import pair_peers
from tests.benchmarks.row import Row
from tests.benchmarks.timing import take_turns

SMALL = {"n_layers": 2, "d_model": 128, "n_heads": 4, "d_mlp": 512, "n_ctx": 64, "d_vocab": 512}
DATES = {"n_layers": 1, "d_model": 64, "n_heads": 4, "d_mlp": 256, "n_ctx": 32, "d_vocab": 64}
WORDS = {"n_layers": 2, "d_model": 256, "n_heads": 4, "d_mlp": 1024, "n_ctx": 64}
PAPERS, BERTS = 37_000, 30_522  # tokens in a vocabulary: Vaswani et al. 2017, Devlin et al. 2019


def pairs(rounds: int) -> list[Row]:
    """Updates of an EncoderDecoder, whose sources are partly padding."""
    contestants = {
        "torch.nn.Transformer": (pair_peers.torch_transformer_training, 1.0),
        "Hugging Face Marian": (pair_peers.marian_training, 1.15),
    }
    rows = []
    for what, sizes, batch in (
        ("vocab 512", SMALL, 32),
        ("shape of dates", DATES, 32),
        (f"vocab {PAPERS:,}", WORDS | {"d_vocab": PAPERS}, 8),
    ):
        cfg = pair_peers.paper_config(**sizes)
        read = pair_peers.random_pairs(cfg, batch)
        what = f"EncoderDecoder training, {what}"
        rows += training_rows(what, cfg, read, pair_peers.our_pair_training, contestants, rounds)
    return rows


def masked(rounds: int) -> list[Row]:
    """Updates of an EncoderOnly that fills in every seventh word."""
    contestants = {"Hugging Face BERT": (pair_peers.bert_training, 1.15)}
    rows = []
    for sizes, batch in ((SMALL, 32), (WORDS | {"d_vocab": BERTS}, 8)):
        cfg = pair_peers.paper_config(**sizes)
        read = pair_peers.masked_batch(cfg, batch)
        what = f"EncoderOnly training, vocab {cfg.d_vocab:,}"
        rows += training_rows(what, cfg, read, pair_peers.our_masked_training, contestants, rounds)
    return rows


def training_rows(
    what: str,
    cfg: Any,
    batch: Any,
    ours: Callable,
    contestants: dict[str, tuple[Callable, float]],
    rounds: int,
) -> list[Row]:
    """Ours against each contestant: (maker, target)."""
    calls = {"ours": ours(cfg, batch)}
    calls |= {name: make(cfg, batch) for name, (make, _) in contestants.items()}
    timings, tokens = take_turns(calls, rounds), batch.tokens_read
    ours_took = timings.speed("ours", tokens)
    rows = []
    for name, (_, target) in contestants.items():
        ratio = timings.times_as_fast("ours", name)
        rows.append(Row(f"{what}: {name}", ours_took, timings.speed(name, tokens), ratio, target))
    return rows


def decoding(rounds: int) -> list[Row]:
    """Texts written to the context's end, keys and values kept, against Marian's generate."""
    import tfs

    cfg = pair_peers.paper_config(**SMALL)
    model = tfs.EncoderDecoder(cfg).requires_grad_(False)
    rows = []
    for beams, batch in ((1, 1), (1, 16), (4, 1), (4, 16)):
        read = pair_peers.random_pairs(cfg, batch)
        calls = {
            "ours": pair_peers.our_decoding(model, read, beams),
            "peer": pair_peers.marian_decoding(model, read, beams),
        }
        timings = take_turns(calls, rounds, warm_up=1)
        how = "greedily" if beams == 1 else f"with {beams} beams"
        texts = "1 text" if batch == 1 else f"{batch} texts"

        rows.append(
            Row(
                f"decoding {texts} {how}: Hugging Face Marian",
                timings.speed("ours", batch * cfg.n_ctx),
                timings.speed("peer", batch * cfg.n_ctx),
                timings.times_as_fast("ours", "peer"),
                1.5,
            )
        )
    return rows
