"""Models of pairs and of labels go through the same loop: loss, gradient, run, checkpoint."""

import dataclasses
import math

import pytest
import torch

NAMES = ["dates", "numbers", "grammar", "masked-words", "tags"]
EVERY = [*NAMES, "question-pairs"]
ARCHITECTURES = ["encoder-decoder"] * 3 + ["encoder-only", "token-classifier", "pair-classifier"]


@pytest.fixture
def recipe():
    """recipe(name, **train): a ready-made one, cut short."""
    from tfs.train.pair_recipes import PAIR_RECIPES

    def make(name, **train):
        base = PAIR_RECIPES[name]
        fields = {"steps": 3, "batch_size": 4, "eval_size": 4, "warmup_steps": 1} | train
        return dataclasses.replace(base, train=dataclasses.replace(base.train, **fields))

    return make


@pytest.mark.parametrize(("name", "architecture"), [*zip(EVERY, ARCHITECTURES, strict=True)])
def test_sizes_and_architecture_follow_the_task(recipe, name, architecture) -> None:
    from tfs.model import kind_of
    from tfs.train.recipe import Recipe

    made = recipe(name)
    task = made.make_task()
    assert (made.model.d_vocab, made.model.n_ctx) == (task.d_vocab, task.n_ctx)
    assert made.architecture == architecture and kind_of(made.kind(task).make()) == made.kind(task)
    assert Recipe.from_dict(made.to_dict()) == made


def in_words(model, batch):
    """Mean loss and accuracy, one prediction after another."""
    costs, right = [], []
    for row in range(len(batch[0])):
        if hasattr(batch, "source"):
            real = batch.source[row][batch.source_mask[row]]
            logits = model(real[None], batch.target[row : row + 1, :-1])[0]
            asked = batch.loss_mask[row].nonzero().flatten()
            places = [(place - 1, batch.target[row, place]) for place in asked.tolist()]
        else:
            real = batch.token_mask[row]
            logits = model(batch.tokens[row][real][None], batch.segments[row][real][None])[0]
            asked = batch.loss_mask[row].nonzero().flatten()
            places = [(place, batch.labels[row, place]) for place in asked.tolist()]
        for place, target in places:
            logs = (logits[place] if logits.ndim > 1 else logits).double().log_softmax(-1)
            costs.append(-logs[target].item())
            known = batch.answer_mask[row, place + batch.first_predicted].item()
            right += [(logs.argmax() == target).item()] if known else []
    return sum(costs) / len(costs), sum(right) / len(right)


