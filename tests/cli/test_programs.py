"""Files as programs and countries write them: every command reads the same table."""

import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._compare import _comparable, _opened, compare_files
from skanomaly._cli._read import read_table
from skanomaly._cli._scan import scan
from skanomaly._cli._stamps import read_times
from skanomaly._cli._traces import _read_log, scan_traces

N_JOBS = 12
MONTHS = {"de": ["Januar", "Februar", "M\u00e4rz"], "fr": ["janvier", "f\u00e9vrier", "mars"]}


def _log():
    """Return the events of some jobs, in the order of time, with a duration each."""
    rows = []
    for job in range(N_JOBS):
        start = pd.Timestamp("2026-01-30 09:15:00") + pd.Timedelta(hours=30 * job)
        tokens = ["open", *["read", "check"] * (job % 3 + 1), "close"]
        tokens = ["open", "steal, all", "close"] if job == 7 else tokens
        rows += [
            (f"00{job + 7}", start + pd.Timedelta(seconds=90 * place), token) for place, token in enumerate(tokens)
        ]
    frame = pd.DataFrame(rows, columns=["job", "time", "event"])
    return frame.assign(ms=np.round(np.random.default_rng(0).uniform(100, 9000, len(frame)), 2))


def _in_words(language, ending="%H:%M:%S"):
    return lambda time: f"{time.day}. {MONTHS[language][time.month - 1]} {time.year} {time.strftime(ending)}"


PROGRAMS = {
    "excel": {"encoding": "utf-8-sig", "newline": "\r\n", "time": "%m/%d/%Y %I:%M:%S %p", "group": ","},
    "excel_german": {
        "separator": ";", "decimal": ",", "group": ".", "encoding": "cp1252", "newline": "\r\n",
        "time": "%d.%m.%Y %H:%M:%S", "above": ["sep=;"],
    },
    "excel_unicode": {"separator": "\t", "decimal": ",", "encoding": "utf-16", "time": "%d.%m.%Y %H:%M:%S,000"},
    "libreoffice": {"quote": '"', "all": True, "time": "%Y-%m-%d %H:%M:%S"},
    "sap": {
        "separator": "|", "decimal": ",", "group": ".", "time": "%d.%m.%Y %H:%M:%S", "ends": "|",
        "above": ["Report ZLOG", "", "-" * 40],
    },
    "pandas": {"index": True, "time": "%Y-%m-%d %H:%M:%S"},
    "r": {"quote": '"', "all": True, "index": "'row'", "time": "%Y-%m-%dT%H:%M:%SZ"},
    "german": {"separator": ";", "decimal": ",", "time": _in_words("de")},
    "french": {
        "separator": ";", "decimal": ",", "group": "\u202f", "encoding": "utf-8-sig", "time": _in_words("fr"),
        "above": ["Relev\u00e9 de janvier", ""],
    },
    "milliseconds": {"separator": ";", "decimal": ",", "time": "%Y-%m-%d %H:%M:%S,000"},
    "single_quotes": {"quote": "'", "all": True, "group": ",", "time": "%Y-%m-%d %H:%M:%S"},
    "broken_names": {"separator": ";", "decimal": ",", "time": "%d/%m/%Y %H:%M:%S", "break": True},
}  # fmt: skip


def _write(folder, program, frame):
    """Write a log as a program does; return the path."""
    separator, quote = program.get("separator", ","), program.get("quote", '"')
    format_ = program["time"]
    ends = program.get("ends", "")

    def cell(text):
        needs = program.get("all") or separator in text or "\n" in text
        return f"{quote}{text}{quote}" if needs else text

    def number(value):
        plain = f"{value:,.2f}".replace(",", "\0").replace(".", program.get("decimal", "."))
        return plain.replace("\0", program.get("group", ""))

    names = ["job", "time", "event", "ms"]
    if program.get("break"):
        names = ["job\n", "time ", "\nevent", "ms"]
    lines = [[""] * bool(program.get("index")) + names]
    for place, (job, time, event, ms) in enumerate(frame.itertuples(index=False)):
        stamp = format_(time) if callable(format_) else time.strftime(format_)
        lines.append([str(place)] * bool(program.get("index")) + [job, stamp, event, number(ms)])
    shown = [ends + separator.join(map(cell, line)) + ends for line in lines]
    text = program.get("newline", "\n").join([*program.get("above", []), *shown])
    (folder / "log.csv").write_bytes(text.encode(program.get("encoding", "utf-8")))
    return folder / "log.csv"


