"""The decoding race: each lane's tokens, odds and cuts, walked again with the model alone."""

import pytest

from tests.pages.sampling_by_hand import cut, settings_of, tempered
from tests.pages.screen import out_of_reach, said, written

SETTINGS = [
    {},
    {"temperature": "0.0"},
    {"temperature": "1.7", "top_k": "0", "top_p": "0.6", "seed": "5"},
    {"temperature": "0.5", "top_k": "3"},
]


def lanes(at):
    return next(t.value for t in at.dataframe if "lane" in t.value.columns).set_index("lane")


@pytest.mark.parametrize("model", ["shakespeare", "mirror"])
@pytest.mark.parametrize("query", SETTINGS)
def test_the_race_is_run_by_the_model_on_screen(visit, run, model, query) -> None:
    import torch

    prompt = "41 7 93 28" if model == "mirror" else "First Citizen: Before"
    at = visit("pages/read/output.py", model=model, prompt=prompt, **query)
    model, tokenizer, ids, _ = run(model, prompt)
    chosen, table, out = settings_of(query), lanes(at), out_of_reach(at)
    assert table.index.tolist() == ["greedy", "temperature", "top-k", "top-p", "beam"]
    assert list(out) == ["greedy", "temperature", "top-k", "top-p"]
    new = {name: written(at, name) for name in table.index}
    room = min(12, model.cfg.n_ctx + 1 - len(ids))
    for name, tokens in new.items():
        assert len(tokens["labels"]) == room
        text = [*ids]
        for step, label in enumerate(tokens["labels"]):
            with torch.inference_mode():
                logits = model(torch.tensor([text]))[0, -1]
            probs = logits.softmax(-1)
            kept = allowed(name, tempered(logits, chosen["temperature"]), logits, chosen)
            at_hand = [i for i in kept if seen(tokenizer, i) == label]
            near = [i for i in at_hand if abs(probs[i] - tokens["probs"][step]) < 1e-4]
            assert near, (name, step, label)
            text.append(near[0])
            if name != "beam":
                rest = 1 - probs[kept].sum()
                assert out[name][step] == pytest.approx(float(rest), abs=1e-4)
        total = tokens["probs"].double().log().sum().item()
        assert table["log-probability"][name] == pytest.approx(total, abs=2e-3)
        assert table["per token"][name] == pytest.approx(total / room, abs=1e-3)
        assert f"log-probability **{table['log-probability'][name]:.2f}**" in said(at)
    odds = table["log-probability"].round(2)
    best = odds.index[odds == odds.max()].tolist()
    (says,) = (caption.value for caption in at.caption if "Out of reach" in caption.value)
    assert ("tie" in says) == (len(best) > 1)
    assert "All lanes tie" in says if len(best) == 5 else all(f"**{n}**" in says for n in best)


def test_lanes_that_write_the_same_all_win(visit) -> None:
    at = visit("pages/read/output.py", model="induction")
    captions = "\n".join(caption.value for caption in at.caption)
    assert lanes(at)["text"].nunique() == 1
    assert "All lanes tie, with the same text." in captions


def test_who_ties_is_said_by_name() -> None:
    import torch

    from pages._ui.race import most_probable
    from tfs.decoding import Lane

    def made(*odds):
        texts = [Lane(torch.tensor([i]), torch.tensor([o]), None) for i, o in enumerate(odds)]
        return dict(zip("abc", texts, strict=True))

    assert most_probable(made(-1.0, -2.0, -3.0)).endswith("that of **a**.")
    assert most_probable(made(-1.0, -2.0, -1.001)).startswith("**a** and **c** tie")
    assert most_probable(made(-1.0, -1.0, -1.0)).startswith("All lanes tie, with texts")


def test_out_of_reach_counts_at_temperature_zero_too(visit) -> None:
    at = visit("pages/read/output.py", model="shakespeare", prompt="First", temperature="0.0")
    out, table = out_of_reach(at), lanes(at)
    strip = written(at, "greedy")["probs"]
    for name, share in out.items():
        assert share.tolist() == pytest.approx((1 - strip).tolist(), abs=1e-4)
        assert table["out of reach, mean"][name] == pytest.approx(float(share.mean()), abs=1e-4)


def allowed(name, probs, logits, chosen) -> list[int]:
    """The ids that this lane could have drawn."""
    if name == "greedy":
        return [int(logits.argmax())]
    if name == "beam":
        return list(range(len(logits)))
    top_k = chosen["top_k"] if name == "top-k" else 0
    top_p = chosen["top_p"] if name == "top-p" else 1.0
    return cut(probs, top_k, top_p)[1].nonzero().squeeze(-1).tolist()


def seen(tokenizer, token_id) -> str:
    from tfs.plots.tokens import visible

    return visible(tokenizer.str_tokens([token_id])[0], 24)
