from urllib.error import URLError

import pytest


def test_known_ids(gpt2):
    assert gpt2.d_vocab == 50257
    assert gpt2.encode("hello world") == [31373, 995]
    assert gpt2.str_tokens("hello world") == ["hello", " world"]
    assert gpt2.decode([31373, 995]) == "hello world"
    assert gpt2.token_bytes(995) == b" world"
    assert gpt2.str_tokens([50256]) == ["<|endoftext|>"]


def test_our_plain_encoder_runs_gpt2s_merges(gpt2, corpus):
    from tfs.tokenizers import encode_plainly

    assert len(gpt2.ranks) == 50256
    assert encode_plainly(corpus, gpt2.ranks, gpt2.pattern) == gpt2.encode(corpus)


def test_special_tokens_in_a_text_are_ordinary_text(gpt2):
    ids = gpt2.encode("<|endoftext|>")
    assert 50256 not in ids
    assert gpt2.decode(ids) == "<|endoftext|>"


def test_parts_of_characters(gpt2):
    assert gpt2.str_tokens("語")[0].startswith("<0x")
    assert gpt2.decode(gpt2.encode("語")[:1]) == "\ufffd"


def test_a_million_blanks_do_not_panic(gpt2):
    text = " " * 1_000_000 + "x"
    assert gpt2.decode(gpt2.encode(text)) == text


@pytest.mark.parametrize("bad", [-1, 50257, 2**64, 1.5])
def test_ids_outside_the_vocabulary(gpt2, bad):
    for call in (gpt2.decode, gpt2.str_tokens):
        with pytest.raises(ValueError, match="at position 0"):
            call(x for x in [bad])


@pytest.mark.parametrize("folder_is_set", [True, False])
def test_without_files_and_network_it_says_what_to_do(monkeypatch, tmp_path, folder_is_set):
    from tfs.tokenizers import GPT2Tokenizer
    from tfs.tokenizers import gpt2 as module

    def silent_network(request, timeout):
        assert 0 < timeout <= 10
        raise URLError("timed out")

    monkeypatch.setattr(module, "urlopen", silent_network)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path) if folder_is_set else "")
    with pytest.raises(OSError, match="internet once, or set TIKTOKEN_CACHE_DIR") as caught:
        GPT2Tokenizer()
    assert "6d1cbeee0f20b3d9449abfede4726ed8212e3aee" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_is_a_tokenizer(gpt2):
    from tfs.tokenizers import Tokenizer

    assert isinstance(gpt2, Tokenizer)
