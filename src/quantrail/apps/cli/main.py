"""`quantrail`: every command, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer
from rich.markup import escape

from quantrail import __version__
from quantrail.apps.cli import (
    backtest,
    constraints,
    data,
    db,
    demo,
    doctor,
    explain,
    failures,
    known,
    reports,
    runs,
    spec,
    trust,
)
from quantrail.apps.cli.output import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    emit_json,
    err,
    reader_has_gone,
    report_error,
)
from quantrail.apps.cli.targets import of_the_system
from quantrail.errors import QuantrailError

app = typer.Typer(
    name="quantrail",
    help="Search trading strategies, and keep a trail of everything tried.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quantrail {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Search trading strategies, and keep a trail of everything tried.

    Start with `quantrail demo`.
    """


demo.register(app)
doctor.register(app)
app.add_typer(data.app, name="data", help="Bars in, snapshots, quality.")
app.add_typer(spec.app, name="spec", help="The strategy language.")
app.add_typer(runs.app, name="run", help="The loop.")
backtest.register(app)
known.register(app)
app.add_typer(failures.app, name="failures", help="Why strategies failed.")
app.add_typer(constraints.app, name="constraints", help="What was learnt.")
explain.register(app)
trust.register(app)
reports.register(app)
app.add_typer(db.app, name="db", help="The knowledge store.")


def run() -> None:
    """Entry point of the `quantrail` command."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run one command line; returns its exit code. Errors are said in one sentence each."""
    as_json = "--json" in arguments
    try:
        code = app(arguments, standalone_mode=False)
    except QuantrailError as error:
        return report_error(error, as_json)
    except typer.TyperException as error:
        # Whatever the parser says is about how the command was typed.
        if as_json:
            emit_json({"error": {"code": "BAD_USAGE", "message": error.format_message()}})
        else:
            _print_usage_error(error)
        return EXIT_BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        reader_has_gone(sys.stdout)
        return EXIT_OK
    except OSError as error:
        return report_error(of_the_system(error), as_json)
    if code == EXIT_INTERRUPTED:
        err().print("interrupted; what was finished is kept")
    return code if isinstance(code, int) else EXIT_OK


def _print_usage_error(error: typer.TyperException) -> None:
    """One sentence; a command group called without a command prints its help instead."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if not message and context is not None:
        err().print(context.get_help())
    else:
        hint = f" (see {context.command_path} --help)" if context is not None else ""
        err().print(f"[red]error:[/red] {escape(message)}{hint}", soft_wrap=True)
