"""A file is found where pip is set to look, by pip's own settings, and nothing of it runs."""

import io
import os
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tsf.errors import UserError
from tsf.model import package_index

NAME = "some-project-1.5.3.tar.gz"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """Neither this machine's files nor its environment."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def archives(tmp_path):
    """A folder with a source archive whose setup.py fails."""
    folder = tmp_path / "archives"
    folder.mkdir()
    setup = b"raise SystemExit('setup.py was run')\n"
    with tarfile.open(folder / NAME, "w:gz") as tar:
        member = tarfile.TarInfo("some-project-1.5.3/setup.py")
        member.size = len(setup)
        tar.addfile(member, io.BytesIO(setup))
    return folder


@pytest.fixture
def server(tmp_path, archives):
    """An index on this machine: its URL, and the paths that it was asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", self.path.replace("/moved/", "/archives/"))
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *arguments):
            pass

    page = tmp_path / "simple/some-project/index.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        f'<a href="/archives/some-project-1.5.2.tar.gz">other</a><a href="/moved/{NAME}">{NAME}</a>'
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()
        thread.join()


def get(tmp_path):
    (tmp_path / "got").mkdir()
    return package_index.get("some-project", NAME, tmp_path / "got")


def test_an_index_with_a_redirect(server, archives, tmp_path, monkeypatch):
    url, asked = server
    monkeypatch.setenv("PIP_INDEX_URL", f"{url}/simple")
    assert get(tmp_path).read_bytes() == (archives / NAME).read_bytes()
    assert asked == ["/simple/some-project/", f"/moved/{NAME}", f"/archives/{NAME}"]


def test_a_local_folder_comes_before_the_index(server, archives, tmp_path, monkeypatch):
    url, asked = server
    monkeypatch.setenv("PIP_INDEX_URL", f"{url}/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archives))
    assert get(tmp_path).read_bytes() == (archives / NAME).read_bytes()
    assert not asked


def test_an_index_in_a_folder(server, archives, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    monkeypatch.setattr(package_index, "save", lambda session, link, path: path.touch())
    assert get(tmp_path).name == NAME


def test_what_cannot_be_read_does_not_hide_what_can(server, archives, tmp_path, monkeypatch):
    url, _ = server
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")  # nobody listens there
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{url}/none {url}/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "no folder"))
    assert get(tmp_path).read_bytes() == (archives / NAME).read_bytes()


def test_no_index_means_none(server, tmp_path, monkeypatch):
    url, asked = server
    monkeypatch.setenv("PIP_INDEX_URL", f"{url}/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match=f"{NAME} is nowhere that pip is set to look"):
        get(tmp_path)
    assert not asked


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        ("http://127.0.0.1:1/simple", "refused"),
        ("{url}/none", "404"),
        ("{url}/empty", "not listed"),
    ],
)
def test_the_reason_is_in_the_line(server, tmp_path, monkeypatch, index, reason):
    url, _ = server
    (tmp_path / "empty/some-project").mkdir(parents=True)
    (tmp_path / "empty/some-project/index.html").touch()
    monkeypatch.setenv("PIP_INDEX_URL", index.format(url=url))
    with pytest.raises(UserError) as fault:
        get(tmp_path)
    assert reason in str(fault.value) and "\n" not in str(fault.value)


def test_a_host_without_tls_must_be_trusted(monkeypatch):
    session = package_index.client({"trusted-host": "index.invalid other.invalid:8080"})
    with session:
        assert ("*", "index.invalid", "*") in list(session.iter_secure_origins())


def test_the_environment_is_before_the_command_and_this_before_all(tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = of-all\ntimeout = 3\ncert = of-all\n"
        "[download]\ntimeout = 4\ncert = of-download\n"
        "[install]\ntimeout = 5\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_CERT", "of-environment")
    settings = package_index.pip_settings()
    assert settings["index-url"] == "of-all"
    assert settings["timeout"] == "4"
    assert settings["cert"] == "of-environment"


def test_settings_that_pip_cannot_read_are_one_line(tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    file.write_text("no section\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    with pytest.raises(UserError, match="pip's settings cannot be read"):
        package_index.pip_settings()
