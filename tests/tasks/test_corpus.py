import hashlib
import http.server
import os
import socket
import threading

import pytest

WORDS = b"First Citizen:\nBefore we proceed any further, hear me speak.\n"


@pytest.fixture
def corpus(monkeypatch, tmp_path):
    """tfs.tasks.corpus with an empty cache, no TFS_DATA_DIR, and WORDS for Tiny Shakespeare."""
    from tfs.tasks import corpus

    monkeypatch.delenv("TFS_DATA_DIR", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(corpus.platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache"))
    monkeypatch.setattr(corpus, "TINY_SHAKESPEARE_SHA256", hashlib.sha256(WORDS).hexdigest())
    return corpus


@pytest.fixture
def cached(tmp_path):
    """The names of the files in the cache."""
    return lambda: sorted(os.listdir(tmp_path / "cache")) if (tmp_path / "cache").exists() else []


class Site:
    """A local web server with one file; `truncated` promises more bytes than it sends."""

    def __init__(self):
        self.body, self.status, self.truncated, self.requests = WORDS, 200, 0, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                self.requests += 1
                handler.send_response(self.status)
                handler.send_header("Content-Length", str(len(self.body) + self.truncated))
                handler.end_headers()
                handler.wfile.write(self.body)

            def log_message(handler, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/input.txt"


@pytest.fixture
def site():
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def dead_url():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/input.txt"


def test_the_real_text_where_it_is_at_hand():
    from tfs.tasks.corpus import FILE_NAME, tiny_shakespeare

    if not os.path.isfile(os.path.join(os.environ.get("TFS_DATA_DIR", ""), FILE_NAME)):
        pytest.skip("TFS_DATA_DIR does not hold it")
    text = tiny_shakespeare()
    assert len(text) == 1_115_394 and len(set(text)) == 65


def test_tfs_data_dir_comes_first(corpus, monkeypatch, tmp_path, dead_url, cached):
    (tmp_path / corpus.FILE_NAME).write_bytes(WORDS)
    monkeypatch.setenv("TFS_DATA_DIR", str(tmp_path))
    assert corpus.tiny_shakespeare(dead_url) == WORDS.decode()
    assert cached() == []


@pytest.mark.parametrize("folder", ["data", "cache"])
def test_another_text_in_its_place_is_refused_by_name(
    corpus, monkeypatch, tmp_path, dead_url, folder
):
    monkeypatch.setenv("TFS_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / folder / corpus.FILE_NAME
    path.parent.mkdir()
    path.write_bytes(WORDS + b"!")
    with pytest.raises(ValueError, match=f"{folder}/{corpus.FILE_NAME} is not Tiny Shakespeare"):
        corpus.tiny_shakespeare(dead_url)
    assert path.exists()


def test_nowhere_and_no_network_says_what_to_do(corpus, dead_url, cached):
    with pytest.raises(OSError, match="connect to the network once, or set TFS_DATA_DIR to a dir"):
        corpus.tiny_shakespeare(dead_url)
    assert cached() == []


def test_a_download_is_kept(corpus, monkeypatch, tmp_path, site, cached):
    monkeypatch.setenv("TFS_DATA_DIR", str(tmp_path / "nothing here"))
    assert corpus.tiny_shakespeare(site.url) == WORDS.decode()
    assert cached() == [corpus.FILE_NAME]
    assert corpus.tiny_shakespeare(site.url) == WORDS.decode()
    assert site.requests == 1


def test_wrong_bytes_leave_nothing_behind(corpus, site, cached):
    site.body = WORDS.replace(b"hear", b"fear")
    with pytest.raises(ValueError, match="127.0.0.1.* is not Tiny Shakespeare"):
        corpus.tiny_shakespeare(site.url)
    assert cached() == []


@pytest.mark.parametrize("trouble", [{"status": 404}, {"truncated": 10}], ids=str)
def test_a_download_that_fails_says_what_to_do(corpus, site, cached, trouble):
    vars(site).update(trouble)
    with pytest.raises(OSError, match="set TFS_DATA_DIR"):
        corpus.tiny_shakespeare(site.url)
    assert cached() == []


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(
    corpus, monkeypatch, site, cached
):
    def fail(*args):
        raise OSError("disk")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        corpus.tiny_shakespeare(site.url)
    assert cached() == []


def test_read_text(corpus, tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("To be, or not to be: çé\n", encoding="utf-8")
    assert corpus.read_text(path) == corpus.read_text(str(path)) == "To be, or not to be: çé\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file .*own.txt; give"),
        (b"", "own.txt holds no text; give"),
        (b" \n\t", "own.txt holds no text; give"),
        (b"abc\xff", r"own.txt is not UTF-8 text \(byte 3 cannot be decoded\); save"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(corpus, tmp_path, content, message):
    path = tmp_path / "own.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        corpus.read_text(path)
