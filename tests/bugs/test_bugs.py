"""Every bug is one line, its check tells the forms apart, and its symptom can be seen."""

import pytest

NAMES = [
    "Heads read slices",
    "Softmax over the wrong axis",
    "No division by the root of d_head",
    "Trained without a mask, run with one",
    "No mask at all",
    "Mask transposed",
    "Mask after softmax",
    "Embeddings not scaled",
    "Positions counted along the batch",
    "Epsilon outside the square root",
    "The norm in the wrong place",
    "Layers in a Python list",
    "One feed-forward network for all blocks",
    "cat where stack was meant",
    "Target not shifted",
    "Padding in the loss",
    "Softmax twice",
    "No warm-up",
    "Logits of the first position",
    "Dropout left on",
]
FOR_GOOD = [
    "One feed-forward network for all blocks",
    "Embeddings not scaled",
    "Softmax over the wrong axis",
    "Logits of the first position",
    "Softmax over the wrong axis",
]  # of cases 1, 14, 20, 21 and 9999
SIGNS = {  # of the symptom's values: what holds of the broken form, and not of the fixed one
    "Heads read slices": lambda s: s.values[0] > 0 and s.values[1] == 0,
    "Softmax over the wrong axis": lambda s: (s.values - 1).abs().max() > 0.1,
    "No division by the root of d_head": lambda s: s.values[-1] > 0.4,
    "Trained without a mask, run with one": lambda s: s.values[1] > s.values[0] + 0.5,
    "No mask at all": lambda s: s.values[:-1].max() > 1e-3,
    "Mask transposed": lambda s: s.values.triu(1).sum() > 1,
    "Mask after softmax": lambda s: (s.values - 1).abs().max() > 0.1,
    "Embeddings not scaled": lambda s: s.at("token vectors") < 0.2 * s.at("positions"),
    "Positions counted along the batch": lambda s: s.values.max() == 0,
    "Epsilon outside the square root": lambda s: s.values[-1] < 1,
    "The norm in the wrong place": lambda s: s.at("stream after block 1") > 1.25,
    "Layers in a Python list": lambda s: s.values[2] < 0.5 * s.values[0],
    "One feed-forward network for all blocks": lambda s: s.values[0] < 14_000,
    "cat where stack was meant": lambda s: s.values[0] == 1,
    "Target not shifted": lambda s: s.values[-1] < 0.1 * s.levels[0][1],
    "Padding in the loss": lambda s: s.at("right but for padding") > 0.5,
    "Softmax twice": lambda s: s.at("sure and right") > 1,
    "No warm-up": lambda s: s.values[-20:].mean() > 2.25,
    "Logits of the first position": lambda s: s.values.mean() < 0.5,
    "Dropout left on": lambda s: s.values.max() > 1e-3,
}


@pytest.fixture(scope="session")
def bug_of():
    from tfs.bugs import BUGS

    return {bug.name: bug for bug in BUGS}


@pytest.fixture(scope="session")
def trained(bug_of):
    """trained(form) -> a lab with that form, trained once for all tests."""
    import functools

    from tfs.bugs import trained_with

    return functools.cache(trained_with)


