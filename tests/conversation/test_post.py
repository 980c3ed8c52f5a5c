"""Conversation room: notifications reach a real mail server and webhook, at least once, and say nothing private."""

# ruff: noqa: ARG002 - handlers and senders have the arguments that their callers give

from __future__ import annotations

import asyncio
import email
import importlib.util
import json
import os
import random
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from typing import Any

import aiosmtpd
import pytest
import structlog
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from bot.conversation import post as module
from bot.conversation.post import (
    BATCH,
    FIRST_WAIT,
    LONGEST_WAIT,
    TRIES,
    Mail,
    NotSentError,
    Post,
    Sender,
    Webhook,
    channels,
    senders,
    waiting_time,
)
from bot.escalation.notices import CHANNELS, Channel, notices_for_opened
from bot.settings import Settings, SettingsError, as_markdown, load_settings
from bot.storage.database import Database
from bot.storage.notifications import LEASE, Notification, Notifications, enqueue, team_in
from tests.running import until
from tests.storage.test_notifications import a_notice, add_account, open_case, put

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
URL, SECRET, FROM = "https://ademruimte.example.be", "a secret for tests only", "desk@example.be"
PRIVATE = ("Voornaam", "0470", "persoonlijks", "slecht", "voorbeeld")
CERTIFICATE = Path(aiosmtpd.__file__).parent / "tests" / "certs" / "server.crt"


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


# --- a mail server ---


@dataclass
class MailServer:
    """What arrived; `refuse` is what it answers to a recipient, `refuse_data` to a whole message."""

    port: int = 0
    refuse: str | None = None
    refuse_data: str | None = None
    arrived: list[Message] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    passwords: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd looks it up by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append("MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.refuse_data:
            return self.refuse_data
        assert isinstance(envelope.content, bytes)
        self.arrived.append(email.message_from_bytes(envelope.content, policy=default))
        self.secured.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.passwords.append((data.login, data.password))
        return AuthResult(success=True)


@asynccontextmanager
async def mail_server(host: str = "127.0.0.1", **options: Any) -> AsyncIterator[MailServer]:
    found = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(found, hostname="localhost", **options), host, 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


# --- a webhook ---


@dataclass
class Receiver:
    """What was posted; `answer` decides the status."""

    url: str = ""
    answer: Callable[[web.Request], Awaitable[int]] | None = None
    statuses: list[int] = field(default_factory=list)
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.posted.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 204
        if self.answer is not None:
            status = await self.answer(request)
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    @property
    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for headers, _ in self.posted]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


# --- what sends ---


class World:
    """An outbox with a post; the clock stands still until it is moved."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.outbox = database, Clock(), Notifications(database)

    def post(self, **ways: Sender) -> Post:
        return Post(self.outbox, ways, self.clock, chance=lambda: 0.0)

    async def opened(self, *over: Channel) -> None:
        """A case with a coach to tell."""

        def work(db: Any) -> None:
            add_account(db, "coach", "coach", presence="available")
            case = open_case(db)
            enqueue(db, notices_for_opened(case, team_in(db, case, channels=over)), T0)

        await self.database.write(work)

    async def only(self) -> Notification:
        (found,) = await self.outbox.listing(None, 10)
        return found


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def mail(server: MailServer, host: str = "127.0.0.1", **more: Any) -> Mail:
    return Mail(f"smtp://{host}:{server.port}", FROM, URL, **more)


def webhook(receiver: Receiver) -> Webhook:
    return Webhook(receiver.url, SECRET, URL)


class Failing:
    """A way out that fails as it is told."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.tried = error, 0

    async def send(self, notification: Notification, at: datetime) -> None:
        self.tried += 1
        if self.error is not None:
            raise self.error


# --- e-mail ---


