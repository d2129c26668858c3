"""Commands, options and exit codes."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from typer.models import OptionInfo

from skanomaly import __version__
from skanomaly._cli._compare import audit_file, compare_files
from skanomaly._cli._detectors import DEFAULT, EVENT_DEFAULT, SERIES_DEFAULT
from skanomaly._cli._errors import InputError
from skanomaly._cli._json import json_text
from skanomaly._cli._print import print_result
from skanomaly._cli._scan import Progress, ScanResult, scan
from skanomaly._cli._traces import scan_traces
from skanomaly._cli._verdict import Verdict, print_verdict, verdict_json, verdict_page
from skanomaly._cli._write import check_output, check_report, date_of_now, write_page, write_report, write_scores
from skanomaly._support._compiling import announced

__all__ = ["app"]

_FOUND, _INPUT_ERROR = 1, 2

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Anomaly detection, from a raw table to a decision you can defend.",
)


class _Bar(Progress):
    """Progress bar on the error stream, one stage at a time; removed when the scan is done."""

    def __init__(self, bar: RichProgress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def stage(self, name: str) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=None)

    def advance(self, fraction: float) -> None:
        if self._task is not None:
            self._bar.update(self._task, total=1.0, completed=fraction)


def _say(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def _console() -> Iterator[Console]:
    """Print to the standard output; if it is no terminal, without blanks at the ends of lines."""
    console = Console()
    if console.is_terminal:
        yield console
        return
    with console.capture() as captured:
        yield console
    typer.echo("\n".join(line.rstrip(" ") for line in captured.get().split("\n")), nl=False)


@contextmanager
def _input_errors() -> Iterator[None]:
    """Print an input error as one line and exit with its code."""
    try:
        yield
    except InputError as error:
        _say(f"skanomaly: error: {error}")
        raise typer.Exit(_INPUT_ERROR) from None


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"skanomaly {__version__}")
        raise typer.Exit


def _command(context: typer.Context) -> str:
    """Return the command line, with the options that were given."""
    words = ["skanomaly", str(context.command.name)]
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        value = context.params.get(parameter.name or "")
        if source is None or source.name != "COMMANDLINE" or value is None:
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            option = [] if parameter.param_type_name == "argument" else [parameter.opts[0]]
            words += option if item is True else [*option, str(item)]
    return shlex.join(words)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Accept the options that precede a command."""


_Table = Annotated[
    Path | None,
    typer.Argument(help="A .csv, .tsv, .parquet or .npz (key X) file; by default an embedded table."),
]
_Contamination = Annotated[
    float | None,
    typer.Option(
        "--contamination", "-c", help="Fraction to flag as anomalies, above 0 and at most 0.5; by default estimated."
    ),
]
_Top = Annotated[int, typer.Option("--top", "-n", help="Number of anomalies to print, the most anomalous first.")]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the scores of all to this .csv or .parquet file.")
]
_Report = Annotated[
    Path | None, typer.Option("--report", help="Write the results to this .html file, one self-contained page.")
]
_Seed = Annotated[int, typer.Option("--random-state", help="Seed; the same seed gives the same results.")]
_ChunkRows = Annotated[
    int | None,
    typer.Option(
        "--chunk-rows",
        help="Read a CSV or Parquet file in pieces of so many rows; by default only files above 512 MB.",
        show_default=False,
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]


def _detector(default: str) -> OptionInfo:
    option: OptionInfo = typer.Option(
        "--detector", "-d", help="Name of a detector; an unknown name lists all.", show_default=default
    )
    return option


def _labels(use: str) -> OptionInfo:
    what = "(1/0, -1/+1, or COLUMN=VALUE with the label of the anomalies; empty: unlabelled)"
    option: OptionInfo = typer.Option("--label", "-l", help=f"Column of labels {what}, {use}.")
    return option


@app.command("scan")
def _scan(
    context: typer.Context,
    table: _Table = None,
    detector: Annotated[str | None, _detector(DEFAULT)] = None,
    contamination: _Contamination = None,
    top: _Top = 10,
    output: _Output = None,
    report: _Report = None,
    random_state: _Seed = 0,
    label: Annotated[str | None, _labels("used only to evaluate the scores")] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            "-t",
            help=f"Column of times; the rows are then a series, and {SERIES_DEFAULT} is the default detector.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="With --time, the column of the sensor or machine: each is a series of its own."),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id", help="Column that identifies the rows: shown instead of their number, and not scored."),
    ] = None,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", help="Column to score although it looks like an identifier or free text; repeatable."),
    ] = None,
    chunk_rows: _ChunkRows = None,
    as_json: _Json = False,
) -> None:
    """Score the rows of a table and print the most anomalous rows with the columns that contribute most."""
    _run(
        context,
        lambda progress: scan(
            table,
            detector=detector,
            contamination=contamination,
            top=top,
            random_state=random_state,
            label=label,
            time=time,
            by=by,
            use=use or [],
            id_column=id_column,
            explain_anomalies=output is not None,
            chunk_rows=chunk_rows,
            progress=progress,
        ),
        table=table,
        output=output,
        report=report,
        as_json=as_json,
    )


