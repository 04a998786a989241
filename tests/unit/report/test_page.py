"""The page of made-up runs: complete in two languages, self-contained, small, the same twice."""

import re
from copy import deepcopy
from functools import cache
from html.parser import HTMLParser

import made_up
import pytest
from made_up import ENGINES, rendered

from tsf.errors import UserError
from tsf.evaluation.changes import made_of
from tsf.report import choice
from tsf.report.page import charts
from tsf.report.page.words import CHINESE, TEMPLATES, both
from tsf.report.page.write import read_strip


@cache
def small() -> dict:
    return made_up.content(120, 8, ENGINES)


@pytest.fixture(scope="module")
def text():
    return rendered(small())


VOID = {"meta", "link", "input", "img", "br"}  # have no end


class Parser(HTMLParser):
    """What the page refers to, its ids, and whether its elements close in order."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[k] for k in ("src", "href", "xlink:href") if k in found]
        self.ids += [found["id"]] if "id" in found else []
        self.open += [tag] if tag not in VOID else []

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(text):
    parser = Parser()
    parser.feed(text)
    assert parser.open == []
    assert len(set(parser.ids)) == len(parser.ids) > 20
    outside = [link for link in parser.links if not link.startswith(("#", "data:"))]
    assert outside == ["predictions.csv"]
    assert not re.search(r"@import|url\((?!#)", text)
    assert {link[1:] for link in parser.links if link.startswith("#")} <= set(parser.ids)


def test_the_same_content_gives_the_same_bytes(text):
    assert rendered(small()) == text


def test_the_verdict_is_the_first_thing_said(text):
    engine = small()["accuracy"]["engines"]["onnxruntime"]
    first = text[text.index("<h1>") : text.index("</p>")]
    assert f"has {engine['top1']:.2f} % top-1 on Kinetics-400" in first
    assert "outside that interval" in first or "within that interval" in first


def test_the_choice_of_an_engine_follows_the_verdict(text):
    start = text.index("</p>", text.index("<h1>"))
    found = text[start : text.index('<dl class="cards">')]
    assert (
        "is onnxruntime, 1.00 videos/s (<code>engines: [onnxruntime]</code>, "
        "<code>bin: uint8</code>), and the fastest within the limits of parity and accuracy is "
        "openvino_tsf_opt_bf16, 3.00 videos/s (<code>"
    ) in found
    assert "differs from that of onnxruntime by -0.83 points (95 % interval -2.90 to +1.20" in found
    assert "最快的精确引擎是 onnxruntime，每秒 1.00 个视频（<code>" in found
    assert "不能排除最多 2.90 个百分点的损失" in found


def test_a_choice_that_is_not_of_this_run_is_not_said():
    content = deepcopy(small())
    content["measured"]["faults"]["choice"] = "results/accuracy.json has changed"
    found = rendered(content)
    assert "fastest exact engine" not in found
    assert "choice.json is not of this run: results/accuracy.json has changed" in found
    content["measured"] |= {"choice": None, "faults": small()["measured"]["faults"]}
    assert "choice.json" not in rendered(content)


@pytest.mark.parametrize("macs, same", [(587_500_000_000, True), (940_000_000, False)])
def test_the_guides_speed_is_marked_beside_another_model(macs, same):
    content = deepcopy(small())
    guide = {"device": "the guide's chip", "fps": 7.53, "macs_per_video": 587_500_000_000}
    content["measured"]["ascend_performance"] = {
        "runs": content["measured"]["performance"]["measurements"][:1],
        "macs_per_video": macs,
        "guide": guide | {"same_model": same},
    }
    found = rendered(content)
    assert "7.53" in found
    assert ("587.5 G multiply-adds a video, this one 0.94 G" in found) is not same
    assert ("587.5 G 次乘加，本模型为 0.94 G" in found) is not same


@pytest.mark.parametrize(
    "interval, span", [([90, 99.5], (87, 100)), ([1, 60], (0, 63)), ([40, 60], (37, 63))]
)
def test_no_accuracy_of_a_group_is_over_100(monkeypatch, interval, span):
    monkeypatch.setattr(charts, "inline", lambda drawn, *words: drawn.axes[0].get_xlim())
    row = {"interval95": interval, "percent": 50, "known": False}
    assert charts.groups("short_side", [row]) == span


def test_both_languages_are_in_the_page(text):
    assert text.count('<span lang="en">') == text.count('<span lang="zh">') > 100
    assert text.count('<tspan lang="en">') == text.count('<tspan lang="zh">') > 10


def test_every_word_has_chinese_and_every_chinese_a_word():
    templates = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.j2"))
    drawn = (TEMPLATES.parent / "charts.py").read_text("utf-8")
    used = set(re.findall(r'\bt\("([^"]+)"', templates))
    used |= {value for name, value in vars(choice).items() if name.isupper()}
    assert used <= CHINESE.keys()
    # the stages of a measurement come with it
    stages = set(small()["measured"]["performance"]["measurements"][0]["end_to_end"]["seconds"])
    # the kinds of input of a comparison, too
    groups = made_of(small()["provenance"], small()["accuracy"]).keys()
    unused = {word for word in CHINESE.keys() - used - stages - groups if f'"{word}"' not in drawn}
    assert not unused
    for english, chinese in CHINESE.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", chinese))


def test_names_of_the_user_s_are_text():
    evil = "<script>alert(1)</script>"
    assert evil not in both("{number} more", number=evil)
    content = deepcopy(small())
    content["verdict"]["dataset"] = evil
    content["gallery"]["videos"][0]["label"] = evil
    content["skipped"][0] = [evil, evil, evil]
    for engine in content["details"]["engines"].values():
        engine["classes"][0]["class"] = engine["matrix"]["classes"][0] = evil
    assert evil not in rendered(content)
    assert "&lt;script&gt;alert(1)" in rendered(content)


def test_a_run_without_labels_or_measurements_has_a_page():
    content = deepcopy(small())
    for engine in content["accuracy"]["engines"].values():
        for key in [key for key in engine if key.startswith("top")]:
            del engine[key]
        engine["videos"] = 0
    content["accuracy"] |= {"paired": [], "moved_by_sampler": None, "skipped": 0}
    content["details"]["engines"] = dict.fromkeys(content["details"]["engines"])
    content["verdict"] |= {"videos": 0, "top1": None, "interval95": None, "reference": None}
    content["measured"]["performance"] = None
    content["provenance"] |= {"commit": None, "stages": []}
    content["skipped"] = []
    found = rendered(content)
    assert "none has a label" in found and "No video was skipped." in found
    assert "snakemake performance.md report.html" in found


def test_why_an_unreadable_measurement_is_not_shown():
    content = deepcopy(small())
    names = ("performance", "parity", "choice", "ascend_performance")
    content["measured"] |= dict.fromkeys(names)
    content["measured"]["faults"] = dict.fromkeys(names, "it has changed; delete it first")
    found = rendered(content)
    for name in names:
        why = f"{name}.json is not of this run: it has changed; delete it first. Make it again:"
        assert f"{why} snakemake {name}.json" in found
    assert "is not measured yet" not in found


def test_a_stale_measurement_is_said_to_be_stale():
    content = deepcopy(small())
    content["measured"]["faults"]["performance"] = "tsf_sim.onnx was another file"
    content["measured"]["parity"] = {"clips": ["x"], "boundaries": made_up.boundaries(ENGINES)}
    content["measured"]["parity"]["boundaries"][1]["name"] = "a stale boundary"
    content["measured"]["faults"]["parity"] = "it compares other clips"
    found = rendered(content)
    assert "performance.json is not of this run: tsf_sim.onnx was another file" in found
    assert "parity.json is not of this run" in found and "a stale boundary" not in found


def test_a_matrix_has_a_cell_for_every_pair_that_occurs():
    content = {"classes": ["a", "b"], "counts": [[3, 1], [0, 2]], "others": [0, 4], "of": 2}
    drawn = charts.matrix(content)
    assert len(re.findall(r"<text[^>]*>[0-9]+</text>", drawn)) == 3


def test_a_distance_of_zero_is_named_on_the_log_axis():
    drawn = charts.parity(made_up.boundaries(ENGINES))
    assert drawn.count('<tspan lang="en">equal</tspan>') == 1


@pytest.mark.slow
def test_twenty_thousand_videos_of_400_classes_stay_below_5_mb():
    text = rendered(made_up.content(20_000, 400, ENGINES))
    assert len(text.encode()) < 5_000_000
    assert text.count("data:image/webp") == 60
    # no row a video: those named are in the gallery, those skipped, the classes and confusions
    assert text.count("<tr>") < 1000


@pytest.mark.parametrize("within", [True, False])
def test_the_published_accuracy_is_named_with_its_dataset(within):
    """Which need not be the run's."""
    content = deepcopy(small())
    reference = content["verdict"]["reference"]
    reference.update(dataset="Another-600", within_noise=within)
    text = rendered(content)
    english, chinese = ("within", "内") if within else ("outside", "外")
    assert f"The published 77.92 % on Another-600 is {english} that interval." in text
    assert f"Another-600 上公布的 77.92% 在该区间之{chinese}。" in text
    assert f"Another-600: {reference['source']}" in text


def test_a_picture_that_is_not_whole_is_refused(tmp_path):
    webp = made_up.noise(1)
    path = tmp_path / "strips/v.webp"
    path.parent.mkdir()
    path.write_bytes(webp)
    assert read_strip(path) == webp
    for damaged in (b"", webp[:3], webp[:7], webp[:-1], bytes(len(webp))):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"v\.webp: not a whole WebP picture; delete .*strips "):
            read_strip(path)