async def test_an_email_says_what_a_coach_needs_and_nothing_about_the_person(
    world: World, mails: MailServer
) -> None:
    await world.opened("mail")
    assert await world.post(mail=mail(mails)).round() == 1
    sent = await world.only()
    assert (sent.state, sent.sent_at) == ("sent", T0)
    (arrived,) = mails.arrived
    assert isinstance(arrived, EmailMessage)
    assert arrived["Message-ID"] == f"<{sent.id}@example.be>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert (arrived["To"], arrived["From"]) == ("coach@example.org", f"Ademruimte <{FROM}>")
    assert arrived["Subject"] == "Nieuw dossier 1001: binnen 48 uur"
    assert arrived.get_content_type() == "text/plain"
    text = arrived.get_content()
    assert "nog 48 uur" in text
    assert f"{URL}/desk/cases/" in text
    for word in PRIVATE:
        assert word not in arrived.as_string()


async def test_a_recipient_that_the_mail_server_refuses_for_good_is_given_up_at_once(
    world: World, mails: MailServer
) -> None:
    await world.opened("mail")
    mails.refuse = "550 no such user coach@example.org"
    await world.post(mail=mail(mails)).round()
    found = await world.only()
    assert (found.state, found.tries, found.error) == ("dead", 1, "De mailserver weigert dit adres (550).")


@pytest.mark.parametrize(
    ("refuse", "refuse_data", "error"),
    [
        ("451 later please", None, "De mailserver weigert dit adres (451)."),
        (None, "554 not now", "De mailserver weigert het bericht (554)."),
    ],
)
async def test_any_other_refusal_of_the_mail_server_is_tried_again(
    world: World, mails: MailServer, refuse: str | None, refuse_data: str | None, error: str
) -> None:
    await world.opened("mail")
    mails.refuse, mails.refuse_data = refuse, refuse_data
    sender = world.post(mail=mail(mails))
    await sender.round()
    found = await world.only()
    assert (found.state, found.error, found.next_try_at) == ("waiting", error, T0 + FIRST_WAIT)
    mails.refuse = mails.refuse_data = None
    world.clock.now += FIRST_WAIT
    await sender.round()
    assert (await world.only()).state == "sent"


async def test_a_mail_server_that_is_away_is_tried_again(world: World) -> None:
    async with mail_server() as gone:
        pass
    await world.opened("mail")
    await world.post(mail=mail(gone)).round()
    found = await world.only()
    assert (found.state, found.error) == ("waiting", "De mailserver is niet of niet veilig bereikbaar.")


async def test_a_mail_server_elsewhere_without_tls_gets_nothing_not_even_the_password(world: World) -> None:
    await world.opened("mail")
    # Our own computer under a name that is not one of loopback.
    async with mail_server("0.0.0.0", auth_require_tls=False) as server:  # noqa: S104 - see above
        server_url = f"smtp://someone:geheim@0.0.0.0:{server.port}"
        await world.post(mail=Mail(server_url, FROM, URL)).round()
    assert (server.commands, server.arrived, server.passwords) == ([], [], [])
    assert (await world.only()).state == "waiting"


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    return context


async def test_mail_goes_over_tls_and_only_to_a_server_whose_certificate_fits(world: World) -> None:
    await world.opened("mail")
    options: dict[str, Any] = {"tls_context": server_context(), "require_starttls": True}
    async with mail_server("0.0.0.0", **options) as server:  # noqa: S104 - not a name of loopback, so TLS is required
        sender = world.post(mail=mail(server, "0.0.0.0"))  # noqa: S104 - as above
        await sender.round()
        assert ((await world.only()).state, server.arrived) == ("waiting", [])
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        trusting.check_hostname = False  # the certificate of the tests names no host
        world.clock.now += FIRST_WAIT
        await world.post(mail=mail(server, "0.0.0.0", tls_context=trusting)).round()  # noqa: S104 - as above
        assert server.secured == [True]
    assert (await world.only()).state == "sent"


