"""The command line `bot`: run, train, doctor, parse, screen, guard, fhir, docs, settings, users, audit, choices.

Edge room: reads arguments, calls the rooms, prints. Commands import what they need when they run, so that
`bot screen` starts without the web and Rasa libraries. Errors are one plain sentence, never a stack trace.
"""

# ruff: noqa: PLC0415 - see above: each command imports its own

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.choices import add_commands as add_choices
from bot.users import add_commands

if TYPE_CHECKING:
    from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 well, 1 failed, 2 wrong call)."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader closed early (`bot parse … | head`); pointing stdout away keeps the exit silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bot", description="Ademruimte from the command line.")
    commands = parser.add_subparsers(required=True, metavar="command")

    run = commands.add_parser("run", help="start the app and the engine")
    run.add_argument("--host", help="address to listen on (default: ADEMRUIMTE_HOST)")
    run.add_argument("--port", help="port to listen on (default: ADEMRUIMTE_PORT)")
    run.set_defaults(command=_run)

    train = commands.add_parser("train", help="train the guard and the Rasa model")
    train.add_argument("--if-changed", action="store_true", help="only when the training content changed")
    train.add_argument("--only", choices=("guard", "engine"), help="only this one")
    train.set_defaults(command=_train)

    doctor = commands.add_parser("doctor", help="check resources, database, engine, ports and stale entries")
    doctor.set_defaults(command=_doctor)

    parse = commands.add_parser("parse", help="read intents with the trained model, without a server")
    parse.add_argument(
        "--jsonl", action="store_true", required=True, help='lines {"id","text"} on standard input'
    )
    parse.set_defaults(command=_parse)

    screen = commands.add_parser("screen", help="score filled-in instruments")
    screen.add_argument(
        "--jsonl", action="store_true", required=True, help='lines {"id","instrument","answers","profile"}'
    )
    screen.set_defaults(command=_screen)

    guard = commands.add_parser("guard", help="judge messages: is someone in danger?")
    guard.add_argument("text", nargs="?", help="one message")
    guard.add_argument("--jsonl", action="store_true", help='lines {"id","text"} on standard input')
    guard.set_defaults(command=_guard)

    fhir = commands.add_parser("fhir", help="questionnaires and answers as FHIR R4B")
    export = fhir.add_subparsers(required=True, metavar="what").add_parser(
        "export", help="write every questionnaire; with --answers also print responses"
    )
    export.add_argument("--out", type=Path, required=True, help="folder for Questionnaire-<id>.json")
    export.add_argument("--answers", help='file of lines {"id","instrument","answers","finished_at"}, or -')
    export.set_defaults(command=_fhir)

    docs = commands.add_parser("docs", help="write the generated pages in docs/ anew")
    docs.set_defaults(command=_docs)

    settings = commands.add_parser("settings", help="print the settings as a Markdown page")
    settings.set_defaults(command=_settings)

    add_commands(commands)
    add_choices(commands)
    return parser


def _run(options: argparse.Namespace) -> int:
    from bot.app import run
    from bot.settings import PREFIX, SettingsError, load_settings

    given = {PREFIX + name.upper(): getattr(options, name) for name in ("host", "port")}
    environ = {**os.environ, **{name: value for name, value in given.items() if value is not None}}
    try:
        settings, warnings = load_settings(environ)
    except SettingsError as error:
        return _fail(str(error))
    for warning in warnings:
        print(f"ademruimte: {warning}", file=sys.stderr)
    return run(settings, _announce)


def _announce(address: str) -> None:
    print(
        f"""
  Ademruimte is at {address}
  The engine loads in the background; what you type meanwhile is answered as soon as it is ready.

  Try:  open {address} in a browser and tap "Check-in (2 minuten)"
        or type: ik slaap slecht en ben moe · wie kan dit lezen? · een 7 of 8
  Stop with Ctrl-C.
""",
        flush=True,
    )


def _train(options: argparse.Namespace) -> int:
    settings = _load_settings()
    if options.only != "engine":
        from bot.resources import ResourceError
        from bot.safety.lesson import LessonError
        from bot.safety.training import make

        try:
            made = make(settings.guard_model, settings.engine_python, if_changed=options.if_changed)
            print(made, flush=True)
        except (ResourceError, LessonError) as error:
            return _fail(f"the guard cannot be trained:\n{error}")
    if options.only == "guard":
        return 0
    command = ["-m", "engine.train", "--out", str(settings.model)]
    return _engine(settings.engine_python, command + ["--if-changed"] * options.if_changed)


def _parse(_options: argparse.Namespace) -> int:
    settings = _load_settings()
    if not settings.model.exists():
        return _fail(f"There is no trained model at {settings.model}: run `bot train` first.")
    return _engine(settings.engine_python, ["-m", "engine.parse", "--model", str(settings.model)])


def _screen(_options: argparse.Namespace) -> int:
    from bot.screening.screen import run

    run(sys.stdin, sys.stdout)
    return 0


def _guard(options: argparse.Namespace) -> int:
    from bot.resources import ResourceError
    from bot.safety.guard import GuardModelError, load_guard
    from bot.safety.lines import run, shown

    if (options.text is None) is not options.jsonl:
        return _fail("Give one message, or --jsonl with lines on standard input.")
    try:
        guard = load_guard(_load_settings().guard_model)
    except (GuardModelError, ResourceError) as error:
        return _fail(str(error))
    if options.jsonl:
        run(guard, sys.stdin, sys.stdout)
    else:
        print(shown(guard.judge(options.text)))
    return 0


def _fhir(options: argparse.Namespace) -> int:
    from bot.screening.fhir import responses, write_questionnaires

    for path in write_questionnaires(options.out):
        print(f"ademruimte: wrote {path}", file=sys.stderr)
    if options.answers is not None:
        try:
            given = sys.stdin.read() if options.answers == "-" else Path(options.answers).read_text("utf-8")
        except (OSError, ValueError) as error:
            return _fail(f"The answers cannot be read: {error}")
        for response in responses(given.splitlines()):
            print(json.dumps(response, ensure_ascii=False, default=str))
    return 0


def _docs(_options: argparse.Namespace) -> int:
    from bot.drawings import write

    for path in write():
        print(f"ademruimte: wrote {path}")
    return 0


def _doctor(_options: argparse.Namespace) -> int:
    from bot.doctor import examine

    findings = examine(_load_settings())
    for finding in findings:
        print(f"{'ok   ' if finding.well else 'WRONG'} {finding.what}")
    wrong = sum(not finding.well for finding in findings)
    print(f"{len(findings) - wrong} well, {wrong} wrong")
    return 1 if wrong else 0


def _settings(_options: argparse.Namespace) -> int:
    from bot.settings import as_markdown

    print(
        "# Settings\n\nEvery setting is an environment variable. Written by `make docs` from bot/settings.py.\n"
    )
    print(as_markdown(), end="")
    return 0


def _engine(python: Path, command: list[str]) -> int:
    """Run a module of the engine's room in the engine's environment, with our standard streams."""
    if not python.exists():
        return _fail(f"The engine's Python is not at {python}: run `make run` or `make train` once.")
    return subprocess.run([str(python), *command], cwd=ROOT, check=False).returncode  # noqa: S603 - our own interpreter


def _load_settings() -> Settings:
    from bot.settings import SettingsError, load_settings

    try:
        return load_settings()[0]
    except SettingsError as error:
        raise SystemExit(_fail(str(error))) from None


def _fail(sentence: str) -> int:
    print(f"ademruimte: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
