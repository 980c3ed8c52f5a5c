"""How fast the coach desk answers with very many cases, over HTTP, on SQLite and on PostgreSQL.

    python -m bench.desk [--cases 100000] [--events 1000000] [--requests 200] [--write docs/performance.md]

Makes a database with so many cases (a fifth of them open, over 12 weeks, in several organisations and two regions) and
events, serves the desk on loopback and asks for its pages one after another, as people who are signed in. The coach of
the region sees seven cases in ten, which is more than a coach would in practice. PostgreSQL is a throw-away cluster in
a temporary folder, made with the programs in `--postgres-bin`; without them, or without psycopg, it is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import platform
import pwd
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import Connection, Table, insert, text

from bench.turns import free_port
from bot.console.desk import make_desk
from bot.console.secrets import hash_token
from bot.console.site import add_desk
from bot.conversation.hand_off import ToCoach
from bot.conversation.live import Live
from bot.conversation.outbox import Outbox
from bot.escalation.cases import DUE, OUTCOMES
from bot.escalation.flow import Availability
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.resources import RESOURCES
from bot.settings import Settings, load_settings
from bot.storage.accounts import Accounts, NewAccount, NewSession
from bot.storage.database import Database, open_database
from bot.storage.live_log import LiveLog
from bot.storage.message_log import MessageLog
from bot.storage.migrate import migrate
from bot.storage.tables import case_events, cases, conversations, messages
from bot.support.help_lines import Regions, load_help_lines

WEEKS = 12
OPEN = 0.2  # share of the cases
MESSAGES = 6  # in the conversation of each open case
BATCH = 5000  # rows inserted at once
WARM_UP = 5
#: How large each organisation and each region is beside the others.
ORGANISATIONS = {"noord": 40, "oost": 25, "zuid": 20, "west": 10, "midden": 5}
REGIONS = {"vlaanderen": 70, "nederland": 30}
URGENCIES = {"now": 5, "48h": 75, "week": 20}
STATES = {"new": 30, "claimed": 30, "contacted": 38, "live": 2}
NAMES = ("Robin", "Sam", "Noor", "Kim", "Charlie", "Alex", "Dominique", "Jo")
KINDS = ("note", "call", "contact", "follow_up", "hand_over", "release", "claim")
ITEMS = ("hyperalert", "sleep", "pressure", "fatigue", "alone", "guidance")

Row = dict[str, Any]


# --- many cases ---


async def fill(database: Database, coaches: list[str], count: int, events: int) -> list[str]:
    """Insert everything; the ids of cases that can be looked at."""
    chance, now = random.Random(1), datetime.now(UTC)  # noqa: S311 - no secret
    await migrate(database)
    made = [a_case(number, coaches, chance, now) for number in range(count)]
    still_open = [row for row in made if row["state"] != "closed"]
    await put(database, conversations, (a_conversation(row) for row in still_open))
    await put(database, cases, made)
    await put(database, messages, (m for row in still_open for m in said(row)))
    await put(database, case_events, happened(made, coaches, events, chance))
    if not database.is_sqlite:  # what the server's autovacuum does by itself after a while
        await database.read(lambda db: outside(db).execute(text("VACUUM ANALYZE")))
    return [row["id"] for row in still_open if row["region"] == "vlaanderen"]


def outside(db: Connection) -> Connection:
    """The connection, outside a transaction."""
    return db.execution_options(isolation_level="AUTOCOMMIT")


async def put(database: Database, table: Table, rows: Any) -> None:
    batch: list[Row] = []

    async def flush() -> None:
        if batch:
            await database.write(lambda db: db.execute(insert(table), batch).rowcount)

    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            await flush()
            batch = []
    await flush()


def pick(shares: dict[str, int], chance: random.Random) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]


def a_case(number: int, coaches: list[str], chance: random.Random, now: datetime) -> Row:
    is_open = chance.random() < OPEN
    opened_at = now - timedelta(weeks=WEEKS) * chance.random()
    urgency = pick(URGENCIES, chance)
    state = pick(STATES, chance) if is_open else "closed"
    reached = None if state in ("new", "claimed") else opened_at + timedelta(hours=chance.expovariate(1 / 20))
    closed_at = None if is_open else (reached or opened_at) + timedelta(days=chance.random() * 10)
    way = chance.choice(("phone", "mail", "chat"))
    contact = (
        {"way": way}
        if way == "chat"
        else {"way": way, "name": chance.choice(NAMES), "mail": "an@example.org"}
    )
    return {
        "id": uuid.UUID(int=chance.getrandbits(128)).hex,
        "number": 1001 + number,
        "conversation_id": f"conversation{number}" if is_open else None,
        "organisation": pick(ORGANISATIONS, chance),
        "region": pick(REGIONS, chance),
        "origin": "triage",
        "state": state,
        "urgency": urgency,
        "opened_at": opened_at,
        "due_at": opened_at + DUE[urgency],  # type: ignore[index]
        "owner_id": None if state == "new" else chance.choice(coaches),
        "claimed_at": None if state == "new" else opened_at + timedelta(hours=1),
        "contacted_at": reached,
        "closed_at": closed_at,
        "outcome": None if is_open else chance.choice(OUTCOMES),
        "contact": contact,
        "scores": scores(opened_at, chance) if chance.random() < 0.6 else None,
        "words": "Ik slaap slecht sinds de nachten. Ik weet niet hoe lang ik dit nog volhoud. " * 2,
        "reasons": ["Slaap, druk en vermoeidheid liggen alle drie hoog."],
    }


def scores(at: datetime, chance: random.Random) -> Row:
    items = [
        {
            "item": item,
            "label": item,
            "value": chance.randrange(11),
            "min": 0,
            "max": 10,
            "concern": "high",
            "band": "high",
            "norm": {"mean": 5.0, "sd": 2.5},
            "previous": chance.randrange(11),
        }
        for item in ITEMS
    ]
    earlier = {
        "at": (at - timedelta(days=30)).isoformat(),
        "values": {item: chance.randrange(11) for item in ITEMS},
    }
    return {
        "instrument": "check_in",
        "at": at.isoformat(),
        "norm_label": "alle deelnemers",
        "items": items,
        "earlier": [earlier],
    }


def a_conversation(case: Row) -> Row:
    owner = {"new": "queue", "claimed": "queue", "live": "coach"}.get(case["state"], "bot")
    return {
        "id": case["conversation_id"],
        "channel": "web",
        "created_at": case["opened_at"],
        "last_seen_at": case["opened_at"],
        "next_seq": MESSAGES + 1,
        "owner": owner,
    }


def said(case: Row) -> Iterator[Row]:
    for seq in range(1, MESSAGES + 1):
        coach = seq % 2 == 0
        yield {
            "conversation_id": case["conversation_id"],
            "seq": seq,
            "role": "coach" if coach else "user",
            "body": [{"type": "text", "text": "Dat klinkt zwaar. Wat heb je nu het meest nodig?"}],
            "author": "An, coach" if coach else None,
            "case_id": case["id"],
            "state": "done",
            "created_at": case["opened_at"] + timedelta(minutes=seq),
        }


def happened(made: list[Row], coaches: list[str], count: int, chance: random.Random) -> Iterator[Row]:
    """Events in the order of time, so that those of one case lie far apart, as they would."""
    moments = [(row["opened_at"], row["id"], "opened") for row in made]
    while len(moments) < count:
        row = chance.choice(made)
        at = row["opened_at"] + timedelta(days=chance.random() * 10)
        moments.append((at, row["id"], chance.choice(KINDS)))
    moments.sort()
    for at, case_id, kind in moments:
        data = {"text": "Belde, nam niet op.", "result": "no_answer", "to_name": "An"}
        actor = "person" if kind == "opened" else chance.choice(coaches)
        yield {
            "case_id": case_id,
            "at": at,
            "actor": actor,
            "kind": kind,
            "data": data if kind != "opened" else {},
        }


# --- the desk, and who looks at it ---


@asynccontextmanager
async def served(database: Database, settings: Settings) -> AsyncIterator[str]:
    """The desk on loopback; its address."""

    def clock() -> datetime:
        return datetime.now(UTC)

    regions = Regions(load_help_lines(RESOURCES / "help_lines"), "vlaanderen")
    texts = shipped_hand_off_texts()
    to_coach = ToCoach(texts, regions, "noord", lambda _now: Availability(None))
    live = Live(LiveLog(database), Outbox(MessageLog(database), clock), to_coach, texts, clock)
    app = web.Application()
    add_desk(app).set_result(make_desk(settings, database, clock, live=live))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/desk"
    await runner.cleanup()


async def people(database: Database) -> tuple[dict[str, str], list[str]]:
    """The tokens of one of each kind who is signed in, by name, and the ids of the coaches."""
    accounts, now, tokens, ids = Accounts(database), datetime.now(UTC), {}, []
    kinds = {
        "region": ("coach", None, "vlaanderen"),
        "organisation": ("coach", "oost", None),
        "administrator": ("administrator", None, None),
        **{f"coach{n}": ("coach", None, "vlaanderen") for n in range(40)},
    }
    for name, (role, organisation, region) in kinds.items():
        new = NewAccount(f"{name}@example.org", name, role, organisation, region, "-")  # type: ignore[arg-type]
        account = await accounts.add(new, now)
        tokens[name] = secrets.token_urlsafe(16)
        half, whole = (NewSession(hash_token(t), "-") for t in (f"half {name}", tokens[name]))
        await accounts.open_half_way(account, half, now, None)
        code = {"secret": "A" * 32, "step": 1, "recovery_hashes": ["x"]}
        assert await accounts.enrol(account, session=half.token_hash, new=whole, at=now, **code)  # type: ignore[arg-type]
        if role == "coach":
            ids.append(account)
    return tokens, ids


@dataclasses.dataclass
class Page:
    """A page to measure: who asks for it, and the address of the n-th request. `aimed`: it should take < 150 ms."""

    name: str
    who: str
    address: Callable[[int], str]
    aimed: bool = False
    times: list[float] = dataclasses.field(default_factory=list)

    def percentile(self, share: int) -> float:
        """Milliseconds that `share` per cent of the requests stayed under."""
        return statistics.quantiles(self.times, n=100)[share - 1] * 1000


def pages(shown: list[str]) -> list[Page]:
    """Everything that is measured; `shown`: ids of cases."""
    return [
        Page("queue, coach of a region", "region", lambda _: "/", aimed=True),
        Page("queue, coach of an organisation", "organisation", lambda _: "/", aimed=True),
        Page("queue, its 20 first pages", "region", lambda n: f"/?page={n % 20 + 1}"),
        Page("queue, with closed cases", "region", lambda _: "/?closed=1"),
        Page("queue, search for a name", "region", lambda n: f"/?text={NAMES[n % len(NAMES)]}"),
        Page("rows fragment", "region", lambda _: "/rows"),
        Page("case", "region", lambda n: f"/cases/{shown[n % len(shown)]}", aimed=True),
        Page("figures, coach of a region", "region", lambda _: "/figures"),
        Page("figures, all cases", "administrator", lambda _: "/figures"),
    ]


async def measure(database: Database, settings: Settings, options: argparse.Namespace) -> list[Page]:
    began = time.perf_counter()
    await migrate(database)
    tokens, coaches = await people(database)
    shown = await fill(database, coaches, options.cases, options.events)
    random.Random(2).shuffle(shown)  # noqa: S311 - no secret
    print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    found = pages(shown)
    async with served(database, settings) as url, aiohttp.ClientSession() as http:
        for page in found:
            headers = {"Cookie": f"desk={tokens[page.who]}"}
            for number in range(-WARM_UP, options.requests):
                began = time.perf_counter()
                async with http.get(
                    url + page.address(number), headers=headers, allow_redirects=False
                ) as answer:
                    body = await answer.text()
                assert answer.status == 200, f"{page.name}: {answer.status} {body[-500:]}"
                if number >= 0:
                    page.times.append(time.perf_counter() - began)
            print(f"{page.name}: p95 {page.percentile(95):.0f} ms", file=sys.stderr, flush=True)
    return found


# --- PostgreSQL for as long as it is measured ---


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """A throw-away cluster on loopback; the address of its database."""
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    port, password = free_port(), secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as place:
        folder, key = Path(place) / "data", Path(place) / "key"
        key.write_text(password)
        folder.mkdir()
        owner = pwd.getpwnam(user)
        for path in (Path(place), folder, key):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        quiet: Row = {"stdout": subprocess.DEVNULL, "user": user if os.geteuid() == 0 else None, "cwd": place}
        made_with: list[str | Path] = [
            "-D",
            folder,
            "-U",
            "bench",
            "-A",
            "scram-sha-256",
            "--pwfile",
            key,
            "-E",
            "UTF8",
        ]
        subprocess.run([programs / "initdb", *made_with, "--locale=C.UTF-8"], check=True, **quiet)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={place}"
        control: list[str | Path] = [programs / "pg_ctl", "-D", folder, "-w", "-l", Path(place) / "log"]
        subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
        try:
            yield f"postgresql+psycopg://bench:{password}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "fast", "stop"], check=True, **quiet)


def version(programs: Path) -> str:
    """Such as '15.18'."""
    said = subprocess.run(
        [programs / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    return said.split()[2]


# --- the table ---


def report(measured: dict[str, list[Page]], options: argparse.Namespace) -> str:
    heads = [f"{name} p50 ms | {name} p95 ms" for name in measured]
    lines = [f"| page | {' | '.join(heads)} |", "|---|" + "---|---|" * len(measured)]
    for place, page in enumerate(next(iter(measured.values()))):
        figures = [
            f"{found[place].percentile(share):.0f}" for found in measured.values() for share in (50, 95)
        ]
        lines.append(f"| {page.name}{' *' if page.aimed else ''} | {' | '.join(figures)} |")
    lines += [
        "",
        "\\* aim: p95 below 150 ms.",
        f"{options.cases:,} cases of which a fifth is open, {options.events:,} events, {options.requests} requests of "
        f"each page one after another, {os.cpu_count()} cores, Python {platform.python_version()}, everything on the "
        "same machine.",
    ]
    return "\n".join(lines) + "\n"


async def on(address: str, options: argparse.Namespace) -> list[Page]:
    with tempfile.TemporaryDirectory() as state:
        settings = dataclasses.replace(load_settings()[0], state_dir=Path(state))
        database = open_database(address)
        try:
            return await measure(database, settings, options)
        finally:
            await database.close()


def run(options: argparse.Namespace) -> str:
    measured: dict[str, list[Page]] = {}
    if "sqlite" in options.on:
        with tempfile.TemporaryDirectory() as folder:
            measured["SQLite"] = asyncio.run(on(f"sqlite:///{folder}/desk.db", options))
    programs = options.postgres_bin
    if "postgres" in options.on and find_spec("psycopg") and (programs / "initdb").exists():
        with cluster(programs) as address:
            measured[f"PostgreSQL {version(programs)}"] = asyncio.run(on(address, options))
    elif "postgres" in options.on:
        print("PostgreSQL is left out: psycopg or the programs are not there", file=sys.stderr)
    return report(measured, options)


MARKS = ("<!-- desk: written by `python -m bench.desk --write` -->", "<!-- end of desk -->")


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast the coach desk answers with very many cases.")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200, help="of each page")
    parser.add_argument("--on", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--postgres-bin", type=Path, default=Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument("--write", type=Path, help="page in which the figures are put between their marks")
    options = parser.parse_args()
    figures = run(options)
    print(figures)
    if options.write:
        page = options.write.read_text()
        before, rest = page.split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        options.write.write_text(f"{before}{MARKS[0]}\n{figures}{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
