"""Which model a checkpoint holds: the name of its architecture, its sizes, its labels."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from tfs.hooks import HookedModel
from tfs.model.config import TransformerConfig
from tfs.model.decoder import DecoderOnly
from tfs.model.encoder import EncoderClassifier, EncoderOnly, PairClassifier, TokenClassifier
from tfs.model.encoder_decoder import EncoderDecoder

Make = Callable[[TransformerConfig, tuple[str, ...]], HookedModel]
DECODER_ONLY, ENCODER_ONLY, ENCODER_DECODER = "decoder-only", "encoder-only", "encoder-decoder"
TOKEN_CLASSIFIER, PAIR_CLASSIFIER = "token-classifier", "pair-classifier"
MAKE: dict[str, Make] = {
    DECODER_ONLY: lambda cfg, labels: DecoderOnly(cfg),
    ENCODER_ONLY: lambda cfg, labels: EncoderOnly(cfg),
    ENCODER_DECODER: lambda cfg, labels: EncoderDecoder(cfg),
    TOKEN_CLASSIFIER: lambda cfg, labels: TokenClassifier(EncoderOnly(cfg), labels),
    PAIR_CLASSIFIER: lambda cfg, labels: PairClassifier(EncoderOnly(cfg), labels),
}
NAMES = {
    DecoderOnly: DECODER_ONLY,
    EncoderOnly: ENCODER_ONLY,
    EncoderDecoder: ENCODER_DECODER,
    TokenClassifier: TOKEN_CLASSIFIER,
    PairClassifier: PAIR_CLASSIFIER,
}


class Kind(NamedTuple):
    """All that a model is but its numbers. labels: the names of a classifier's, in order."""

    cfg: TransformerConfig
    architecture: str = DECODER_ONLY
    labels: tuple[str, ...] = ()

    def make(self) -> HookedModel:
        """A model of this kind, with random weights. Raises ValueError for an unknown kind."""
        if self.architecture not in MAKE:
            raise ValueError(
                f"there is no architecture {self.architecture!r:.60}; there are {', '.join(MAKE)}"
            )
        return MAKE[self.architecture](self.cfg, self.labels)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter; no memory is taken for any of them."""
        with torch.device("meta"):
            return {name: tuple(p.shape) for name, p in self.make().named_parameters()}


def kind_of(model: HookedModel) -> Kind:
    """Raises KeyError for a class that is none of ours."""
    labels = model.labels if isinstance(model, EncoderClassifier) else ()
    return Kind(model.cfg, NAMES[type(model)], labels)
