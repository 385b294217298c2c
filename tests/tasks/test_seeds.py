import pytest


@pytest.fixture(scope="module")
def seed_for():
    from tfs.tasks.batch import seed_for

    return seed_for


def test_different_keys_give_different_seeds(seed_for):
    keys = [
        (run, use, step) for run in range(5) for use in ("train", "dropout") for step in range(99)
    ]
    keys += [(run, "held out") for run in range(5)] + [(1, 23), (12, 3), ("1", 23)]
    assert len({seed_for(*key) for key in keys}) == len(keys)


def test_a_seed_is_the_same_on_every_machine_and_fits_torch(seed_for):
    from tfs.tasks.batch import generator

    assert seed_for(0, "train", 1) == 5_616_652_951_175_793_923
    assert 0 <= seed_for(7, "x") < 2**63
    assert generator(seed_for(7, "x")).initial_seed() == seed_for(7, "x")
