"""Downloads: resumed where they broke off, checked, and never half there. The server is local."""

import hashlib
import socket
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import refusals

from tsf.model.download import download

CONTENT = bytes(range(256)) * 8192  # 2 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT under every path; remembers what was asked for."""

    ranges = True  # whether it resumes
    stop_after = None  # bytes after which the connection breaks
    status = None  # an error instead of the content

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requested = []
        self.url = f"http://127.0.0.1:{self.server_port}/model.pth"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.requested.append(wanted)
        if self.server.status:
            self.send_error(self.server.status)
            return
        start = (
            int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        )
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.stop_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


refusal = partial(refusals.refusal, download)


@pytest.mark.parametrize("digits", [8, 64])
def test_a_file_is_saved_under_its_name(server, tmp_path, digits):
    output = tmp_path / "checkpoint/model.pth"
    download(server.url, DIGEST[:digits], output)
    assert output.read_bytes() == CONTENT
    assert [path.name for path in output.parent.iterdir()] == ["model.pth"]


def test_a_broken_connection_is_resumed(server, tmp_path):
    output = tmp_path / "model.pth"
    server.stop_after = 700_000
    message = refusal(server.url, DIGEST, output)
    assert message.startswith(f"{server.url}: cannot be downloaded") and "run again" in message
    assert not output.exists() and (tmp_path / "model.pth.part").read_bytes() == CONTENT[:700_000]

    server.stop_after = None
    download(server.url, DIGEST, output)
    assert server.requested == [None, "bytes=700000-"]
    assert output.read_bytes() == CONTENT and not (tmp_path / "model.pth.part").exists()


def test_a_server_that_cannot_resume_starts_anew(server, tmp_path):
    (tmp_path / "model.pth.part").write_bytes(CONTENT[:1000])
    server.ranges = False
    download(server.url, DIGEST, tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == CONTENT


def test_a_download_that_was_killed_after_its_last_byte_is_finished(server, tmp_path):
    (tmp_path / "model.pth.part").write_bytes(CONTENT)
    download(server.url, DIGEST, tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == CONTENT


def test_another_file_is_not_kept(server, tmp_path):
    message = refusal(server.url, "0" * 64, tmp_path / "model.pth")
    assert DIGEST in message and "0" * 64 in message
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_beginning_is_not_kept_for_the_next_try(server, tmp_path):
    (tmp_path / "model.pth.part").write_bytes(b"?" * 1000)
    refusal(server.url, DIGEST, tmp_path / "model.pth")
    download(server.url, DIGEST, tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 503])
def test_an_error_of_the_server_is_one_line(server, tmp_path, status):
    server.status = status
    assert "cannot be downloaded" in refusal(server.url, DIGEST, tmp_path / "model.pth")
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_one_line(server, tmp_path):
    free = server.url.replace(str(server.server_port), "9")
    assert "cannot be downloaded" in refusal(free, DIGEST, tmp_path / "model.pth")


def test_a_connection_that_is_reset_is_one_line(tmp_path, monkeypatch):
    """ConnectionResetError is an OSError, but not urllib's own, when it comes amid the body."""

    def reset(*_):
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr("tsf.model.download._fetch", reset)
    message = refusal("http://127.0.0.1/model.pth", DIGEST, tmp_path / "model.pth")
    assert "run again to resume" in message


@contextmanager
def answering(answer):
    """The URL of a server that says `answer` to whatever it is asked, and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/model.pth"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("length", [b"abc", b"-5", b"", b"1e3"])
def test_a_length_that_is_no_number_is_none(tmp_path, length):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n"
    with answering(head + CONTENT) as url:
        download(url, DIGEST, tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort",
        b"HTTP/1.1 302 Found\r\nLocation: /model.pth\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"\x00\xff garbage\n\n\n",
        b"",
    ],
)
def test_an_answer_that_is_no_file_is_one_line(tmp_path, answer):
    with answering(answer) as url:
        assert "cannot be downloaded" in refusal(url, DIGEST, tmp_path / "model.pth")
    assert not (tmp_path / "model.pth").exists()


@pytest.mark.parametrize(
    "url", ["nothing://x/a", "http://[::1/a", f"http://{'a' * 70}.x/a", "x://"]
)
def test_a_url_that_is_none_is_one_line(tmp_path, url):
    assert "cannot be downloaded" in refusal(url, DIGEST, tmp_path / "model.pth")