def test_all_bugs_are_here(bug_of) -> None:
    assert sorted(bug_of) == sorted(NAMES) == sorted(SIGNS)
    assert all(len(bug.story) > 100 for bug in bug_of.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_forms_differ_in_one_line(bug_of, name) -> None:
    from tfs.bugs import source

    bug = bug_of[name]
    broken, fixed = source(bug.broken), source(bug.fixed)
    assert len(broken) == len(fixed)
    assert [n for n, pair in enumerate(zip(broken, fixed, strict=True)) if len({*pair}) == 2] == [
        bug.differing_line()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_its_check_fails_the_broken_form_and_passes_the_fixed(bug_of, name) -> None:
    bug = bug_of[name]
    assert bug.check(bug.broken) is False
    assert bug.check(bug.fixed) is True


@pytest.mark.parametrize("name", NAMES)
def test_its_check_looks_at_what_a_form_does_and_not_at_its_name(bug_of, name) -> None:
    bug = bug_of[name]

    def renamed(form):
        return lambda *given: form(*given)

    assert not bug.check(renamed(bug.broken)) and bug.check(renamed(bug.fixed))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_its_symptom_shows_in_the_broken_form_only(bug_of, trained, name) -> None:
    from tfs.bugs import read

    bug = bug_of[name]
    broken, fixed = (read(bug.reading, trained(form)) for form in (bug.broken, bug.fixed))
    assert broken.values.shape == fixed.values.shape
    assert SIGNS[name](broken), broken
    assert not SIGNS[name](fixed), fixed


def test_two_forms_that_are_the_same_have_no_differing_line(bug_of) -> None:
    from dataclasses import replace

    bug = bug_of["No mask at all"]
    with pytest.raises(ValueError, match="differ in 0 lines"):
        replace(bug, broken=bug.fixed).differing_line()


def test_log_softmax_twice_is_harmless_and_softmax_twice_is_not(bug_of) -> None:
    import torch

    logits = torch.randn(3, 7, generator=torch.Generator().manual_seed(0)) * 5
    once = logits.log_softmax(-1)
    torch.testing.assert_close(once.log_softmax(-1), once)
    assert (logits.softmax(-1).log_softmax(-1) - once).abs().max() > 1


@pytest.mark.slow
def test_the_healthy_lab_reaches_the_honest_floor_and_writes_well(bug_of, trained) -> None:
    from tfs.bugs import read

    healthy = trained(bug_of["No mask at all"].fixed)
    loss = read("Loss when run", healthy)
    assert loss.at("measured when run") == pytest.approx(loss.at("honest floor"), abs=0.1)
    assert read("What it writes", healthy).values.min() > 0.9


def test_cases_hide_every_bug_once_a_round_and_none_twice_running() -> None:
    from tfs.bugs import BUGS, hidden_bug

    n = len(BUGS)
    names = [hidden_bug(case).name for case in range(1, 60 * n + 1)]
    assert names == [hidden_bug(case).name for case in range(1, 60 * n + 1)]
    rounds = [names[start : start + n] for start in range(0, len(names), n)]
    assert all(sorted(played) == sorted(NAMES) for played in rounds)
    assert len({tuple(played) for played in rounds}) == len(rounds)
    assert all(one != then for one, then in zip(names, names[1:], strict=False))


def test_a_number_of_a_case_means_one_bug_for_good() -> None:
    from tfs.bugs import hidden_bug

    assert [hidden_bug(case).name for case in (1, 14, 20, 21, 9999)] == FOR_GOOD


@pytest.mark.slow
def test_a_hint_names_a_reading_that_differs_for_every_pair_of_bugs(bug_of, trained) -> None:
    from itertools import combinations

    from tfs.bugs.hints import apart, healthy_siblings, quick_readings, telling_reading

    of = {name: quick_readings(trained(bug.broken)) for name, bug in bug_of.items()}
    healthy = healthy_siblings()
    for one, other in combinations(NAMES, 2):
        telling = telling_reading(of[one], of[other], healthy)
        assert telling, (one, other)
        assert apart(of[one][telling], of[other][telling]) > 0.2, (one, other, telling)
    assert telling_reading(of["No warm-up"], of["Embeddings not scaled"], healthy) == (
        "Learning rate"
    )


def test_labs_that_differ_by_chance_alone_are_told_apart_by_no_reading() -> None:
    from tfs.bugs import hints, lab

    healthy = hints.healthy_siblings()
    another = hints.quick_readings(lab.train_lab(lab.Parts(), seed=3))
    assert hints.apart(another["Attention pattern"], healthy[0]["Attention pattern"]) > 0.5
    assert all(hints.telling_reading(one, another, healthy) is None for one in healthy)


def test_what_repeats_is_now_and_then_right_and_padding_is_told_nothing(bug_of, trained) -> None:
    from tfs.bugs import READINGS, read
    from tfs.bugs.readings import whole

    tokens = whole(4)
    same = (tokens[:, 1:] == tokens[:, :-1]).float().mean().item()
    assert 0 < same < 0.2
    healthy = read("Loss of known cases", trained(bug_of["No mask at all"].fixed))
    assert healthy.at("repeats what it read") == pytest.approx(20 * (1 - same), abs=1e-3)
    told = READINGS["Loss of known cases"].__doc__.lower()
    assert all(f'"{label}"' in told for label in healthy.labels)


@pytest.mark.slow
def test_every_reading_can_be_asked_of_every_bug_and_twice_the_same(bug_of, trained) -> None:
    from tfs.bugs import READINGS, read

    quick = [name for name in READINGS if name != "Loss of a deep post-norm lab"]
    for bug in bug_of.values():
        for name in quick:
            once, again = (read(name, trained(bug.broken)) for _ in range(2))
            assert once.values.isfinite().all() and once.values.equal(again.values)
            assert once.kind != "bars" or len(once.labels) == len(once.values)
