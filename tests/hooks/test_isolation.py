"""Hooks belong to the run: threads, tasks and models do not see each other's."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

N_THREADS, N_RUNS = 8, 200
SITES = (
    "hook_embed",
    "blocks.0.attn.hook_pattern",
    "blocks.0.attn.hook_q",
    "blocks.0.hook_mlp_out",
)


@pytest.fixture(scope="module")
def model(tiny_config, randomised):
    return randomised(tiny_config(n_layers=1)).requires_grad_(False)


@pytest.fixture(scope="module")
def tokens(model, tokens_for):
    return tokens_for(model.cfg, pos=4)


@pytest.fixture
def frequent_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-4)
    yield
    sys.setswitchinterval(before)


def own_hook(i):
    """Worker i's hook: a site and a factor that no other worker has."""
    return SITES[i % len(SITES)], lambda activation, hook: activation * (0.3 + 0.1 * i)


def test_threads_on_one_model_keep_their_hooks_apart(model, tokens, frequent_switches):
    expected = [model.run_with_hooks(tokens, fwd_hooks=[own_hook(i)]) for i in range(N_THREADS)]
    start = threading.Barrier(N_THREADS)

    def work(i):
        start.wait()
        wrong = 0
        for run in range(N_RUNS):
            if run % 2:
                got = model.run_with_hooks(tokens, fwd_hooks=[own_hook(i)])
            else:
                with model.hooks([own_hook(i)]):
                    got, cache = model.run_with_cache(tokens, names_filter=own_hook(i)[0])
                wrong += len(cache) != 1
            wrong += not torch.allclose(got, expected[i], rtol=0, atol=1e-6)
        return wrong

    with ThreadPoolExecutor(N_THREADS) as pool:
        assert list(pool.map(work, range(N_THREADS))) == [0] * N_THREADS
    assert len({tuple(logits.flatten().tolist()) for logits in expected}) == N_THREADS


def test_a_thread_started_inside_hooks_does_not_inherit_them(model, tokens):
    clean = model(tokens)
    with model.hooks([own_hook(0)]), ThreadPoolExecutor(1) as pool:
        torch.testing.assert_close(pool.submit(model, tokens).result(), clean, rtol=0, atol=0)


def test_tasks_of_one_event_loop_keep_their_hooks_apart(model, tokens):
    expected = [model.run_with_hooks(tokens, fwd_hooks=[own_hook(i)]) for i in range(4)]

    async def work(i):
        with model.hooks([own_hook(i)]):
            for _ in range(3):
                await asyncio.sleep(0)
                torch.testing.assert_close(model(tokens), expected[i], rtol=0, atol=0)

    async def everyone():
        await asyncio.gather(*(work(i) for i in range(4)))
        return model(tokens)

    with ThreadPoolExecutor(1) as pool:  # the browser tests' loop may be running in this thread
        after = pool.submit(asyncio.run, everyone()).result()
    torch.testing.assert_close(after, model(tokens), rtol=0, atol=0)


def test_two_models_do_not_see_each_others_hooks(model, tokens, randomised):
    twin = randomised(model.cfg)
    clean = model(tokens)
    with model.hooks([own_hook(0)]):
        hooked = model(tokens)
        torch.testing.assert_close(twin(tokens), clean, rtol=0, atol=0)
        with twin.hooks([own_hook(1)]):
            torch.testing.assert_close(model(tokens), hooked, rtol=0, atol=0)
            assert not torch.allclose(twin(tokens), clean)
    assert not torch.allclose(hooked, clean)