@pytest.mark.parametrize("name", EVERY)
def test_loss_and_accuracy_are_those_of_each_text_without_its_padding(recipe, name) -> None:
    from tfs.train.loss import training_loss
    from tfs.train.metrics import evaluate

    made = recipe(name)
    task = made.make_task()
    model, batch = made.kind(task).make(), task.sample(6, 0, "held_out")
    loss, accuracy = in_words(model, batch)
    assert training_loss(model, batch).item() == pytest.approx(loss, rel=1e-5)
    measured = evaluate(model, batch)
    assert measured.loss == pytest.approx(loss, rel=1e-5)
    assert measured.accuracy == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize("few", [0, 2**21], ids=["in slices", "at once"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("name", ["numbers", "masked-words"])
def test_logits_that_nobody_asks_for_are_not_missed(
    monkeypatch, recipe, name, smoothing, few
) -> None:
    """The loss and every gradient are those of a run whose logits somebody watches, all of them."""
    from tfs.train import loss

    monkeypatch.setattr(loss, "FEW_LOGITS", few)
    made = recipe(name)
    task = made.make_task()
    model, batch = made.kind(task).make(), task.sample(6, 0)
    assert not batch.counted.all()

    def found():
        model.zero_grad()
        value = loss.training_loss(model, batch, label_smoothing=smoothing)
        value.backward()
        return value.detach(), {n: p.grad for n, p in model.named_parameters() if p.requires_grad}

    plain = found()
    with model.hooks([("unembed.hook_out", lambda logits, hook: None)]):
        torch.testing.assert_close(plain, found(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["dates", "tags"])
def test_parts_of_a_batch_add_up_to_its_gradient(recipe, name) -> None:
    from tfs.train.backward import backward, batch_loss

    gradients = []
    for parts in (1, 3):
        made = recipe(name, accumulate=parts, label_smoothing=0.1, batch_size=6)
        task = made.make_task()
        model = made.kind(task).make()
        loss = batch_loss(model, made.train)
        value = backward(model, loss, task.sample(6, 0), made.train, 1)
        named = model.named_parameters()
        gradients.append({name: p.grad for name, p in named if p.grad is not None} | {"": value})
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["dates", "masked-words", "tags"])
def test_a_run_is_resumed_bit_for_bit_and_opens_as_what_it_is(recipe, tmp_path, name) -> None:
    import tfs
    from tfs.model import kind_of

    made = recipe(name, steps=6, save_every=3, dropout=0.1, label_smoothing=0.1, snapshots_from=2)
    task = made.make_task()

    def go(directory, updates, resume=False):
        model = made.kind(task).make()
        for step, _ in enumerate(tfs.train(model, task, made.train, directory, resume), 1):
            if step == updates:
                return model
        return model

    whole = go(tmp_path / "whole", 6)
    go(tmp_path / "cut", 4)
    cut = go(tmp_path / "cut", 6, resume=True)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, cut.state_dict()[key]), key
    tfs.save(tfs.Bundle(cut, task.tokenizer, "# A model\n"), tmp_path / "cut")
    opened = tfs.load(tmp_path / "cut")
    assert kind_of(opened.model) == made.kind(task) and opened.snapshots == [0, 2, 3, 4, 6]
    batch = task.sample(4, 1, "held_out")
    assert torch.equal(batch.predictions(opened.model), batch.predictions(cut))
    last = opened.at_step(6)
    assert torch.equal(batch.predictions(last), batch.predictions(cut))
    assert not torch.equal(batch.predictions(opened.at_step(2)), batch.predictions(cut))
    text = "lo tol" if name == "masked-words" else "May 1, 1990"
    assert opened.tokenizer.encode(text) == task.tokenizer.encode(text)


@pytest.mark.parametrize("name", NAMES)
def test_costs_and_references_are_told_of_every_kind(recipe, name) -> None:
    from tfs.train.estimate import costs
    from tfs.train.references import reference_losses

    made = recipe(name)
    task = made.make_task()
    told = costs(made, task)
    parameters = sum(p.numel() for p in made.kind(task).make().parameters())
    assert told.parameters == parameters and told.flops_per_update > 4 * parameters
    references = reference_losses(task)
    classes = len(task.labels) if hasattr(task, "labels") else task.d_vocab
    assert references["uniform"] == math.log(classes)
    assert references["bigram"] < references["unigram"] < references["uniform"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "tfs-decoder"}, "model_type is none of"),
        ({"model_type": ["tfs-encoder-only"]}, "model_type is none of"),
        ({"labels": "PER"}, "labels must be a list"),
        ({"labels": ["O"]}, "at least 2 labels"),
        ({"labels": ["O", "PER"]}, "classifier.W has shape"),
        ({"model_type": "tfs-encoder-only"}, "lacks embed.embed.W_E"),
        ({"n_layers": 10**9}, "n_layers is 1000000000"),
        ({"positional_embedding_type": "rotary"}, "only a DecoderOnly has"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_in_one_sentence(
    recipe, tmp_path, change, says
) -> None:
    import json

    import tfs

    made = recipe("tags")
    task = made.make_task()
    tfs.save(tfs.Bundle(made.kind(task).make(), task.tokenizer), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(tfs.CheckpointError, match=says) as caught:
        tfs.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "choices",
    [{}, {"norm_first": True}, {"positional_embedding_type": "standard", "norm_first": True}],
    ids=["as in the paper", "pre-norm", "learned positions"],
)
def test_thirty_two_pairs_are_learned_by_heart(recipe, tmp_path, choices) -> None:
    """Loss under 0.01 without label smoothing, and every text written exactly; after saving and
    loading too, and then token by token what is likeliest where all true tokens are given at once.
    """
    import tfs
    from tfs.seq2seq import greedy_decode
    from tfs.tasks.batch import seed_for
    from tfs.tasks.pairs import END, START
    from tfs.train.loop import update
    from tfs.train.metrics import evaluate
    from tfs.train.optimizer import make_optimizer
    from tfs.translate import translate

    made = recipe("dates", steps=400, batch_size=32, lr=3e-3, warmup_steps=40)
    made = dataclasses.replace(made, model=dataclasses.replace(made.model, **choices))
    task = made.make_task()
    batch = task.sample(32, seed_for(0, "by heart"))
    task.sample = lambda *key: batch
    model = made.kind(task).make()
    untrained = evaluate(model, batch)
    optimizer = make_optimizer(model, made.train)
    for step in range(1, 401):
        update(model, task, made.train, optimizer, step)
    assert untrained.loss > 3 and untrained.exact == 0
    assert made.train.label_smoothing == 0 and evaluate(model, batch).loss < 0.01
    plain = task.tokenizer.plain
    sources = [plain(row) for row in batch.source.tolist()]
    for beams in (1, 3):
        written = translate(model, task.tokenizer, sources, beams)
        assert written == [plain(row) for row in batch.target.tolist()]
    tfs.save(tfs.Bundle(model, task.tokenizer), tmp_path)
    opened = tfs.load(tmp_path)
    assert translate(opened.model, opened.tokenizer, sources) == written
    marks = {"start": task.tokenizer.mark_id(START), "end": task.tokenizer.mark_id(END)}
    mask = batch.source_mask
    decoded = greedy_decode(opened.model, batch.source, **marks, one_zero_attention_mask=mask)
    forced = batch.predictions(opened.model).argmax(-1)
    for ours, theirs, counted in zip(decoded, forced, batch.loss_mask[:, 1:], strict=True):
        assert ours[: counted.sum()].equal(theirs[counted])
