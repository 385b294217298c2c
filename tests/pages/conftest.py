"""A page as AppTest sees it, with the runs of this test alone."""

import time

import pytest

from tests.pages.screen import ROOT, SECONDS


@pytest.fixture
def visit(monkeypatch, tmp_path):
    """visit(page, model=..., **query) -> the page as AppTest sees it.

    What the test leaves in training ends with it, or it would keep others out of their turn.
    """
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("TFS_RUNS_DIR", str(tmp_path))
    monkeypatch.chdir(ROOT)

    def open_page(page, **query):
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        return at if page == "pages/start/home.py" else at.switch_page(page).run()

    yield open_page
    from pages._ui import state

    jobs = list(state.run_library().jobs.values())
    for job in jobs:
        job.stop()
    for job in jobs:
        job.thread.join(SECONDS)


@pytest.fixture
def run():
    """run(model's name, prompt) -> (model, tokenizer, ids, logits [pos d_vocab])."""
    import torch

    import tfs

    def forward(name, prompt):
        bundle = tfs.load(name)
        ids = bundle.tokenizer.encode(prompt)
        with torch.inference_mode():
            logits = bundle.model(torch.tensor([ids]))[0]
        return bundle.model, bundle.tokenizer, ids, logits

    return forward


@pytest.fixture
def decoded():
    """decoded(name, text) -> tokenizer, source, tokens written, cache; token by token, no cache."""

    def decode(name, text):
        import torch

        import tfs
        from tfs.tasks.pairs import END, START

        bundle = tfs.load(name)
        start, end = (bundle.tokenizer.mark_id(mark) for mark in (START, END))
        source, written = torch.tensor([bundle.tokenizer.encode(text)]), [start]
        while written[-1] != end:
            logits = bundle.model(source, torch.tensor([written]))
            written.append(logits[0, -1].argmax().item())
        _, cache = bundle.model.run_with_cache(source, torch.tensor([written[:-1]]))
        return bundle.tokenizer, source[0].tolist(), written[1:], cache

    return decode


@pytest.fixture
def bpe():
    import tfs

    return tfs.load("shakespeare").tokenizer


@pytest.fixture
def gpt2():
    from tfs.tokenizers import GPT2Tokenizer

    try:
        return GPT2Tokenizer()
    except OSError:
        pytest.skip("GPT-2's tokenizer files are not here")


@pytest.fixture
def forward():
    """forward(name, prompt, step=None) -> the model, logits [pos d_vocab], and its activations."""
    import torch

    import tfs
    from tests.pages.compare_page import MIRRORED

    def run(name, prompt=MIRRORED, step=None):
        bundle = tfs.load(name)
        model = bundle.model if step is None else bundle.at_step(step)
        ids = torch.tensor([bundle.tokenizer.encode(prompt)])
        with torch.no_grad():
            logits, cache = model.run_with_cache(ids, remove_batch_dim=True)
        return model, logits[0], cache

    return run


@pytest.fixture
def trained(visit, tmp_path):
    """trained(recipe, updates) -> the page when its run is over, and the run's directory."""

    from tests.pages.lab_page import PAGE, button

    def train(recipe: str, updates: int):
        at = visit(PAGE, recipe=recipe)
        at.number_input(key=f"steps of {recipe}").set_value(updates).run()
        button(at, "Train").click().run()
        deadline = time.monotonic() + SECONDS
        while "finished" not in str([bar.proto.text for bar in at.get("progress")]):
            assert time.monotonic() < deadline and not at.exception
            time.sleep(0.2)
            at.run()
        at.run()
        return at, tmp_path / at.session_state["run"]

    return train
