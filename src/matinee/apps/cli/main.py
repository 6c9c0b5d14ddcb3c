"""The ``matinee`` program: the group of commands, and how it ends.

Exit codes are those of ``core.errors``; 1 is a defect of Matinee, 130 an interruption.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from matinee import __version__
from matinee.core.errors import MatineeError

COMMANDS = {
    "publish": ("matinee.apps.cli.publish", "Make, prove and show films."),
    "inspect": ("matinee.apps.cli.inspect", "Tell what is in a film."),
    "list": ("matinee.apps.cli.titles", "List the titles of the library."),
    "show": ("matinee.apps.cli.titles", "Tell what was made of a title, and every verdict."),
    "explain": ("matinee.apps.cli.explain", "Tell which settings each shot has, and why."),
    "verify": ("matinee.apps.cli.titles", "Prove again that a title's files are whole and right."),
    "lineage": ("matinee.apps.cli.lineage", "Tell what a thing was made of, and what of it."),
    "scrub": ("matinee.apps.cli.scrub", "Prove all that is stored; note what is wrong."),
    "repair": ("matinee.apps.cli.repair", "Mend what is damaged, in the cheapest way."),
    "unpublish": ("matinee.apps.cli.titles", "Take a title off the screen."),
    "rollback": ("matinee.apps.cli.titles", "Put a title's package before this one on screen."),
    "rekey": ("matinee.apps.cli.rekey", "Give a title new keys; nothing is encoded again."),
    "compare": ("matinee.apps.cli.compare", "Compare ladders or encodes of one film."),
    "delete": ("matinee.apps.cli.delete", "Delete a title; it can be brought back for a time."),
    "undelete": ("matinee.apps.cli.delete", "Bring a deleted title back."),
    "gc": ("matinee.apps.cli.delete", "Remove what nothing needs any more."),
    "backup": ("matinee.apps.cli.backup", "Bring the library into other places."),
    "backups": ("matinee.apps.cli.backup", "List the snapshots of a backup, or prove them."),
    "restore": ("matinee.apps.cli.restore", "Bring back a title, or the whole library."),
    "drill": ("matinee.apps.cli.restore", "Restore a backup for trial, and prove what comes back."),
    "serve": ("matinee.apps.cli.serve", "Serve the library's titles, with player pages."),
    "up": ("matinee.apps.cli.up", "Run the service: films that arrive are published by rules."),
    "runs": ("matinee.apps.cli.runs", "List the service's runs, or tell how one stands."),
    "cancel": ("matinee.apps.cli.runs", "End a run; what it has finished is kept."),
    "retry": ("matinee.apps.cli.runs", "Queue a run that is over again."),
    "restart": ("matinee.apps.cli.runs", "Queue a run again, a stage and what follows anew."),
    "events": ("matinee.apps.cli.events", "List what happened, or prove the event log."),
    "token": ("matinee.apps.cli.token", "Make, list and revoke tokens of the service."),
    "doctor": ("matinee.apps.cli.doctor", "Tell whether this machine has what Matinee needs."),
    "completion": ("matinee.apps.cli.completion", "Print the completion script of a shell."),
}

FEW_CYCLES = 20_000
"""Objects more than at the last look after which cycles of garbage are looked for.

Loading modules makes many objects and no garbage: by Python's own 700, looking takes a twentieth
of the processor time of a short command.
"""

LIBRARY_HELP = (
    "The library: a folder, a file:/// address or s3://bucket/path. "
    "Default: $MATINEE_LIBRARY, else ~/.local/share/matinee."
)
DATABASE_HELP = (
    "The library's database: sqlite:////folder/library.db or postgresql://user@host/name. "
    "Default: $MATINEE_DATABASE, else a file of the library."
)

LONGEST_LINE = 600
"""Of an error, in characters; all of it is in ``--json``."""

EPILOG = """\b
Exit codes:
  0 done   2 wrong argument   3 film refused   4 held by a verdict   5 a tool failed
  6 library unusable   7 not found   130 interrupted   1 a defect of Matinee
