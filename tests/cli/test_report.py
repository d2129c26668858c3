"""The report is a complete and self-contained page with the results of the scan."""

import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app
from skanomaly._cli._report import report_page
from skanomaly._cli._scan import scan
from skanomaly._cli._svg import Plot, _nice_ticks

_VOID = {"meta", "circle", "rect", "line", "polyline"}


class _Reader(HTMLParser):
    """Keeps the open tags, and collects tags, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def table(tmp_path, seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(300, 4)), columns=["heat <i> & co", "load", "flow", "tilt"])
    frame.iloc[:6, 0] += 25
    frame["fault"] = (np.arange(300) < 6).astype(int)
    frame["city"] = "Oslo"
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_page_is_complete_and_self_contained(table):
    page = report_page(scan(table, label="fault"))
    reader = _Reader(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe", "base", "object"} & set(reader.tags)
    assert not {"src", "srcset", "action"} & {name for name, _ in reader.attributes}
    assert all(value.startswith("#") for name, value in reader.attributes if name == "href")
    assert "url(" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page


@pytest.mark.parametrize("options", [{}, {"time": "when"}, {"contamination": 0.1}])
def test_contents_link_to_every_section(options, tmp_path):
    days = pd.date_range("2026-01-01", periods=300)
    frame = pd.DataFrame({"when": days, "x": np.sin(np.arange(300.0)), "y": np.cos(np.arange(300.0))})
    frame.to_csv(tmp_path / "t.csv", index=False)
    reader = _Reader(report_page(scan(tmp_path / "t.csv", **options)))
    links = [value for name, value in reader.attributes if name == "href"]
    ids = [value for name, value in reader.attributes if name == "id"]
    assert links == [f"#{name}" for name in ids]
    assert len(set(ids)) == len(ids) >= 6
    assert ("scores-over-time" in ids) == ("time" in options)


def test_page_fits_a_phone(table):
    page = report_page(scan(table))
    assert "<meta name='viewport' content='width=device-width, initial-scale=1'>" in page
    assert "max-width" in page
    assert page.count("<div class='scroll'><table") == 1
    assert "svg { display: block; width: 100%" in page


def test_page_escapes_names(table):
    page = report_page(scan(table, label="fault"))
    assert "<i>" not in page
    assert "heat &lt;i&gt; &amp; co" in page


def test_page_has_the_results_of_the_scan(table):
    result = scan(table, label="fault", top=7)
    page = report_page(result)
    assert len(re.findall("<tr>", page)) == 8
    text = " ".join(" ".join(_Reader(page).text).split())
    assert f"{(result.flags == -1).sum()} of 300 rows: score below" in text
    assert "AUROC" in text
    assert "city: constant, not used" in text
    assert page.count("<svg") == 3
    anomalies = re.search(r'<g class="anomaly">(.*?)</g>', page)[1]
    assert anomalies.count("<circle") == (result.flags == -1).sum()
    assert re.search(r'<g class="labelled">(.*?)</g>', page)[1].count("<circle") == 6


def test_page_has_the_contributing_columns_with_their_fractions(table):
    result = scan(table, label="fault", top=3)
    for reasons in result.reasons:
        assert reasons[0].column == "heat <i> & co"
        assert 0 < reasons[0].fraction <= 1
        assert sum(reason.fraction for reason in reasons) <= 1 + 1e-12
        assert all(first.fraction >= second.fraction for first, second in itertools.pairwise(reasons))
    assert f"{result.reasons[0][0].fraction:.0%}" in report_page(result)


def test_page_reports_a_given_contamination(table):
    page = report_page(scan(table, contamination=0.1))
    assert "The fraction was given, not estimated." in page
    assert page.count("<svg") == 2


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1.0], [2.0], [5.0]]),
        np.array([[1e300], [-1e300], [3.0], [4.0]]),
        np.array([[1e-300], [2e-300], [0.0], [1.0]]),
        np.tile([[0.0, 1.0], [1.0, 0.0]], (50, 1)),
    ],
    ids=["three rows", "huge", "tiny", "two values"],
)
def test_page_of_a_degenerate_table_is_complete(values, tmp_path):
    pd.DataFrame(values).add_prefix("c").to_csv(tmp_path / "t.csv", index=False)
    page = report_page(scan(tmp_path / "t.csv"))
    assert _Reader(page).open == []
    assert "nan" not in page.replace("skanomaly", "")


def test_page_of_many_rows_stays_small(tmp_path, seed):
    np.savez(tmp_path / "t.npz", X=np.random.default_rng(seed).normal(size=(20000, 3)))
    page = report_page(scan(tmp_path / "t.npz", contamination=0.01))
    assert len(page) < 100_000
    assert "of 20,000 rows are shown" in page


@pytest.mark.parametrize(
    ("detector", "words"),
    [("RandomProjectionDepth", "their contribution to the score"), ("IsolationForest", "their effect on the score")],
)
def test_page_names_the_method_of_explanation(table, detector, words):
    assert words in report_page(scan(table, detector=detector))


def test_contributing_columns_of_a_forest_are_those_of_the_anomalies(table):
    result = scan(table, detector="IsolationForest", label="fault", top=6)
    named = [reasons[0].column for reasons in result.reasons]
    assert named.count("heat <i> & co") >= 5


def test_contributions_of_many_columns_are_robust_z_scores(tmp_path, seed):
    np.savez(tmp_path / "t.npz", X=np.random.default_rng(seed).normal(size=(60, 1200)))
    result = scan(tmp_path / "t.npz", detector="IsolationForest", contamination=0.1)
    assert "robust z-score" in result.reasons_origin


def test_command_writes_the_page(table):
    path = table.parent / "report.html"
    run = CliRunner().invoke(app, ["scan", str(table), "--report", str(path), "-c", "0.02"])
    assert run.exit_code == 0
    assert f"Report written to {path}." in run.stdout.replace("\n", "")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("name", "words"), [("report.pdf", "--report must end in .html or .htm"), ("nowhere/r.html", "there is no folder")]
)
def test_command_checks_the_path_of_the_report_first(tmp_path, name, words):
    run = CliRunner().invoke(app, ["scan", "nowhere.csv", "--report", str(tmp_path / name)])
    assert run.exit_code == 2
    assert words in run.stderr


def test_plot_maps_values_to_positions():
    plot = Plot("t", (1, 100), (0, 1), "x", "y", log_x=True)
    np.testing.assert_allclose(plot._x(np.array([1.0, 10.0, 100.0])), [44, 197, 350])
    np.testing.assert_allclose(plot._y(np.array([0.0, 1.0, 2.0])), [176, 10, 10])


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 1, [0, 0.25, 0.5, 0.75, 1]), (-7, 2, [-5, -2.5, 0]), (3, 3, [3])]
)
def test_ticks_are_round(low, high, expected):
    ticks = _nice_ticks(low, high)
    assert all(low <= tick <= high for tick in ticks)
    np.testing.assert_allclose(ticks, expected, atol=1e-12)
