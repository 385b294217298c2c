"""The lab trains every architecture from its form: fitting choices, and pictures as it trains."""

import time

import pytest
import torch

from tests.pages.lab_page import PAGE, button, recipe_of
from tests.pages.screen import SECONDS, header, open_code, the_map

FIRST_OF = {
    "encoder-decoder": "dates",
    "encoder-only": "masked-words",
    "token-classifier": "tags",
}


def trained_to_the_end(at):
    deadline = time.monotonic() + SECONDS
    while "finished" not in str([bar.proto.text for bar in at.get("progress")]):
        assert time.monotonic() < deadline and not at.exception and not at.error
        time.sleep(0.2)
        at.run()
    return at.run()


@pytest.fixture
def pair_run(trained):
    """pair_run(recipe) -> the page when a run of three updates is over, and its directory."""

    def train(recipe):
        at, directory = trained(recipe, 3)
        assert not at.exception and not at.error
        return at, directory

    return train


@pytest.mark.parametrize(("architecture", "recipe"), FIRST_OF.items())
def test_an_architecture_begins_with_its_first_recipe(visit, architecture, recipe) -> None:
    from tfs.train.pair_recipes import ALL_RECIPES
    from tfs.train.recipe import Recipe

    at = visit(PAGE)
    at.segmented_control(key="architecture").set_value(architecture).run()
    assert not at.exception and not at.error and not at.warning
    assert at.selectbox(key="recipe").value == recipe
    assert Recipe.from_dict(recipe_of(at)) == ALL_RECIPES[recipe]
    at.segmented_control(key="architecture").set_value("decoder-only").run()
    assert at.selectbox(key="recipe").value == "mirror" and not at.warning


@pytest.mark.parametrize("query", [{}, {"architecture": "encoder-only"}])
def test_a_link_to_a_recipe_opens_its_architecture(visit, query) -> None:
    at = visit(PAGE, recipe="grammar", **query)
    assert at.selectbox(key="recipe").value == "grammar"
    assert at.segmented_control(key="architecture").value == "encoder-decoder"
    assert recipe_of(at)["name"] == "grammar" and not at.warning


def test_every_recipe_is_offered_under_its_architecture(visit) -> None:
    from pages._ui.lab_form import OFFERED

    at, found = visit(PAGE), []
    for architecture in at.segmented_control(key="architecture").options:
        at.segmented_control(key="architecture").set_value(architecture).run()
        for name in at.selectbox(key="recipe").options:
            assert OFFERED[name].architecture == architecture
            found.append(name)
    assert sorted(found) == sorted(OFFERED)


def test_widgets_fit_the_architecture(visit) -> None:
    """No rotary positions where a text is encoded, no blocks without an MLP between two texts."""
    labels = {}
    for recipe in ("mirror", "dates", "masked-words", "tags"):
        at = visit(PAGE, recipe=recipe)
        labels[recipe] = {each.label for each in [*at.toggle, *at.selectbox, *at.slider]}
        positions = at.selectbox(key=f"positions of {recipe}").options
        assert ("rotary" in positions) == ("alibi" in positions) == (recipe == "mirror")
    assert "Norms stand" not in labels["mirror"]
    assert "Attention only, no MLPs" not in labels["dates"]
    assert "W_U is W_E transposed" not in labels["tags"]
    for recipe in ("dates", "masked-words", "tags"):
        assert {"Norms stand", "Label smoothing"} <= labels[recipe]


ODD = [
    ("dates", {"norm_first": "before each part (pre-norm)", "norm": "none", "positions": "none"}),
    ("grammar", {"norm": "RMS", "gated_mlp": True, "key heads below 4": 1, "tied": False}),
    ("masked-words", {"attn_only": True, "norm": "none", "positions": "sinusoidal"}),
    ("tags", {"norm_first": "before each part (pre-norm)", "attn_only": True, "scale": False}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "chosen"), ODD)