async def test_name_and_password_are_given_as_they_are_meant(world: World) -> None:
    await world.opened("mail")
    handler = MailServer()
    options: dict[str, Any] = {
        "authenticator": handler.authenticate,
        "auth_require_tls": False,
        "auth_exclude_mechanism": ["LOGIN"],
    }
    async with mail_server(**options) as server:
        url = f"smtp://iemand%40example.be:ge%2Fheim@127.0.0.1:{server.port}"
        await world.post(mail=Mail(url, FROM, URL)).round()
        assert len(server.arrived) == 1
    assert handler.passwords == [(b"iemand@example.be", b"ge/heim")]


# --- the webhook ---


def checks_signature() -> Callable[[str, str, bytes, float], bool]:
    """The function that docs/notifications.md gives to receivers."""
    page = (ROOT / "docs/notifications.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    spec = importlib.util.spec_from_loader("receiver_of_the_docs", loader=None)
    assert spec is not None
    found = importlib.util.module_from_spec(spec)
    exec(code, found.__dict__)  # noqa: S102 - our own page
    checks: Callable[[str, str, bytes, float], bool] = found.is_from_ademruimte
    return checks


async def test_a_webhook_gets_signed_json_without_anything_about_the_person(
    world: World, receiver: Receiver
) -> None:
    await world.opened("webhook")
    await world.post(webhook=webhook(receiver)).round()
    sent = await world.only()
    assert sent.state == "sent"
    ((headers, body),) = receiver.posted
    content = json.loads(body)
    assert headers["Idempotency-Key"] == content["id"] == sent.id
    assert headers["Content-Type"].startswith("application/json")
    assert content["case"] == {"number": 1001, "urgency": "48h", "due_at": "2026-03-03T12:00:00+00:00"}
    assert (content["kind"], content["to"]) == ("opened", "coach@example.org")
    assert content["link"].startswith(f"{URL}/desk/cases/")
    for word in PRIVATE:
        assert word not in f"{headers} {body.decode()}"


async def test_a_receiver_can_tell_that_it_is_from_us_with_the_code_in_the_docs(
    world: World, receiver: Receiver
) -> None:
    await world.opened("webhook")
    await world.post(webhook=webhook(receiver)).round()
    ((headers, body),) = receiver.posted
    header, now, check = headers["X-Ademruimte-Signature"], T0.timestamp(), checks_signature()
    assert re.fullmatch(rf"t={int(now)},v1=[0-9a-f]{{64}}", header)
    assert check(SECRET, header, body, now + 60)
    assert not check(SECRET, header, body.replace(b"1001", b"1002"), now)
    assert not check(SECRET, header.replace(f"t={int(now)}", f"t={int(now) + 1}"), body, now)
    assert not check("another secret", header, body, now)
    assert not check(SECRET, header, body, now + 3600)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "sent"),
        (202, "sent"),
        (302, "waiting"),
        (401, "waiting"),
        (404, "waiting"),
        (429, "waiting"),
        (500, "waiting"),
        (400, "dead"),
        (410, "dead"),
    ],
)
async def test_what_a_webhook_answers_decides(
    world: World, receiver: Receiver, status: int, state: str
) -> None:
    await world.opened("webhook")
    receiver.statuses = [status]
    await world.post(webhook=webhook(receiver)).round()
    assert len(receiver.posted) == 1  # a redirect is not followed
    assert (await world.only()).state == state


