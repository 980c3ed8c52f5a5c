"""Storage room: accounts of the desk, their sessions, and the audit log that tells of both."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.cli import main
from bot.escalation.audit import first_fault
from bot.settings import Settings
from bot.storage import audit_log
from bot.storage.accounts import Accounts, EmailTakenError, NewAccount, NewSession
from bot.storage.database import Database

T0 = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
AN = NewAccount("an@example.org", "An Voorbeeld", "coach", "zorgpunt", None, "hash")
SECRET, HASHES = "A" * 32, ["r1", "r2"]


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


def session(name: str) -> NewSession:
    return NewSession(name, f"csrf of {name}")


async def half_way(accounts: Accounts, account_id: str, name: str, at: datetime = T0) -> str:
    await accounts.open_half_way(account_id, session(name), at, None)
    return name


async def enrolled(accounts: Accounts, account: NewAccount = AN) -> str:
    account_id = await accounts.add(account, T0)
    await half_way(accounts, account_id, f"{account_id} half")
    assert await accounts.enrol(
        account_id,
        secret=SECRET,
        step=100,
        recovery_hashes=HASHES,
        session=f"{account_id} half",
        new=session(f"{account_id} first"),
        at=T0,
    )
    return account_id


async def actions(accounts: Accounts) -> list[str]:
    return [entry.action for entry in await audit_log.entries(accounts.database)]


async def test_an_address_has_one_account(accounts: Accounts) -> None:
    account_id = await accounts.add(AN, T0)
    with pytest.raises(EmailTakenError):
        await accounts.add(dataclasses.replace(AN, name="Iemand anders"), T0)
    found = await accounts.by_email("an@example.org")
    assert found is not None
    assert (found.id, found.presence, found.demo) == (account_id, "away", False)
    assert await accounts.by_email("nobody@example.org") is None


async def test_what_is_printed_of_an_account_holds_no_hash(accounts: Accounts) -> None:
    found = await accounts.by_id(await enrolled(accounts))
    assert not any(secret in repr(found) for secret in ("hash", SECRET, "r1"))


async def test_attempts_at_the_same_moment_are_all_counted(accounts: Accounts) -> None:
    account_id = await accounts.add(AN, T0)
    numbers = await asyncio.gather(*(accounts.begin_attempt(account_id, T0) for _ in range(12)))
    assert sorted(numbers) == [0] * 7 + [1, 2, 3, 4, 5]


async def test_a_lock_ends_after_a_quarter_of_an_hour_and_counting_starts_anew(accounts: Accounts) -> None:
    account_id = await accounts.add(AN, T0)
    for _ in range(5):
        await accounts.begin_attempt(account_id, T0)
    assert await accounts.begin_attempt(account_id, T0 + timedelta(minutes=14, seconds=59)) == 0
    later = T0 + timedelta(minutes=15)
    assert [await accounts.begin_attempt(account_id, later) for _ in range(2)] == [1, 2]


async def test_a_right_password_does_not_wipe_out_wrong_codes(accounts: Accounts) -> None:
    account_id = await accounts.add(AN, T0)
    for _ in range(4):
        await accounts.begin_attempt(account_id, T0)  # four wrong ones
    assert await accounts.begin_attempt(account_id, T0) == 5
    await accounts.attempt_right(account_id)
    assert await accounts.begin_attempt(account_id, T0) == 5
    assert await accounts.begin_attempt(account_id, T0) == 0


async def test_an_attempt_on_nobody_counts_nowhere(accounts: Accounts) -> None:
    await accounts.add(AN, T0)
    assert await accounts.begin_attempt(None, T0) == 0
    found = await accounts.by_email(AN.email)
    assert found is not None
    assert found.locked_until is None


async def test_a_half_way_session_ends_when_it_becomes_a_whole_one(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    assert (await accounts.look_up(f"{account_id} half")).session is None
    found = await accounts.look_up(f"{account_id} first")
    assert found.session is not None
    assert (found.session.passed_at, found.session.csrf) == (T0, f"csrf of {account_id} first")


async def test_a_code_does_not_count_twice_nor_an_older_one_after_it(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    tried = [(100, False), (99, False), (101, True), (101, False), (100, False)]
    for number, (step, passes) in enumerate(tried):
        half = await half_way(accounts, account_id, f"half {number}")
        new = session(f"new {number}")
        assert await accounts.pass_code(account_id, step, half, new, T0) is passes
        assert ((await accounts.look_up(new.token_hash)).session is not None) is passes


async def test_of_two_at_once_with_the_same_code_one_gets_in(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    halves = [await half_way(accounts, account_id, f"half {number}") for number in range(6)]
    passed = await asyncio.gather(
        *(accounts.pass_code(account_id, 200, half, session(f"new {half}"), T0) for half in halves)
    )
    assert sorted(passed) == [False] * 5 + [True]


async def test_a_half_way_session_lets_in_once(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    half = await half_way(accounts, account_id, "half")
    assert await accounts.pass_code(account_id, 200, half, session("one"), T0)
    assert not await accounts.pass_code(account_id, 201, half, session("two"), T0)
    other = await half_way(accounts, account_id, "other")
    assert await accounts.pass_code(account_id, 201, other, session("three"), T0)  # 201 was not used up


async def test_a_recovery_code_works_once(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    tried = [("r1", True), ("r1", False), ("r3", False), ("r2", True)]
    for number, (code, passes) in enumerate(tried):
        half = await half_way(accounts, account_id, f"half {number}")
        new = session(f"new {number}")
        assert await accounts.pass_recovery(account_id, code, half, new, T0) is passes
    assert (await actions(accounts)).count("account.recovery_used") == 2


async def test_a_second_factor_cannot_be_replaced_by_setting_it_up_again(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    half = await half_way(accounts, account_id, "half")
    options = {"secret": "B" * 32, "step": 300, "recovery_hashes": []}
    assert not await accounts.enrol(account_id, session=half, new=session("new"), at=T0, **options)
    found = await accounts.by_id(account_id)
    assert found is not None
    assert (found.totp_secret, found.recovery_hashes) == (SECRET, HASHES)
    assert (await actions(accounts)).count("account.enrolled") == 1


async def test_a_log_in_ends_the_session_that_the_browser_had(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    await accounts.open_half_way(account_id, session("new"), T0, f"{account_id} first")
    assert (await accounts.look_up(f"{account_id} first")).session is None


async def test_a_disabled_account_has_no_session_and_gets_none(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    half = await half_way(accounts, account_id, "half")
    await accounts.disable(account_id, "boss", T0)
    for token in (f"{account_id} first", half):
        assert (await accounts.look_up(token)).account is None
    assert not await accounts.pass_code(account_id, 300, half, session("new"), T0)
    assert await accounts.sessions(account_id) == []
    await accounts.enable(account_id, "boss", T0)
    assert (await accounts.look_up(f"{account_id} first")).session is None  # what was ended stays ended


async def test_a_reset_takes_password_second_factor_and_sessions(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    await accounts.reset(account_id, "new hash", T0)
    found = await accounts.by_id(account_id)
    assert found is not None
    assert (found.password_hash, found.totp_secret, found.recovery_hashes) == ("new hash", None, [])
    assert await accounts.sessions(account_id) == []


async def test_ending_the_others_keeps_this_session_and_those_of_others(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    other = await enrolled(accounts, dataclasses.replace(AN, email="bo@example.org"))
    half = await half_way(accounts, account_id, "half")
    assert await accounts.pass_code(account_id, 200, half, session("second"), T0)
    assert await accounts.end_sessions(account_id, account_id, T0, keep="second") == 1
    assert [found.token_hash for found in await accounts.sessions(account_id)] == ["second"]
    assert len(await accounts.sessions(other)) == 1


async def test_sessions_of_long_ago_are_deleted_at_the_next_log_in(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    await half_way(accounts, account_id, "late", T0 + timedelta(days=8))
    count = text("SELECT count(*) FROM desk_sessions")
    assert await accounts.database.read(lambda db: db.execute(count).scalar_one()) == 1


async def test_who_logs_out_is_away(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    await accounts.set_presence(account_id, "available", T0)
    await accounts.log_out(f"{account_id} first", account_id, T0)
    found = await accounts.by_id(account_id)
    assert found is not None
    assert found.presence == "away"


async def test_it_shows_whether_any_demo_account_is_there(accounts: Accounts) -> None:
    assert not (await accounts.look_up(None)).demo_exists
    account_id = await accounts.add(dataclasses.replace(AN, demo=True), T0)
    assert (await accounts.look_up(None)).demo_exists
    await accounts.disable(account_id, "boss", T0)
    assert not (await accounts.look_up("unknown")).demo_exists


async def test_every_change_of_an_account_is_in_the_audit_log_with_who_did_it(accounts: Accounts) -> None:
    account_id = await enrolled(accounts)
    await accounts.attempt_failed(account_id, 5, T0)
    await accounts.attempt_failed(None, 0, T0)
    await accounts.set_presence(account_id, "busy", T0)
    await accounts.set_recovery_codes(account_id, [], T0)
    await accounts.change_password(account_id, "x", session("x"), T0)
    await accounts.log_out("x", account_id, T0)
    await accounts.end_sessions(account_id, "boss", T0)
    await accounts.disable(account_id, "boss", T0)
    await accounts.enable(account_id, "boss", T0)
    await accounts.reset(account_id, "x", T0)
    found = await audit_log.entries(accounts.database)
    told = [(entry.action.removeprefix("account."), entry.actor, entry.subject) for entry in found]
    assert told == [
        ("added", "system", account_id),
        ("enrolled", account_id, account_id),
        ("login", account_id, account_id),
        ("failed", "system", account_id),
        ("locked", "system", account_id),
        ("failed", "system", "unknown"),
        ("presence", account_id, account_id),
        ("recovery_codes", account_id, account_id),
        ("password", account_id, account_id),
        ("logout", account_id, account_id),
        ("sessions_ended", "boss", account_id),
        ("disabled", "boss", account_id),
        ("enabled", "boss", account_id),
        ("reset", "system", account_id),
    ]


async def test_a_change_that_fails_leaves_nothing_in_the_audit_log(accounts: Accounts) -> None:
    with pytest.raises(LookupError):
        await accounts.disable("nobody", "boss", T0)
    assert await actions(accounts) == []


# --- the chain of the audit log ---

CHANGED = "UPDATE audit_log SET subject = 'someone else' WHERE seq = 2"
DELETED = "DELETE FROM audit_log WHERE seq = 2"
INSERTED = (
    "INSERT INTO audit_log (seq, at, actor, action, subject, hash) "
    "SELECT 5, at, actor, action, subject, hash FROM audit_log WHERE seq = 4"
)


@pytest.mark.parametrize(("tampering", "row"), [(CHANGED, 2), (DELETED, 2), (INSERTED, 5)])
async def test_a_row_that_was_changed_deleted_or_put_in_is_noticed(
    accounts: Accounts, tampering: str, row: int
) -> None:
    account_id = await accounts.add(AN, T0)
    for presence in ("available", "busy", "away"):
        await accounts.set_presence(account_id, presence, T0)
    fault = await accounts.database.read(lambda db: first_fault(audit_log.read_all(db)))
    assert fault is None
    await accounts.database.write(lambda db: db.execute(text(tampering)))
    assert await accounts.database.read(lambda db: first_fault(audit_log.read_all(db))) == row


# --- the command line ---


@pytest.fixture
def bot(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a command with a line of standard input: exit code and what was printed."""
    monkeypatch.setenv("ADEMRUIMTE_DATABASE_URL", settings.database_url)

    def run(*arguments: str, stdin: str = "", **environ: str) -> tuple[int, str]:
        import io  # noqa: PLC0415 - only here

        with monkeypatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(stdin))
            for name, value in environ.items():
                patch.setenv(name, value)
            code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