def test_odd_combinations_are_trained(visit, tmp_path, recipe, chosen) -> None:
    import tfs

    at = visit(PAGE, recipe=recipe)
    chosen = chosen | {"label_smoothing": 0.1, "warmup": 0, "steps": 3}
    chosen |= {"schedule": "inverse square root"}
    widgets = [*at.toggle, *at.selectbox, *at.slider, *at.number_input]
    by_key = {each.key: each for each in widgets}
    for name, value in chosen.items():
        by_key[f"{name} of {recipe}"].set_value(value)
    at.run()
    assert not at.exception and not at.error
    asked = recipe_of(at)
    assert asked["train"]["schedule"] == "inverse_sqrt" and asked["train"]["label_smoothing"] == 0.1
    button(at, "Train").click().run()
    trained_to_the_end(at)
    cfg = tfs.load(tmp_path / at.session_state["run"]).model.cfg
    assert cfg.to_dict() == asked["model"]
    assert cfg.norm_first == (True if "norm_first" in chosen else None)


def test_what_it_writes_is_shown_at_kept_steps_beside_the_truth(pair_run) -> None:
    import tfs
    from tfs.train.recipe import read_recipe

    at, directory = pair_run("dates")
    assert "What it writes" in [each.value for each in at.subheader]
    (table,) = (each.value for each in at.table if "after" in each.value)
    steps = tfs.load(directory).snapshots
    when = [cell.split()[0].replace("*", "") for cell in table["after"]]
    assert when == [*map(str, steps), "the"]
    from tfs.tasks.batch import seed_for

    task = read_recipe(directory).make_task()
    drawn = task.sample(8 * 3, seed_for(0, "answers"), "held_out")
    for place, column in enumerate(table.columns[1:]):
        source = task.tokenizer.plain(drawn.source[place].tolist())
        target = task.tokenizer.plain(drawn.target[place].tolist())
        assert source in column
        assert table[column].iloc[-1].replace("\\", "") == target
        assert "red-background" in table[column].iloc[0]


@pytest.mark.parametrize(
    ("recipe", "title"),
    [
        ("masked-words", "fills in"),
        pytest.param("tags", "says of each word", marks=pytest.mark.slow),
    ],
)
def test_what_an_encoder_says_is_shown(pair_run, recipe, title) -> None:
    at, _ = pair_run(recipe)
    assert any(title in each.value for each in at.subheader)
    assert "the truth" in str([each.value for each in at.table])


@pytest.mark.parametrize("part", ["cross-attention", "encoder", "decoder"])
def test_one_head_is_drawn_at_the_newest_weights_and_all_at_kept_steps(pair_run, part) -> None:
    import tfs
    from pages._ui.components import shown
    from tfs.tasks.batch import seed_for
    from tfs.train.recipe import read_recipe

    at, directory = pair_run("dates")
    at.segmented_control(key="part").set_value(part).run()
    at.segmented_control(key="head").set_value(2).run()
    assert not at.exception
    bundle, task = tfs.load(directory), read_recipe(directory).make_task()
    batch = task.sample(1, seed_for(0, "probe"), "held_out")
    place = {"cross-attention": "decoder.0.cross_attn"}.get(part, f"{part}.0.attn")
    read = batch.source, batch.target[:, :-1]
    _, cache = bundle.model.run_with_cache(*read)
    wanted = cache[f"{place}.hook_pattern"][0, 2]
    torch.testing.assert_close(the_map(at, "newest"), wanted, atol=1e-5, rtol=0)
    head = header(at, "forming")
    assert head["frames"] == [str(step) for step in bundle.snapshots]
    assert (head["queries"], head["keys"]) == tuple(wanted.shape)
    asks = batch.source[0] if part == "encoder" else batch.target[0, 1:]
    assert head["query_labels"] == shown(task.tokenizer.str_tokens(asks.tolist()))


