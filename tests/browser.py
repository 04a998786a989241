"""The page in Chromium, without a network: what it loads, says on the console, and how wide it is.

`python tests/browser.py PAGE PICTURE` takes the picture of README.md.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Browser]:
    # --no-sandbox: containers are often run by root, whom Chromium refuses otherwise
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1440, **context: object) -> Iterator[Page]:
    """The page, opened from the disk. context: of playwright's new_context.

    Fails if it asks for anything but itself, or writes an error to the console.
    """
    view = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **context)
    page = view.new_page()
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.goto(path.as_uri())
    yield page
    outside = [url for url in asked if not url.startswith((path.as_uri(), "data:"))]
    view.close()
    assert outside == [] and faults == []


def main() -> None:
    report, picture = map(Path, sys.argv[1:])
    with chromium() as browser, opened(browser, report.resolve(), 1240) as page:
        page.screenshot(
            path=picture, type="png", clip={"x": 0, "y": 0, "width": 1240, "height": 900}
        )
    print(f"{picture}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
