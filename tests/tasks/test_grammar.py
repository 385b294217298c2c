"""Two languages that say the same: each is read back, and the alignment is what a reader sees."""

import pytest


@pytest.fixture(scope="module")
def task(t):
    return t.GrammarTask()


@pytest.mark.parametrize(
    ("english", "velu", "aligned"),
    [
        ("the birds see the dog", "lai miraim lon tol visent", "0 1 3 4 2"),
        (
            "the small red dog follows the cat",
            "lo tol rudo piko lon kep seket",
            "0 3 2 1 5 6 4",
        ),
        (
            "the king does not know the old queens",
            "lo hulm lain jariim velas ne konet pa",
            "0 1 5 7 6 3 4 3",
        ),
        ("do the cows greet the dogs ?", "ku salent loi bordim loin tolim", "6 3 1 2 4 5"),
        (
            "does the small dog not see the birds ?",
            "ku ne viset pa lo tol piko lain miraim",
            "8 4 5 4 1 3 2 6 7",
        ),
    ],
)
def test_sentences_literally(task, english, velu, aligned) -> None:
    assert task.translate(english) == velu
    assert task.alignment(english) == [int(place) for place in aligned.split()]


def read_velu(text):
    """The tree of a Velu sentence, by its order of words, its stems and its endings."""
    from tfs.tasks import two_languages as language

    words = text.split()
    question = words[0] == "ku"
    negated = "ne" in words
    if negated:
        at = words.index("ne")
        assert words[at + 2] == "pa"
        verb = words[at + 1]
        rest = words[:at] + words[at + 3 :]
    else:
        at = 1 if question else len(words) - 1
        verb = words[at]
        rest = words[:at] + words[at + 1 :]
    assert (at == 1) if question else rest == words[: len(rest)]
    rest = rest[1:] if question else rest
    articles = {
        "nominative": ["lo", "la", "loi", "lai"],
        "accusative": ["lon", "lan", "loin", "lain"],
    }
    second = max(i for i, word in enumerate(rest) if word in articles["accusative"])
    phrases = []
    for case, words in (("nominative", rest[:second]), ("accusative", rest[second:])):
        article, noun, *adjectives = words
        form = articles[case].index(article)
        plural = form >= 2
        stem = noun.removesuffix("im") if plural else noun
        number = language.VELU_NOUNS.index(stem)
        assert (number in language.FEMININE) == (form % 2 == 1)
        ending = ["o", "a", "os", "as"][form]
        assert all(adjective.endswith(ending) for adjective in adjectives)
        stems = [adjective.removesuffix(ending) for adjective in reversed(adjectives)]
        places = tuple(language.VELU_ADJECTIVES.index(stem) for stem in stems)
        phrases.append(language.NounPhrase(number, plural, places))
    ending = "ent" if phrases[0].plural else "et"
    assert verb.endswith(ending)
    verb = language.VELU_VERBS.index(verb.removesuffix(ending))
    return language.Sentence(phrases[0], verb, phrases[1], negated, question)


def test_both_languages_are_read_back_to_the_same_tree() -> None:
    from tfs.tasks.grammar import draw_sentences
    from tfs.tasks.two_languages import alignment, english, read_english, text_of, velu

    trees = draw_sentences(1500, 0, "train") + draw_sentences(500, 0, "held_out")
    for tree in trees:
        source, target = text_of(english(tree)), text_of(velu(tree))
        assert read_english(source) == tree
        assert read_velu(target) == tree
        places = alignment(tree)
        assert len(places) == len(target.split())
        unsaid = {i for i, word in enumerate(source.split()) if word in ("do", "does")}
        assert set(places) == set(range(len(source.split()))) - unsaid
    assert {tree.negated + 2 * tree.question for tree in trees} == {0, 1, 2, 3}
    counts = [len(tree.object.adjectives) for tree in trees]
    for n in range(3):
        assert counts.count(n) / len(counts) == pytest.approx(1 / 3, abs=0.05)


def test_every_tree_has_a_number_of_its_own() -> None:
    from tfs.tasks.grammar import MODIFIERS, _adjectives

    every = [_adjectives(modifiers) for modifiers in range(MODIFIERS)]
    assert MODIFIERS == 101 == len(set(every))
    assert all(len(set(places)) == len(places) for places in every)
    assert {place for places in every for place in places} == set(range(10))


def test_every_word_is_in_the_vocabulary_and_none_is_in_both_languages(task) -> None:
    from tfs.tasks.two_languages import english_words, velu_words

    assert not set(english_words()) & set(velu_words())
    batch = task.sample(4000, seed=0)
    seen = set(batch.source.flatten().tolist()) | set(batch.target.flatten().tolist())
    assert seen == set(range(task.d_vocab))
    assert batch.target.shape[1] == task.n_ctx


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the dog",
        "the dog see the cat",
        "the dogs sees the cat",
        "the dog sees cat",
        "the dog does see the cat",
        "does the dog sees the cat ?",
        "the dog sees the cat ?",
        "the red red dog sees the cat",
        "the small red old dog sees the cat",
        "the dog eats the cat",
        "not the dog sees the cat",
    ],
)
def test_what_is_no_sentence_is_refused_with_an_example(task, text) -> None:
    with pytest.raises(ValueError, match="is no sentence of this grammar: write one such as"):
        task.translate(text)


def test_the_examples_of_the_refusal_are_sentences(task) -> None:
    assert task.translate("the small red dog does not see the birds").endswith("ne viset pa")
    assert task.translate("do the kings help the cat ?") == "ku jutent loi hulmim lon kep"