@pytest.mark.slow
def test_an_encoder_is_drawn_both_ways(pair_run) -> None:
    import tfs
    from tfs.tasks.batch import seed_for
    from tfs.train.recipe import read_recipe

    at, directory = pair_run("tags")
    batch = read_recipe(directory).make_task().sample(1, seed_for(0, "probe"), "held_out")
    _, cache = tfs.load(directory).model.run_with_cache(batch.tokens, batch.segments)
    wanted = cache["blocks.0.attn.hook_pattern"][0, 0]
    torch.testing.assert_close(the_map(at, "newest"), wanted, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_programs_give_what_is_drawn(pair_run) -> None:
    at, _ = pair_run("dates")
    open_code(at)
    programs = [each.value for each in at.code if "tfs.load" in each.value]
    assert len(programs) == 2
    results = []
    for program in programs:
        space: dict = {}
        exec(program, space)
        results.append(space["result"])
    torch.testing.assert_close(results[0], the_map(at, "newest"), atol=1e-5, rtol=0)
    head = header(at, "forming")
    assert list(results[1].shape) == [
        len(head["frames"]), len(head["names"]), head["queries"], head["keys"]
    ]  # fmt: skip


ANIMALS = "cat dog bird fish goat mouse horse cow".split()
PAIRS = "".join(f"{animal} {n}\t{n} {animal[::-1]}\n" for animal in ANIMALS for n in range(5))


def with_pairs(visit, data, name="mine.tsv"):
    """The form with this file of the reader's in it."""
    at = visit(PAGE, recipe="own-pairs")
    assert not at.exception and "Choose a UTF-8 file" in at.info[0].value
    at.file_uploader(key="text of own-pairs").upload(name, data, "text/tab-separated-values").run()
    return at


def test_a_file_of_pairs_is_trained_watched_and_gone_on_with(visit, tmp_path) -> None:
    import tfs
    from pages._ui import state

    at = with_pairs(visit, PAIRS.encode())
    at.number_input(key="steps of own-pairs").set_value(4).run()
    assert not at.exception and not at.error
    assert recipe_of(at)["model"]["d_vocab"] < 40
    button(at, "Train").click().run()
    trained_to_the_end(at)
    name = at.session_state["run"]
    assert (tmp_path / name / "text.txt").read_text() == PAIRS
    assert "the truth" in str([each.value for each in at.table])
    at.number_input(key="branch steps").set_value(3).run()
    button(at, "Train the branch").click().run()
    assert not at.exception and not at.error
    branch = at.session_state["run"]
    assert branch != name
    state.run_library().job(branch).thread.join(SECONDS)
    bundle = tfs.load(tmp_path / branch)
    assert state.run_library().entry(branch).state == "finished"
    assert bundle.tokenizer.str_tokens("cat 3") == ["cat", "3"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no text"),
        (b"cat\tone\xff\n", "is not UTF-8 text (byte 7 cannot be decoded)"),
        (b"cat\tone\n" * 20, "mine.tsv has fewer than 10 different sources"),
        (PAIRS.encode() + b"no tab here\n", "line 41 of mine.tsv has 0 tabs instead of one"),
        (PAIRS.encode() + b"\tone\n", "line 41 of mine.tsv has no source"),
        (
            PAIRS.encode() + b"a " * 70 + b"\tb\n",
            "line 41 of mine.tsv takes 70 tokens and “Longest text, in tokens” (n_ctx) is 64",
        ),
        (b"a\tb\n" * (2 * 2**20 + 1), "mine.tsv has 8.0 MiB, more than the 8 MiB"),
    ],
)
def test_a_file_that_is_none_of_pairs_is_refused_by_its_name(visit, data, says) -> None:
    at = with_pairs(visit, data)
    assert not at.exception
    (error,) = (each.value.replace("\\", "") for each in at.error)
    assert says in error
    assert "Train" not in [each.label for each in at.button]


def test_a_vocabulary_too_small_is_refused_by_its_label(visit) -> None:
    at = with_pairs(visit, PAIRS.encode())
    at.selectbox(key="tokenizer of own-pairs").set_value("bpe")
    at.number_input(key="d_vocab of own-pairs").set_value(100).run()
    (error,) = (each.value.replace("\\", "") for each in at.error)
    assert "“Most tokens in the vocabulary” (d_vocab) = 100 is too small for bpe" in error


@pytest.mark.slow
@pytest.mark.parametrize("tokens", ["characters", "bpe"])
def test_pairs_are_read_in_other_tokens(visit, tokens) -> None:
    at = with_pairs(visit, PAIRS.encode())
    at.selectbox(key="tokenizer of own-pairs").set_value(tokens)
    at.number_input(key="steps of own-pairs").set_value(2).run()
    assert not at.exception and not at.error
    button(at, "Train").click().run()
    trained_to_the_end(at)