@pytest.mark.parametrize("name", PROGRAMS)
def test_events_reads_the_log_of_every_program(tmp_path, name):
    frame = _log()
    path = _write(tmp_path, PROGRAMS[name], frame.iloc[::-1])
    log = _read_log(read_table(path, texts=["job", "event"]), "job", "event", "time")
    groups = frame.groupby("job", sort=False)
    assert log.ids == list(groups.groups)
    assert log.traces == [tokens.tolist() for _, tokens in groups["event"]]
    np.testing.assert_array_equal(log.starts, groups["time"].first().to_numpy())


@pytest.mark.parametrize("name", PROGRAMS)
def test_compare_reads_the_table_of_every_program(tmp_path, name):
    frame = _log()
    frame.to_parquet(tmp_path / "log.parquet")
    sides = [_opened(path, None) for path in (tmp_path / "log.parquet", _write(tmp_path, PROGRAMS[name], frame))]
    left, right, left_out, as_text = _comparable(sides, ["job", "time", "event", "ms"])
    assert [name for name, _ in left_out if name != "job"] == ["time"]
    assert "event" not in as_text
    assert left["event"].tolist() == right["event"].tolist()
    np.testing.assert_array_equal(left["ms"], right["ms"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_scan_reads_the_table_of_every_program(tmp_path, name):
    frame = _log()
    frame.loc[17, "ms"] = 48211.5
    result = scan(_write(tmp_path, PROGRAMS[name], frame), top=1, contamination=0.1, detector="MarginalDetector")
    assert result.used == ["event", "ms"]
    assert result.top.tolist() == [17]
    assert result.reasons[0][0].value == 48211.5


def test_events_scores_are_the_same_in_every_country(tmp_path):
    plain = scan_traces(_write(tmp_path, PROGRAMS["pandas"], _log()), trace="job", event="event", time="time")
    other = scan_traces(_write(tmp_path, PROGRAMS["french"], _log()), trace="job", event="event", time="time")
    np.testing.assert_array_equal(plain.scores, other.scores)
    assert plain.ids[int(np.argmin(plain.scores))] == "0014"


def test_compare_of_two_programs_finds_no_drift(tmp_path):
    frame = _log().sample(40, random_state=0)
    path = _write(tmp_path, PROGRAMS["german"], frame).rename(tmp_path / "german.csv")
    verdict = compare_files(path, _write(tmp_path, PROGRAMS["excel"], frame))
    assert not verdict.fired


STAMPS = [
    "%d-{month:.3}-%Y", "{day}, %d.%m.%Y", "{day}. %d.%m.%y", "{weekday}, den %d. {month} %Y", "%d.%m.%Y um %H:%M Uhr",
    "{jour} %d {mois} %Y", "%d {mois} %Y \u00e0 %Hh%M", "%d/%m/%Y %Hh%M", "%d.%m.%Y, %H:%M:%S", "%d%b%Y:%H:%M:%S",
    "%d-%b-%y %I.%M.%S.000000 %p", "%d.%m.%Y %H.%M", "'%Y-%m-%d %H:%M:%S'", "%A, %B %d, %Y", "\ufeff%Y-%m-%d",
    "%d de {mes} de %Y",
]  # fmt: skip


@pytest.mark.parametrize("form", STAMPS)
def test_times_of_more_languages_are_read(form):
    times = pd.date_range("2026-01-03 00:07:00", periods=25, freq="73h")
    names = {
        "day": ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
        "weekday": ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        "jour": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    }
    months = {"month": MONTHS["de"], "mois": MONTHS["fr"], "mes": ["enero", "febrero", "marzo"]}
    texts = [
        time.strftime(form).format(
            **{key: words[time.weekday()] for key, words in names.items()},
            **{key: words[time.month - 1] for key, words in months.items()},
        )
        for time in times
    ]
    has_clock = "%M" in form
    expected = times.floor("min" if has_clock else "D")
    np.testing.assert_array_equal(read_times(pd.Series(texts), "time"), expected.to_numpy())