"""


def library_options(command: Callable[..., None]) -> Callable[..., None]:
    """``--library`` and ``--database``, as ``library`` and ``database``."""
    library = click.option("--library", metavar="URL", help=LIBRARY_HELP)
    database = click.option("--database", metavar="URL", help=DATABASE_HELP)
    return library(database(command))


class LazyGroup(click.Group):
    """Knows its commands by name and help; loads a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of the path of a film."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="matinee")
def cli() -> None:
    """A film goes in; every stream that devices need comes out: proven, published, served.

    \b
    matinee publish film.mp4     make it, prove it, put it on screen
    matinee serve                watch it in a browser

    The library, where films and streams are kept, is $MATINEE_LIBRARY, else
    ~/.local/share/matinee; --library names another: a folder, or a bucket.
    """  # noqa: D301  # the backspace is click's mark for text to leave as it is


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(FEW_CYCLES)
    end(run())


def run() -> int:
    """Run the command line; gives its exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = interrupted()
    except click.ClickException as error:
        error.show()
        code = 2
    except MatineeError as error:
        tell_error(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = interrupted()
    except SystemExit as asked:
        code = asked.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:  # noqa: BLE001  # a defect: told in one line, kept in a file
        code = tell_defect(error)
    return code if isinstance(code, int) else 0


def end(code: int) -> None:
    """Leave at once, with all output written.

    The object store's own threads may still be running when the interpreter is taken apart, and
    then the process aborts now and then (seen in 9 of 40 runs). Everything of ours is closed here.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def tell_error(error: MatineeError, film: Path | None = None) -> None:
    """One line, and one with what to do; ``film`` is named where the message does not."""
    message = str(error)
    if film is not None and film.name:
        named = message.replace(film.name, printable(film.name))
        message = named if film.name in message else f"{printable(film.name)}: {message}"
    click.echo(f"matinee: {one_line(message)} [{error.code}]", err=True)
    if error.hint:
        click.echo(f"  {one_line(error.hint)}", err=True)


def one_line(text: str) -> str:
    """Several lines of a message as one; of a very long one, begin and end."""
    shown = printable("; ".join(line.strip() for line in text.splitlines() if line.strip()))
    if len(shown) <= LONGEST_LINE:
        return shown
    half = LONGEST_LINE // 2
    return f"{shown[:half]} ... {shown[-half:]}"


def printable(text: str) -> str:
    """Text in which what a terminal cannot show is spelled out, such as the end of a line.

    Names of files, titles of tracks and the last words of tools come from outside: none may move
    the cursor.
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def interrupted() -> int:
    """What is said after Ctrl-C."""
    click.echo("matinee: interrupted; the same command goes on where this one stopped", err=True)
    return 130


def tell_defect(error: Exception) -> int:
    """A defect of ours: no traceback on the screen, but one in a file."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="matinee-defect-", suffix=".txt", delete=False
    ) as file:
        traceback.print_exception(error, file=file)
    click.echo(
        f"matinee: {one_line(f'a defect in Matinee: {type(error).__name__}: {error}')} [internal]",
        err=True,
    )
    click.echo(f"  please report it with the file {Path(file.name)}", err=True)
    return 1


def error_json(error: MatineeError) -> dict[str, str]:
    """The form of an error in ``--json``."""
    return {"code": error.code, "message": str(error), "hint": error.hint}


def print_json(value: Any) -> None:
    """One JSON value on one line of standard output, at once, whatever the terminal's encoding.

    A byte of a file's name that is no UTF-8 is escaped as a lone surrogate, as Python reads names:
    ``os.fsencode`` gives the byte back.
    """
    text = json.dumps(value, ensure_ascii=False)
    escaped = "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)
    click.echo(escaped.encode())
    sys.stdout.flush()
