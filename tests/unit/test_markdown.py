"""The cells of a Markdown table stand as they were given."""

from markdown_rows import rows

from tsf.markdown import table


def test_a_table_is_a_header_a_line_and_its_rows():
    lines = table(["engine", "fps"], [["torch", "2.50"]]).splitlines()
    assert len(lines) == 3 and lines[1].strip("|:-") == ""
    assert rows("\n".join(lines)) == [["engine", "fps"], ["torch", "2.50"]]


def test_a_bar_in_a_cell_stays_in_its_cell():
    assert rows(table(["label", "n"], [["this|that", "1"]])) == [
        ["label", "n"],
        [r"this\|that", "1"],
    ]


def test_a_name_is_no_html():
    assert rows(table(["label"], [["<script>alert(1)</script> & &lt;"]])) == [
        ["label"],
        ["&lt;script>alert(1)&lt;/script> &amp; &amp;lt;"],
    ]


def test_a_figure_keeps_its_digits():
    cells = ["1.50", "007", "1e-06", "-", "", "50%", "3,612,672"]
    assert rows(table(list("abcdefg"), [cells]))[1] == cells


def test_without_rows_the_header_stands_alone():
    assert rows(table(["video", "reason"], [])) == [["video", "reason"]]
