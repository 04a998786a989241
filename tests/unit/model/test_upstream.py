"""The pinned sources: checked, patched as `patch -p1` would, refused in one line."""

import shutil
import subprocess
from pathlib import Path

import pytest
from refusals import refusal
from runs import ROOT

from tsf.model import upstream

PATCHES = sorted((ROOT / "patches").glob("*.patch"))


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".orig")
    }


@pytest.mark.parametrize("source", upstream.SOURCES, ids=lambda source: source.package)
def test_another_archive_is_refused(source, tmp_path):
    (tmp_path / source.archive).write_bytes(b"another")
    message = refusal(upstream.fetch, source, tmp_path, tmp_path)
    assert source.archive in message and source.sha256 in message


def test_a_missing_archive_is_named(tmp_path):
    source = upstream.SOURCES[0]
    message = refusal(upstream.fetch, source, tmp_path, tmp_path)
    assert message.startswith(f"{tmp_path / source.archive}: no such file")


def test_what_is_not_on_the_index_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without network
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    message = refusal(upstream.download, upstream.SOURCES[0], tmp_path)
    assert "cannot download mmaction2==0.24.1" in message and "upstream.archives" in message


def test_patches_apply_as_with_patch(archives, tmp_path):
    if shutil.which("patch") is None:
        pytest.skip("the program patch is not installed")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    for source in upstream.SOURCES:
        upstream.unpack(source, archives / source.archive, ours)
    shutil.copytree(ours, theirs)
    original = tree(ours)
    for patch in PATCHES:
        upstream.apply_patch(patch, ours)
        with open(patch, "rb") as file:
            command = ["patch", "-p1", "--fuzz=0", "--quiet"]
            subprocess.run(command, cwd=theirs, stdin=file, check=True)
    assert tree(ours) == tree(theirs) != original


TEXT = "one\ntwo\nthree\n"
PATCH = """\
diff --git a/pkg/x.txt b/pkg/x.txt
--- a/pkg/x.txt
+++ b/pkg/x.txt
@@ -1,3 +1,3 @@
 one
-two
+zwei
 three
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "src/pkg").mkdir(parents=True)
    (tmp_path / "src/pkg/x.txt").write_text(TEXT)
    return tmp_path / "src"


def apply(folder: Path, text: str) -> None:
    patch = folder.parent / "x.patch"
    patch.write_text(text)
    upstream.apply_patch(patch, folder)


GIT = PATCH.replace("\n---", "\nindex 0123abc..4567def 100644\n---")
PLAIN = PATCH.split("\n", 1)[1]
NEW = "--- /dev/null\n+++ new/pkg/y.txt\n@@ -0,0 +1 @@\n+new\n"


@pytest.mark.parametrize("text", [PATCH, GIT, PLAIN, PLAIN.replace("b/pkg", "new.pkg/pkg")])
def test_a_patch_of_git_or_diff_applies(folder, text):
    apply(folder, text)
    assert (folder / "pkg/x.txt").read_text() == TEXT.replace("two", "zwei")


@pytest.mark.parametrize("text", [GIT + NEW, PLAIN + NEW])
def test_a_patch_may_add_a_file(folder, text):
    apply(folder, text)
    assert (folder / "pkg/x.txt").read_text() == TEXT.replace("two", "zwei")
    assert (folder / "pkg/y.txt").read_text() == "new\n"


@pytest.mark.parametrize(
    "text",
    [
        PATCH.replace("-two", "-too"),  # made against other sources
        PATCH.replace("x.txt", "y.txt"),  # a file that is not there
        "no patch at all\n",
        "",
    ],
)
def test_a_patch_that_does_not_apply_is_refused(folder, text):
    message = refusal(apply, folder, text)
    assert "x.patch: does not apply" in message
    assert (folder / "pkg/x.txt").read_text() == TEXT


def test_patches_touch_what_they_say():
    """The guide's change: named input and output, opset 11, mmaction2's own exporter."""
    text = "".join(path.read_text() for path in PATCHES)
    assert "+        input_names=['imgs']," in text and "+        output_names=['result']," in text
