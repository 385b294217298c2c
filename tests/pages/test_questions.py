"""Predict, then reveal, where it has no page test of its own: each answer computed here anew."""

import pytest
import torch

from tests.pages.screen import drawn

PARTS = {
    "the embedding": lambda path: path.startswith("embed"),
    "the positions": lambda path: path.startswith("pos_embed"),
    "attention": lambda path: ".attn." in path,
    "the MLPs": lambda path: ".mlp." in path,
    "the norms": lambda path: ".ln" in path or path.startswith("ln"),
    "the unembedding": lambda path: path.startswith("unembed"),
}
MODELS = ["shakespeare", "induction", "mirror", "mirror-no-positions"]


@pytest.fixture
def logits_of(visit):
    """logits_of(page at) -> the model, its tokenizer, the prompt's logits and its activations."""
    import tfs

    def run(at):
        bundle = tfs.load(at.session_state["model"])
        ids = torch.tensor([bundle.tokenizer.encode(at.session_state["prompt"])])
        with torch.no_grad():
            logits, cache = bundle.model.run_with_cache(ids)
        return bundle.model, bundle.tokenizer, logits[0], cache

    return run


def grades(at, key) -> list[str]:
    """The options that are graded as right, after each was tried."""
    right = []
    for option in at.button_group(key=key).options:
        at.button_group(key=key).set_value(option.replace("\\", "")).run()
        assert not at.exception
        if at.success:
            right.append(option.replace("\\", ""))
        else:
            assert any("Not this time" in info.value for info in at.info)
    return right


@pytest.mark.parametrize("name", MODELS)
def test_home_asks_for_the_next_token(visit, logits_of, name) -> None:
    from tfs.plots.tokens import visible

    at = visit("pages/start/home.py", model=name, ask="true")
    assert drawn(at, "next") is None
    _, tokenizer, logits, _ = logits_of(at)
    best = tokenizer.str_tokens([int(logits[-1].argmax())])[0]
    assert grades(at, "predict next word") == [visible(best)]
    assert drawn(at, "next")


@pytest.mark.parametrize("name", MODELS)
def test_the_lens_asks_where_the_answer_appears(visit, logits_of, name) -> None:
    at = visit("pages/inspect/lens.py", model=name, ask="true")
    assert drawn(at, "lens") is None
    model, _, logits, cache = logits_of(at)
    depths = [cache["resid_pre", layer] for layer in range(model.cfg.n_layers)]
    depths.append(cache["resid_post", model.cfg.n_layers - 1])
    says = [int(model.unembed(model.ln_final(resid))[0, -1].argmax()) for resid in depths]
    assert says[-1] == int(logits[-1].argmax())
    settled = len(says) - 1
    while settled and says[settled - 1] == says[-1]:
        settled -= 1
    options = at.button_group(key="predict depth").options
    assert grades(at, "predict depth") == [options[settled].replace("\\", "")]
    assert drawn(at, "lens")


@pytest.mark.parametrize("name", MODELS)
def test_arithmetic_asks_for_the_largest_part(visit, name) -> None:
    import tfs

    at = visit("pages/build/arithmetic.py", model=name, ask="true")
    assert drawn(at, "parameters") is None
    model = tfs.load(name).model
    sizes = {part: 0 for part in PARTS}
    for path, parameter in model.named_parameters():
        sizes[next(part for part, of in PARTS.items() if of(path))] += parameter.numel()
    largest = max(sizes, key=sizes.__getitem__)
    assert grades(at, "predict part") == [largest]
    at.button_group(key="predict part").set_value(largest).run()
    whole = sum(parameter.numel() for parameter in model.parameters())
    assert f"{sizes[largest]:,} of {whole:,}" in at.success[0].value


@pytest.mark.parametrize("loss", [4.7, 3.0, 2.15])
def test_a_training_is_graded_when_it_is_over(monkeypatch, loss) -> None:
    from types import SimpleNamespace

    from pages._ui import training
    from tfs.tasks import make_task

    asked = {}

    def predict(question, options, answer, because, *, key):
        asked.update(options=options, answer=answer, because=because)

    monkeypatch.setattr(training, "predict", predict)
    run = SimpleNamespace(
        task=make_task("mirror", {}),
        lines=lambda: [{"held_out": None}, {"held_out": {"loss": loss}}],
        is_going_on=True,
        name="run",
    )
    training.ask_where_it_ends(run)
    assert asked["answer"] is None
    run.is_going_on = False
    asked.clear()
    training.ask_where_it_ends(run)
    assert not asked, "the answer is on screen"
    monkeypatch.setattr(training.st, "session_state", {"predict end of run": "a guess"})
    training.ask_where_it_ends(run)
    assert asked["options"].index(asked["answer"]) == [4.7, 3.0, 2.15].index(loss)
    assert f"{loss:.3f}" in asked["because"]