async def test_a_webhook_that_does_not_answer_is_tried_again(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEND_SECONDS", 0.1)
    await world.opened("webhook")
    never = asyncio.Event()

    async def wait(_request: web.Request) -> int:
        await never.wait()
        return 200

    receiver.answer = wait
    await world.post(webhook=webhook(receiver)).round()
    never.set()
    found = await world.only()
    assert (found.state, found.error) == ("waiting", "Er kwam niet op tijd een antwoord.")


# --- trying again ---


def test_waiting_times_double_spread_and_stop_growing() -> None:
    assert [waiting_time(tries, 0).total_seconds() for tries in (1, 2, 3, 9)] == [30, 60, 120, 7680]
    assert waiting_time(1, 1) == FIRST_WAIT * 1.25
    assert waiting_time(10, 1) == timedelta(seconds=19200)
    assert waiting_time(11, 1) == waiting_time(500, 0) == LONGEST_WAIT == timedelta(hours=6)


async def test_after_ten_tries_it_is_given_up_and_can_be_sent_again_from_the_desk(world: World) -> None:
    await world.opened("mail")
    way = Failing(NotSentError("Het lukt niet."))
    sender = world.post(mail=way)
    began: list[timedelta] = []
    while (found := await world.only()).state == "waiting":
        world.clock.now = found.next_try_at - timedelta(seconds=1)
        assert await sender.round() == 0
        world.clock.now = found.next_try_at
        assert await sender.round() == 1
        began.append(world.clock.now - T0)
    assert began == [FIRST_WAIT * (2**n - 1) for n in range(TRIES)]
    assert (way.tried, found.state, found.error) == (TRIES, "dead", "Het lukt niet.")
    assert await sender.listing("dead", 10) == [found]
    way.error = None
    assert await sender.again(found.id, world.clock.now)
    await sender.round()
    assert (await world.only()).state == "sent"


async def test_what_cannot_be_sent_for_a_reason_nobody_foresaw_still_counts_as_a_try(
    world: World, mails: MailServer
) -> None:
    await put(world.database, a_notice("no address at all\r\nBcc:"), a_notice("right"))
    with structlog.testing.capture_logs() as logs:
        await world.post(mail=mail(mails)).round()
    states = {row.recipient: (row.state, row.error) for row in await world.outbox.listing(None, 10)}
    assert states["right@example.org"] == ("sent", None)
    assert ("waiting", "Er ging iets mis bij het versturen.") in states.values()
    assert [line["log_level"] for line in logs] == ["error", "warning"]
    assert len(mails.arrived) == 1


async def test_a_slow_one_holds_up_nobody(world: World, receiver: Receiver) -> None:
    free = asyncio.Event()

    class Slow:
        async def send(self, notification: Notification, at: datetime) -> None:
            await free.wait()

    async def others_are_there(_request: web.Request) -> int:
        if len(receiver.posted) == 3:
            free.set()
        return 200

    receiver.answer = others_are_there
    await put(world.database, a_notice("a"), *(a_notice(name, "webhook") for name in ("b", "c", "d")))
    await world.post(mail=Slow(), webhook=webhook(receiver)).round()
    assert {row.state for row in await world.outbox.listing(None, 10)} == {"sent"}


async def test_without_a_sender_notices_wait_and_the_log_says_once_what_is_missing(
    world: World, mails: MailServer
) -> None:
    await world.opened("mail", "webhook")
    sender = world.post(webhook=Failing(None))
    with structlog.testing.capture_logs() as logs:
        await sender.round()
        world.clock.now += timedelta(days=2)
        await sender.round()
    assert [line["problem"] for line in logs] == [
        "nothing sends mail: set ADEMRUIMTE_SMTP_URL and ADEMRUIMTE_SMTP_FROM"
    ]
    (waiting,) = await world.outbox.listing("waiting", 10)
    assert (waiting.channel, waiting.tries) == ("mail", 0)
    await world.post(mail=mail(mails)).round()
    assert len(mails.arrived) == 1


# --- running ---


@asynccontextmanager
async def running(sender: Post) -> AsyncIterator[None]:
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def sent_all(world: World, count: int) -> None:
    async def look() -> bool:
        return len(await world.outbox.listing("sent", 1000)) == count

    await until(look)


async def test_what_is_new_goes_out_when_it_is_woken(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROUND_SECONDS", 3600)
    sender = world.post(webhook=webhook(receiver))
    count = 3 * BATCH + 1
    async with running(sender):
        await put(world.database, a_notice("first", "webhook"))
        sender.wake()
        await sent_all(world, 1)
        await put(world.database, *(a_notice(f"r{number}", "webhook") for number in range(count)))
        sender.wake()
        await sent_all(world, 1 + count)


async def test_it_goes_on_after_the_database_was_away(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.01)

    class Away(Notifications):
        rounds = 0

        async def due(self, at: datetime, limit: int, channels: Any) -> list[Notification]:
            self.rounds += 1
            if self.rounds < 3:
                raise OSError
            return await super().due(at, limit, channels)

    world.outbox = Away(world.database)
    await put(world.database, a_notice("a", "webhook"))
    with structlog.testing.capture_logs() as logs:
        async with running(world.post(webhook=webhook(receiver))):
            await sent_all(world, 1)
    assert [line["event"] for line in logs] == ["sending notifications failed"] * 2


async def test_what_was_sent_but_could_not_be_noted_is_sent_again_with_the_same_key(
    world: World, receiver: Receiver
) -> None:
    class Forgetful(Notifications):
        async def sent(self, notification_id: str, at: datetime) -> None:
            raise OSError

    await world.opened("webhook")
    world.outbox = Forgetful(world.database)
    await world.post(webhook=webhook(receiver)).round()
    world.outbox = Notifications(world.database)
    world.clock.now += LEASE
    await world.post(webhook=webhook(receiver)).round()
    found = await world.only()
    assert (found.state, receiver.keys) == ("sent", [found.id] * 2)


# --- killed at any moment ---

#: Forks a process that sends, for each line with a number of hours on its clock; says its number, and when it is gone.
MORTALS = """
import asyncio, os, sys
from datetime import UTC, datetime, timedelta
from bot.conversation.post import Post, Webhook
from bot.storage.database import open_database
from bot.storage.notifications import Notifications

database_url, hook, secret = sys.argv[1:]

async def main(hours):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=hours)
    way = Webhook(hook, secret, "https://ademruimte.example.be")
    await Post(Notifications(open_database(database_url)), {"webhook": way}, lambda: now).run()

for line in sys.stdin:
    pid = os.fork()
    if not pid:
        os.dup2(2, 1)
        asyncio.run(main(int(line)))
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
"""
KILLS, NEW_EACH = 30, 5


async def test_a_process_killed_at_any_moment_loses_no_notification(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    mortals = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        MORTALS,
        f"sqlite:///{tmp_path / 'test.db'}",
        receiver.url,
        SECRET,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert mortals.stdin is not None
    assert mortals.stdout is not None
    try:
        for number in range(KILLS):
            await put(
                world.database, *(a_notice(f"n{number}x{i}", "webhook") for i in range(NEW_EACH)), at=T0
            )
            born, reached = asyncio.get_running_loop().create_future(), asyncio.Event()
            left = chance.randint(1, NEW_EACH)

            async def answer(
                _request: web.Request,
                number: int = number,
                born: asyncio.Future[int] = born,
                reached: asyncio.Event = reached,
            ) -> int:
                nonlocal left
                left -= 1
                if left == 0:
                    if number % 3 == 0:  # it was received, and the sender will never know
                        os.kill(await born, signal.SIGKILL)
                    reached.set()
                return 200

            receiver.answer = answer
            # An hour later each time: the leases of the one before are over.
            mortals.stdin.write(f"{number}\n".encode())
            born.set_result(int(await mortals.stdout.readline()))
            if number % 3 == 1:  # some time after it was received: while noting it, before, or after
                await reached.wait()
            if number % 3:
                await asyncio.sleep(chance.uniform(0, 0.03 if number % 3 == 1 else 0.1))
                os.kill(await born, signal.SIGKILL)
            assert await mortals.stdout.readline() == b"gone\n"
    finally:
        mortals.kill()
        await mortals.communicate()
    receiver.answer = None
    world.clock.now = T0 + timedelta(hours=KILLS)
    sender = world.post(webhook=webhook(receiver))
    while await sender.round():
        pass
    rows = await world.outbox.listing(None, 1000)
    assert len(rows) == KILLS * NEW_EACH
    assert {row.state for row in rows} == {"sent"}
    assert set(receiver.keys) == {row.id for row in rows}
    assert len(receiver.keys) > len(rows)  # some were killed between sending and noting, and were sent again


# --- settings ---


def test_what_is_set_up_decides_over_which_channels_people_are_told() -> None:
    mail_only = {"smtp_url": "smtp://localhost", "smtp_from": FROM}
    hook_only = {"webhook_url": "https://example.org/x", "webhook_secret": SECRET}
    for given, expected in (
        (mail_only, ("mail",)),
        (hook_only, ("webhook",)),
        (mail_only | hook_only, CHANNELS),
    ):
        settings = Settings(**given)  # type: ignore[arg-type]
        assert channels(settings) == tuple(senders(settings)) == expected
    assert (channels(Settings()), senders(Settings())) == (("mail",), {})
    half = Settings(smtp_url="smtp://localhost", webhook_url="https://example.org/x")
    assert (channels(half), senders(half)) == (CHANNELS, {})  # it waits, and the log says what is missing


GIVEN = {
    "ADEMRUIMTE_SMTP_URL": "smtp://someone:geheim1@mail.example.org:587",
    "ADEMRUIMTE_WEBHOOK_URL": "https://example.org/geheim2",
    "ADEMRUIMTE_WEBHOOK_SECRET": "geheim3-geheim3-geheim3",
}


def test_secrets_are_not_shown_by_the_settings() -> None:
    settings, _ = load_settings(GIVEN)
    assert settings.smtp_url == GIVEN["ADEMRUIMTE_SMTP_URL"]
    assert "geheim" not in repr(settings) + as_markdown()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SMTP_URL", "smtp://someone:geh#eim@host", "must look like smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://someone:geh/eim@host", "special characters of a password as %xx"),
        ("SMTP_URL", "geheim", "must look like"),
        ("SMTP_URL", "http://geheim", "must look like"),
        ("WEBHOOK_URL", "ftp://geheim", "must look like https://host/path"),
        ("WEBHOOK_URL", "http://geheim.example.org/x", "must be https"),
        ("WEBHOOK_SECRET", "geheim", "must have at least 16 characters"),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_repeated(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as error:
        load_settings({f"ADEMRUIMTE_{name}": value})
    assert "geh" not in str(error.value)
    assert "eim" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_FROM", "nobody"),
        ("SMTP_FROM", "a@b.be\nBcc: c@d.be"),
        ("PUBLIC_URL", "https://a.be/b"),
        ("PUBLIC_URL", ""),
    ],
)
def test_addresses_that_cannot_be_used_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({f"ADEMRUIMTE_{name}": value})


def test_a_link_leads_to_this_computer_until_a_public_address_is_set() -> None:
    assert Settings(port=9000).public_url == "http://127.0.0.1:9000"
    assert Settings(host="::1").public_url == "http://[::1]:8080"
    assert load_settings({"ADEMRUIMTE_PUBLIC_URL": f"{URL}/"})[0].public_url == URL


async def test_logs_hold_no_address_and_no_secret(
    world: World, mails: MailServer, receiver: Receiver
) -> None:
    await world.opened("mail", "webhook")
    mails.refuse, receiver.statuses = "550 no such user coach@example.org", [410]
    with structlog.testing.capture_logs() as logs:
        await world.post(mail=mail(mails), webhook=webhook(receiver)).round()
    assert len(logs) == 2
    for secret in ("coach", "example", SECRET, receiver.url, "1001"):
        assert secret not in str(logs)