ADD = ("users", "add", "--email", "An@Example.org", "--name", "An Voorbeeld", "--password-stdin")
COACH = (*ADD, "--role", "coach", "--organisation", "zorgpunt")
GOOD = "vier gewone woorden\n"


def test_an_account_is_made_listed_disabled_and_reset_on_the_command_line(bot) -> None:
    code, printed = bot(*COACH, stdin=GOOD)
    assert (code, printed.startswith("an@example.org can sign in")) == (0, True)
    assert bot(*COACH, stdin=GOOD)[0] == 1
    assert "an@example.org  An Voorbeeld  coach  zorgpunt  no second factor yet" in bot("users", "list")[1]
    assert bot("users", "disable", "an@example.org")[0] == 0
    assert "disabled" in bot("users", "list")[1]
    code, printed = bot("users", "reset", "an@example.org", "--password-stdin", stdin=GOOD)
    assert (code, "still disabled" in printed) == (0, True)
    assert bot("users", "enable", "an@example.org")[0] == 0
    assert "no second factor yet" in bot("users", "list")[1]
    assert bot("users", "disable", "nobody@example.org")[0] == 1
    assert bot("audit", "verify") == (0, "Every row of the audit log follows from the one before.\n")


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (COACH, "te kort\n"),
        (COACH, ""),
        ((*ADD, "--role", "coach"), GOOD),
        ((*ADD, "--role", "lead_coach"), GOOD),
        ((*COACH, "--email", "geen adres"), GOOD),
        ((*COACH, "--organisation", "met spaties erin"), GOOD),
        ((*COACH, "--name", " "), GOOD),
    ],
)
def test_an_account_that_cannot_be_used_is_refused_in_one_sentence(bot, arguments: tuple, stdin: str) -> None:
    code, printed = bot(*arguments, stdin=stdin)
    assert code == 1
    assert len(printed.splitlines()) == 1
    assert bot("users", "list") == (0, "")


def test_a_demo_account_is_refused_outside_demo_mode(bot) -> None:
    code, printed = bot(*COACH, "--demo", stdin=GOOD)
    assert (code, "ADEMRUIMTE_DEMO" in printed) == (1, True)
    assert bot(*COACH, "--demo", stdin=GOOD, ADEMRUIMTE_DEMO="on")[0] == 0
    assert bot("users", "list")[1].endswith(", demo\n")


async def test_a_wrong_row_of_the_audit_log_is_named_on_the_command_line(
    settings: Settings, bot, database: Database
) -> None:
    await Accounts(database).add(AN, T0)
    await database.write(lambda db: db.execute(text("UPDATE audit_log SET actor = 'x'")))
    address = f"sqlite:///{settings.state_dir.parent / 'test.db'}"
    code, printed = await asyncio.to_thread(bot, "audit", "verify", ADEMRUIMTE_DATABASE_URL=address)
    assert (code, "row 1 " in printed) == (1, True)
