"""Get one file of a project from where pip would look for it, and run nothing of it.

To name a source archive pip runs its setup.py, and that of mmcv-full 1.5.3 fails on Python 3.13.
"""

import ast
import logging
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TypedDict, cast

import httpx2
from unearth import Link, PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers import Fetcher
from unearth.fetchers.sync import PyPIClient

from tsf.errors import UserError
from tsf.files import whole_file


class Source(TypedDict, total=False):
    """Where to look, as arguments of unearth's PackageFinder."""

    index_urls: list[str]
    find_links: list[str]


class Faults(logging.Handler):
    """Keeps what unearth says of pages that it cannot read."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def pip_settings() -> dict[str, str]:
    """pip's settings for a download by their long names, as in {"index-url": "https://..."}.

    Raises UserError.
    """
    command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"pip's settings cannot be read ({reason}); see `pip config debug`")
    settings = {}
    for section in ("global.", "download.", ":env:."):  # the later wins
        for line in result.stdout.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(section):
                settings[name.removeprefix(section)] = str(ast.literal_eval(value))
    return settings


def sources(settings: dict[str, str]) -> list[Source]:
    """Where to look, local folders first, as they need no network."""
    found: list[Source] = [
        {"find_links": [place]} for place in settings.get("find-links", "").split()
    ]
    if settings.get("no-index", "").lower() not in ("1", "true", "yes", "on", "y", "t"):
        found.append({"index_urls": settings.get("index-url", "").split()})  # none: the default
        found += [{"index_urls": [url]} for url in settings.get("extra-index-url", "").split()]
    return found


def client(settings: dict[str, str]) -> PyPIClient:
    """Connects as pip does. The environment's proxies are httpx2's own business."""
    verify: ssl.SSLContext | bool = True
    if authority := settings.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE"):
        folder = Path(authority).is_dir()
        verify = ssl.create_default_context(
            cafile=None if folder else authority, capath=authority if folder else None
        )
    urls = [settings.get("index-url", ""), settings.get("extra-index-url", "")]
    return PyPIClient(
        verify=verify,
        cert=settings.get("client-cert"),
        proxy=settings.get("proxy"),
        timeout=float(settings.get("timeout", "15")),
        trusted_hosts=settings.get("trusted-host", "").split(),
        auth=MultiDomainBasicAuth(prompting=False, index_urls=" ".join(urls).split()),
        follow_redirects=True,
    )


def save(session: PyPIClient, link: Link, path: Path) -> None:
    """Raises httpx2.HTTPError."""
    # a server may compress a .tar.gz once more
    with (
        session.get_stream(link.normalized, headers={"Accept-Encoding": "identity"}) as response,
        whole_file(path) as part,
        open(part, "wb") as file,
    ):
        response.raise_for_status()
        for chunk in response.iter_raw():
            file.write(chunk)


def get(project: str, name: str, folder: Path) -> Path:
    """Save the project's file of that name into `folder`, unchecked. Raises UserError."""
    settings = pip_settings()
    faults = Faults()
    logging.getLogger("unearth").addHandler(faults)
    try:
        with client(settings) as session:
            # it is one, but by unearth's types its answers are none of the protocol's
            fetcher = cast(Fetcher, session)
            for source in sources(settings):
                try:
                    finder = PackageFinder(fetcher, ignore_compatibility=True, **source)
                    for package in finder.find_all_packages(project, allow_yanked=True):
                        if package.link.filename == name:
                            save(session, package.link, folder / name)
                            return folder / name
                # ValueError: a folder of find-links that is not there
                except (httpx2.HTTPError, ValueError) as fault:
                    faults.messages.append(str(fault))
    finally:
        logging.getLogger("unearth").removeHandler(faults)
    reason = "; ".join(" ".join(message.split()) for message in faults.messages)
    raise UserError(f"{name} is nowhere that pip is set to look ({reason or 'not listed'})")
