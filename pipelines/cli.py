"""The command line: `gatling-beam <command>`."""

import logging
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import gatling_beam
from gatling_beam.pipelines.options import UserError

#: Every command, what it is for; the module of the same name in this package has `command(argv, prog) -> int`.
COMMANDS = {
    "tier1": "read data sets and write their plans, validated and without duplicates",
    "tier2": "make proved attacks and their benign twins from benign rows, in exact numbers",
    "tier3": "make pairs of rows on both sides of a policy limit from benign rows, in exact numbers",
    "contrast": "make contrast sets of the rows of tier2 or tier3: a small matrix for each family",
    "audit": "measure what rows give away to blind probes, against ceilings",
    "gold": "generate gold traces: requests, policies, warrants and the plans that serve them",
    "domains": "list, check and show the domains of gold traces",
    "sources": "list the data sets of the catalogue",
    "inspect": "show rows or dead letters of a file or an output directory",
    "validate": "check an output directory against its manifest and ledger",
}
PROG = "gatling-beam"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit code: 0, 1 for a failure that the user can mend, 2 for a wrong flag.

    Anything else is a bug and shows its stack trace.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    name = args[0] if args and args[0] in COMMANDS else ""
    _set_up_logging()
    try:
        if not name:
            return _top_level(args)
        # A command imports what it needs and no more: Beam takes seconds.
        return int(import_module(f"gatling_beam.pipelines.{name}").command(args[1:], f"{PROG} {name}"))
    except UserError as e:
        print(f"{PROG} {name}".rstrip() + f": {e}", file=sys.stderr)
        return e.exit_code
    except BrokenPipeError:
        # The reader of our output has closed it (`| head`); the interpreter's last flush must not fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"{PROG}: interrupted; nothing was committed", file=sys.stderr)
        return 130


def _set_up_logging() -> None:
    """Warnings go to stderr, except those that are not for users of a command."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_for_users)
    # What the in-process runner logs here is raised as well, and shown by us or by Python.
    logging.getLogger("apache_beam.runners").setLevel(logging.CRITICAL)
    # It tells every try; what comes of them is told by us.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def _is_for_users(record: logging.LogRecord) -> bool:
    """Beam's warnings are for authors of pipelines."""
    return record.levelno >= logging.ERROR or "apache_beam" not in record.pathname


def _top_level(args: list[str]) -> int:
    listed = "\n".join(f"  {name:10} {what}" for name, what in COMMANDS.items())
    parser = ArgumentParser(
        prog=PROG,
        description="Training data for models that judge an agent's plan before it runs.",
        epilog=f"commands:\n{listed}\n\n`{PROG} <command> --help` lists a command's flags.",
        formatter_class=RawDescriptionHelpFormatter,
        usage=f"{PROG} <command> [flags]",
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {gatling_beam.__version__}")
    if args and not args[0].startswith("-"):
        close = get_close_matches(args[0], COMMANDS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"commands: {', '.join(COMMANDS)}"
        print(f"{PROG}: {args[0]!r} is no command; {hint}", file=sys.stderr)
        return 2
    parser.parse_args(args)
    parser.print_help(sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