@app.command("events")
def _events(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="A .csv, .tsv or .parquet file with one event a row.")],
    trace: Annotated[
        str, typer.Option("--trace", help="Column of the trace that an event is of, such as a session, job or user.")
    ],
    event: Annotated[str, typer.Option("--event", help="Column of the event, such as a message or its template.")],
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            "-t",
            help="Column of times, by which the events of a trace are sorted; by default as in the file.",
        ),
    ] = None,
    detector: Annotated[str | None, _detector(EVENT_DEFAULT)] = None,
    contamination: _Contamination = None,
    top: _Top = 10,
    output: _Output = None,
    report: _Report = None,
    label: Annotated[
        str | None, _labels("used only to evaluate the scores; a trace with an anomalous row is an anomaly")
    ] = None,
    random_state: _Seed = 0,
    as_json: _Json = False,
) -> None:
    """Score the traces of a log and print the most anomalous ones with the events that are rare."""
    _run(
        context,
        lambda progress: scan_traces(
            table,
            trace=trace,
            event=event,
            time=time,
            detector=detector,
            contamination=contamination,
            top=top,
            random_state=random_state,
            label=label,
            explain_anomalies=output is not None,
            progress=progress,
        ),
        table=table,
        output=output,
        report=report,
        as_json=as_json,
    )


def _run(
    context: typer.Context,
    find: Callable[[Progress | None], ScanResult],
    *,
    table: Path | None,
    output: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Scan, write and print; an input error becomes one line and an exit code."""
    errors = Console(stderr=True)
    with _input_errors():
        if output is not None:
            check_output(output, table)
        if report is not None:
            check_report(report, table)
        times = TimeElapsedColumn(), TimeRemainingColumn()
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), *times
        with ExitStack() as stack:  # no bar if this is no terminal, where even a disabled one may print a line
            progress = None
            if errors.is_terminal:
                progress = _Bar(stack.enter_context(RichProgress(*columns, console=errors, transient=True)))
            stack.enter_context(announced(_say))
            result = find(progress)
        if output is not None:  # before printing, since the reader of the output may close it early
            write_scores(result, output)
        if report is not None:
            write_report(result, report, command=_command(context))
        if as_json:
            typer.echo(json_text(result, command=_command(context)))
            return
        with _console() as console:
            print_result(result, console)
        if output is not None:
            typer.echo(f"Scores of {result.n_rows:,} {result.noun}s written to {output}.")
        if report is not None:
            typer.echo(f"Report written to {report}.")


@app.command("compare")
def _compare(
    context: typer.Context,
    reference: Annotated[Path, typer.Argument(help="A .csv, .tsv, .parquet or .npz file: what is normal.")],
    new: Annotated[Path, typer.Argument(help="The file to compare with it.")],
    alpha: Annotated[
        float, typer.Option("--alpha", help="False discovery rate over the columns, and level of the whole.")
    ] = 0.01,
    min_effect: Annotated[
        float, typer.Option("--min-effect", help="Smallest effect of a column that has drifted, in [0, 1).")
    ] = 0.0,
    report: _Report = None,
    random_state: _Seed = 0,
    chunk_rows: _ChunkRows = None,
    as_json: _Json = False,
) -> None:
    """Compare two tables; the exit code is 1 if a column or the whole has drifted."""
    _judge(
        context,
        lambda: compare_files(
            reference, new, alpha=alpha, min_effect=min_effect, random_state=random_state, chunk_rows=chunk_rows
        ),
        tables=[reference, new],
        report=report,
        as_json=as_json,
    )


@app.command("audit")
def _audit(
    context: typer.Context,
    table: _Table = None,
    label: Annotated[str | None, _labels("to find columns that reveal them")] = None,
    report: _Report = None,
    as_json: _Json = False,
) -> None:
    """Check whether a table is sound; the exit code is 1 if there is an error or a warning."""
    tables = [] if table is None else [table]
    _judge(context, lambda: audit_file(table, label=label), tables=tables, report=report, as_json=as_json)


def _judge(
    context: typer.Context,
    find: Callable[[], Verdict],
    *,
    tables: Sequence[Path | None],
    report: Path | None,
    as_json: bool,
) -> None:
    """Find, write and print a verdict; an input error becomes one line and an exit code."""
    with _input_errors():
        if report is not None:
            for table in tables or [None]:
                check_report(report, table)
        with announced(_say):
            verdict = find()
        command = _command(context)
        if report is not None:
            write_page(verdict_page(verdict, command=command, date=date_of_now()), report)
        if as_json:
            typer.echo(verdict_json(verdict, command=command))
        else:
            with _console() as console:
                print_verdict(verdict, console)
        if report is not None and not as_json:
            typer.echo(f"Report written to {report}.")
    if verdict.fired:
        raise typer.Exit(_FOUND)


@app.command("warm")
def _warm(
    estimator: Annotated[
        list[str] | None,
        typer.Option("--estimator", "-e", help="Name of an estimator to compile for; repeatable; by default all."),
    ] = None,
) -> None:
    """Compile the kernels ahead of their first use, for a container or a test machine."""
    from skanomaly._cli._warm import warm

    with _input_errors():
        for name, seconds in warm(estimator):
            typer.echo(f"{name}: {seconds:.1f} s")
