"""The pages in Chromium: at two widths, in two languages, light, dark and printed, for everyone."""

import browser
import made_up
import pytest
from axe_playwright_python.sync_playwright import Axe

from tsf.evaluation.compare import compare, paired
from tsf.evaluation.results_folder import read_results
from tsf.files import write_text
from tsf.report.page.compare import page as compare_page

SIZES = {"8 classes": (200, 8), "400 classes": (1500, 400)}
PAGES = (
    "8 classes",
    pytest.param("400 classes", marks=pytest.mark.slow),  # the same templates, more rows
    "compare",
)
WHITE = "rgb(255, 255, 255)"
OPEN = "document.querySelectorAll('details').forEach(folded => { folded.open = true; })"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The path of each page by name."""
    home = tmp_path_factory.mktemp("pages")
    paths = {name: home / f"{name}.html" for name in (*SIZES, "compare")}
    for name, (videos, classes) in SIZES.items():
        content = made_up.content(videos, classes, made_up.ENGINES)
        write_text(paths[name], made_up.rendered(content))
    folders = [home / "first", home / "second"]
    for folder, engines, videos in zip(folders, (("x", "y"), ("x", "z")), (100, 120), strict=True):
        folder.mkdir()
        made_up.write_results(folder, made_up.content(videos, 8, engines))
    first, second = map(read_results, folders)
    content = compare(first, second)
    # two engines of a run flip videos, and the same one of two made-up runs does not
    flipped = paired(first.of_engine("x"), first.of_engine("y"))
    content["accuracy"][0]["paired"] = flipped
    write_text(paths["compare"], compare_page(content))
    return paths


@pytest.fixture(scope="module")
def chromium():
    if browser.CHROMIUM is None:
        pytest.skip("there is no Chromium here; Debian's package is chromium")
    with browser.chromium() as found:
        yield found


@pytest.fixture
def opened(chromium, pages):
    return lambda name, **options: browser.opened(chromium, pages[name], **options)


def column(page, table, number, which=""):
    rows = page.locator(f'table[data-name="{table}"] tbody tr{which}')
    return rows.locator(f":nth-child({number})").all_inner_texts()


def choose_chinese(page):
    page.locator("label.switch").click()


@pytest.mark.parametrize("width", [400, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_as_wide_as_the_window(opened, name, width):
    with opened(name, width=width) as page:
        page.evaluate(OPEN)
        for _ in ("English", "Chinese"):
            # what is wider than the window scrolls in a box of its own
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            choose_chinese(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(opened, name, scheme):
    with opened(name, color_scheme=scheme) as page:
        page.evaluate(OPEN)
        for _ in ("English", "Chinese"):
            found = Axe().run(page).response["violations"]
            serious = [
                (fault["id"], node["html"][:200])
                for fault in found
                if fault["impact"] in ("serious", "critical")
                for node in fault["nodes"][:3]
            ]
            assert serious == []
            choose_chinese(page)


def test_dark_and_light_differ(opened):
    papers = []
    for scheme in ("light", "dark"):
        with opened("8 classes", color_scheme=scheme) as page:
            papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers[0] == WHITE != papers[1]


def test_a_click_on_a_head_sorts_and_enter_does(opened):
    with opened("400 classes") as page:
        head = page.locator('table[data-name="confusions"] thead th').nth(2)
        number = [int(text) for text in column(page, "confusions", 3)]
        head.click()
        assert [int(text) for text in column(page, "confusions", 3)] == sorted(number)
        assert head.get_attribute("aria-sort") == "ascending"
        head.press("Enter")
        assert [int(text) for text in column(page, "confusions", 3)] == sorted(number)[::-1]
        name = page.locator('table[data-name="confusions"] thead th').first
        name.click()
        classes = [int(text.split()[-1]) for text in column(page, "confusions", 1)]
        assert classes == sorted(classes)  # 9 before 10


def test_the_search_leaves_the_rows_that_hold_the_text(opened):
    with opened("400 classes") as page:
        page.evaluate(OPEN)
        rows = page.locator('table[data-name="all classes"] tbody tr')
        names = column(page, "all classes", 1)
        search = page.locator('input[data-table="all classes"]')
        search.fill("NUMBER 39")
        assert column(page, "all classes", 1, ":visible") == [n for n in names if "number 39" in n]
        assert 0 < rows.filter(visible=True).count() <= 11  # 39, 390 to 399
        search.fill("")
        assert rows.filter(visible=True).count() == len(names)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("name", ["8 classes", "compare"])
def test_one_language_is_shown_and_the_switch_changes_it(opened, name, script):
    """Without JavaScript too."""
    with opened(name, java_script_enabled=script) as page:
        text = page.inner_text("main")
        assert "Parity with PyTorch" in text and "与 PyTorch 的一致性" not in text
        choose_chinese(page)
        text = page.inner_text("main")
        assert "Parity with PyTorch" not in text and "与 PyTorch 的一致性" in text
        if script:
            assert page.get_attribute("html", "lang") == "zh"
            page.reload()  # the choice is kept
            assert "与 PyTorch 的一致性" in page.inner_text("main")


def test_the_page_is_whole_without_javascript(opened):
    with opened("400 classes", java_script_enabled=False) as page:
        for section in ("accuracy", "classes", "gallery", "performance", "parity", "provenance"):
            assert page.locator(f"#{section} h2").is_visible()
        assert page.locator("svg").count() > 8
        assert all(box.bounding_box()["width"] > 100 for box in page.locator("svg").all())
        assert page.locator(".search").first.is_hidden()  # it would do nothing
        page.locator("summary").first.click()
        assert len(column(page, "all classes", 1)) > 300


@pytest.mark.parametrize("name", PAGES)
def test_the_page_prints(opened, name):
    with opened(name, color_scheme="dark") as page:
        assert page.pdf(format="A4")[:5] == b"%PDF-"
        page.emulate_media(media="print")
        assert page.locator("header").is_hidden()
        # on white, whatever the screen's colours, and nothing cut off at the paper's edge
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )
        page.set_viewport_size({"width": 718, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") <= 718


@pytest.mark.slow
def test_twenty_thousand_videos_open_within_seconds(chromium, tmp_path):
    path = tmp_path / "report.html"
    write_text(path, made_up.rendered(made_up.content(20_000, 400, made_up.ENGINES)))
    with browser.opened(chromium, path) as page:
        timing = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
        assert timing < 10_000
