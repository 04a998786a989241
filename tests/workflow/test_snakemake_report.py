"""`snakemake --report` packs the results with their captions and categories."""

import re
import zipfile

import rules


def test_the_packed_report_holds_page_and_tables_with_captions(run_copy):
    result = run_copy.snakemake("all", "--report", "report.zip")
    assert result.returncode == 0, result.stdout
    with zipfile.ZipFile(run_copy.folder / "report.zip") as archive:
        page = archive.read("report/report.html").decode()
        packed = {path.rpartition("/")[2] for path in archive.namelist() if "/data/" in path}
    assert packed == {"report.html", "accuracy.md", "predictions.csv"}
    assert "The whole run on one page" in page and "The five best classes of every video" in page
    # it opens without a network
    assert not re.search(r'<(script|link)[^>]*(src|href)="https?:', page)


def test_every_result_for_the_report_has_a_caption_and_a_category():
    marked = 0
    for rule in rules.load("engines: [onnxruntime, ascend]").values():
        for output in rule.output:
            if found := output.flags.get("report"):
                marked += 1
                assert found.caption and found.category, output
    assert marked >= 9
