"""Lessons of the numpy Transformer that reads both ways: tags of words, and pairs of questions."""

import math
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

import tfs
from pages._ui.lab_samples import in_pieces
from pages._ui.what_it_knows import say_what_tags_mean
from tfs.numpy_engine import Trainer
from tfs.numpy_engine.answers import Right, right_labels
from tfs.numpy_engine.labelled import accuracy, said, tag_scores
from tfs.numpy_engine.losses import IGNORED
from tfs.numpy_engine.recipes import PAIRS_STEPS, TAGS_STEPS, pairs_trainer, tags_trainer
from tfs.numpy_engine.texts import Texts, pairs_from_templates, sentences_from_templates
from tfs.train.pair_recipes import QUESTION_PAIRS, TAGS
from tfs.train.recipe import Recipe
from tfs.train.told import Example, Piece

TEXTS_SHOWN = 4


class Labelled:
    """What both have in common; a reader gives no text of their own."""

    text = None
    known: Recipe  # the same task for torch
    steps: int
    per: str
    trained_by: Callable[..., Trainer]

    def __init__(self, seed: int, texts: Texts) -> None:
        self.seed, self.texts, self.key = seed, texts, (self.known.name, seed)
        self.tokenizer, self.labels = texts.reader.tokenizer, texts.reader.labels
        maker = type(self).trained_by
        self.imports = f"from {maker.__module__} import {maker.__name__}"
        self.program = f"trainer = {maker.__name__}({self.steps}, seed={seed})"

    def make(self) -> Trainer:
        return type(self).trained_by(self.steps, self.seed, self.texts)

    def references(self, trainer: Trainer) -> dict[str, float]:
        return {"blind guess": math.log(len(self.labels))}

    def grade(self, trainer: Trainer) -> Right:
        return right_labels(trainer.model, trainer.held_out)

    def recipe(self, trainer: Trainer) -> Recipe:
        fields = trainer.model.cfg.to_dict()
        model = tfs.TransformerConfig.from_dict(fields)
        rows = len(trainer.batches.at(0)[0])
        train = replace(self.known.train, steps=self.steps, batch_size=rows, seed=self.seed)
        return replace(self.known, model=model, train=train)


class Tags(Labelled):
    """Who, where, which company, when; held out are names."""

    per = "word"
    known, steps, trained_by = TAGS, TAGS_STEPS, staticmethod(tags_trainer)

    def __init__(self, seed: int) -> None:
        super().__init__(seed, _sentences(seed))

    def answer(self, trainer: Trainer) -> None:
        tokens, _, is_token, labels = trainer.held_out
        guessed = said(trainer.model, trainer.held_out)
        for row in range(TEXTS_SHOWN):
            end = int(is_token.data[row].sum()) - 1  # where [SEP] stands
            begins = [*(labels.data[row] != IGNORED).nonzero()[0].tolist(), end]
            pieces = []
            for first, after in zip(begins, begins[1:], strict=False):
                word = self.tokenizer.decode(tokens.data[row, first:after].tolist()).strip()
                pair = (guessed[row, first], labels.data[row, first])
                pieces.append(Piece(word, *(self.labels[number] for number in pair)))
            st.markdown(in_pieces(Example("", pieces, " ")))
        st.caption(
            "Behind each word its likeliest tag, in bold; a wrong one is struck through, on red. "
            "The tag O, for no name, is left out where it is right. No name here was in a text "
            "that it learned from."
        )

        say_what_tags_mean(list(self.labels))

    def score(self, trainer: Trainer) -> dict[str, str]:
        f1 = tag_scores(trainer.model, self.texts.held_out, self.labels).f1
        return {f"F1 of entities, {self.texts.count:,} texts": f"{f1:.1%}"}


class Questions(Labelled):
    """Do two questions ask the same? Held out are people who never met."""

    per = "pair"
    known, steps, trained_by = QUESTION_PAIRS, PAIRS_STEPS, staticmethod(pairs_trainer)

    def __init__(self, seed: int) -> None:
        super().__init__(seed, _pairs(seed))

    def answer(self, trainer: Trainer) -> None:
        tokens, segments, is_token, labels = trainer.held_out
        guessed = said(trainer.model, trainer.held_out)
        for row in range(TEXTS_SHOWN):
            length = int(is_token.data[row].sum())
            words = self.tokenizer.str_tokens(tokens.data[row, :length].tolist())
            cut = length - int(segments.data[row].sum())  # [CLS] one [SEP] | other [SEP]
            one, other = " ".join(words[1 : cut - 1]), " ".join(words[cut:-1])
            pair = (guessed[row], labels.data[row])
            piece = Piece(f"{one} {other}", *(self.labels[number] for number in pair))
            st.markdown(in_pieces(Example("", [piece], " ")))
        st.caption(
            "Behind two questions whether they ask the same: its likelier answer, in bold; a wrong "
            "one is struck through, on red. No two people here met in a pair that it learned from."
        )

    def score(self, trainer: Trainer) -> dict[str, str]:
        right = accuracy(trainer.model, self.texts.held_out)
        return {f"Right, of {self.texts.count:,} pairs": f"{right:.1%}"}


@st.cache_resource(show_spinner="Writing sentences …", max_entries=8)
def _sentences(seed: int) -> Texts:
    return sentences_from_templates(seed)


@st.cache_resource(show_spinner="Writing questions …", max_entries=8)
def _pairs(seed: int) -> Texts:
    return pairs_from_templates(seed)
