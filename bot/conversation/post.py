"""Sending notifications: e-mail, a signed webhook, and trying again until it worked. Conversation room.

At least once: what was not confirmed is sent again with the same key (`Idempotency-Key`, `Message-ID`). A sender for
another channel, such as Teams, is one more class with `send`, one more name in `Channel` and one line in `senders`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiohttp
import aiosmtplib
import structlog

from bot.escalation.notices import Channel, as_mail, message
from bot.settings import Settings, is_loopback
from bot.storage.notifications import Notification, Notifications, SendState

BATCH = 10
ROUND_SECONDS = 5.0
#: Longest time for one; well below the lease, so that nobody else begins meanwhile.
SEND_SECONDS = 30.0
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=6)
TRIES = 10

_NEEDED: Mapping[str, str] = {
    "mail": "ADEMRUIMTE_SMTP_URL and ADEMRUIMTE_SMTP_FROM",
    "webhook": "ADEMRUIMTE_WEBHOOK_URL and ADEMRUIMTE_WEBHOOK_SECRET",
}

log = structlog.get_logger("post")


class NotSentError(Exception):
    """It did not arrive."""

    def __init__(self, said: str, *, final: bool = False, code: int | None = None) -> None:
        """Describe why.

        Args:
            said: one Dutch sentence for the people of the desk, without an address.
            final: trying again is of no use.
            code: the answer of the other side, when it gave one.
        """
        super().__init__(said)
        self.said, self.final, self.code = said, final, code


class Sender(Protocol):
    """One way out."""

    async def send(self, notification: Notification, at: datetime) -> None:
        """Send one notification; returns once the other side has it.

        Raises:
            NotSentError: it did not arrive, or that is not certain.
            TimeoutError: no answer in time.
        """
        ...


# --- the post ---


class Post:
    """Takes what is due and has it sent."""

    def __init__(
        self,
        notifications: Notifications,
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Wire up.

        Args:
            notifications: the outbox.
            senders: by channel; what has no sender waits.
            clock: the current moment, with time zone.
            chance: a number from 0 to 1, for the spread of waiting times.
        """
        self._notifications = notifications
        self._senders = dict(senders)
        self._clock = clock
        self._chance = chance
        self._woken = asyncio.Event()
        self._told: set[str] = set()

    async def run(self) -> None:
        """Keep at it until cancelled."""
        while True:
            self._woken.clear()
            try:
                while await self.round():
                    pass
            except Exception:  # the database may be away for a moment; the next round does it
                log.exception("sending notifications failed")
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def wake(self) -> None:
        """There is something new to send."""
        self._woken.set()

    async def round(self) -> int:
        """Try everything that is due, at most `BATCH`; how many were tried."""
        for channel in await self._notifications.waiting():
            self._tell_once_without_sender(channel)
        taken = await self._notifications.due(self._clock(), BATCH, list(self._senders))
        await asyncio.gather(*(self._try(notification) for notification in taken))
        return len(taken)

    async def again(self, notification_id: str, at: datetime) -> bool:
        """Try one anew, from the start; whether there was such a one that had not arrived."""
        found = await self._notifications.again(notification_id, at)
        self.wake()
        return found

    async def listing(self, state: SendState | None, limit: int) -> list[Notification]:
        """What is waiting, sent or dead (None: all), newest first."""
        return await self._notifications.listing(state, limit)

    async def _try(self, notification: Notification) -> None:
        try:
            error = await self._error_of_sending(notification)
            if error is None:
                await self._notifications.sent(notification.id, self._clock())
            else:
                await self._failed(notification, error)
        except Exception:  # the database is away: when the lease ends it is sent again
            log.exception("what became of a notification could not be kept")

    async def _error_of_sending(self, notification: Notification) -> NotSentError | None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._senders[notification.channel].send(notification, self._clock())
        except NotSentError as error:
            return error
        except TimeoutError:
            return NotSentError("Er kwam niet op tijd een antwoord.")
        except Exception:  # whatever it is, it must count as a try, or it would be tried for ever
            log.exception("a notification could not be sent")
            return NotSentError("Er ging iets mis bij het versturen.")
        return None

    async def _failed(self, notification: Notification, error: NotSentError) -> None:
        now = self._clock()
        given_up = error.final or notification.tries >= TRIES
        retry_at = None if given_up else now + waiting_time(notification.tries, self._chance())
        await self._notifications.failed(notification.id, now, error.said, retry_at)
        said = log.error if given_up else log.warning
        said(
            "a notification was given up" if given_up else "a notification was not sent",
            attempt=notification.tries,
            code=error.code,
        )

    def _tell_once_without_sender(self, channel: str) -> None:
        if channel in self._senders or channel in self._told:
            return
        self._told.add(channel)
        needed = _NEEDED.get(channel, "its sender")
        log.error("notifications wait", problem=f"nothing sends {channel}: set {needed}")


def waiting_time(tries: int, chance: float) -> timedelta:
    """How long to wait after so many tries (from 1 on): doubled each time, up to a quarter more by chance (0 to 1)."""
    doubled = 2.0 ** min(tries - 1, 20)  # far beyond the longest, and still a number
    return min(FIRST_WAIT * doubled * (1 + chance / 4), LONGEST_WAIT)


# --- the ways out ---


def senders(settings: Settings) -> dict[str, Sender]:
    """The senders that are set up."""
    found: dict[str, Sender] = {}
    if settings.smtp_url and settings.smtp_from:
        found["mail"] = Mail(settings.smtp_url, settings.smtp_from, settings.public_url)
    if settings.webhook_url and settings.webhook_secret:
        found["webhook"] = Webhook(settings.webhook_url, settings.webhook_secret, settings.public_url)
    return found


def channels(settings: Settings) -> tuple[Channel, ...]:
    """The channels over which the people of the desk are told; e-mail, which waits, when nothing is set up."""
    found: tuple[Channel, ...] = ()
    if settings.smtp_url:
        found += ("mail",)
    if settings.webhook_url:
        found += ("webhook",)
    return found or ("mail",)


class Mail:
    """Sends plain text through a mail server, over TLS unless that server is on this computer."""

    def __init__(
        self, url: str, sender: str, public_url: str, tls_context: ssl.SSLContext | None = None
    ) -> None:
        """Set up.

        Args:
            url: `smtp://user:password@host:port` or `smtps://…`; `smtps` begins with TLS, `smtp` goes over to it.
            sender: e-mail address it comes from.
            public_url: for links.
            tls_context: which certificates are trusted; None: those of the system.
        """
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._at_once = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._at_once else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender
        self._public_url = public_url
        self._tls_context = tls_context

    async def send(self, notification: Notification, at: datetime) -> None:
        """As `Sender`; a refusal of the recipient (5xx) is final."""
        said = message(notification.payload, self._public_url, at)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address("Ademruimte", addr_spec=self._sender)
        mail["To"] = Address(addr_spec=notification.recipient)
        mail["Subject"] = said.subject
        mail["Date"] = at
        mail["Message-ID"] = f"<{notification.id}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(as_mail(said))
        try:
            await self._hand_over(mail, notification.recipient)
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            raise NotSentError(
                f"De mailserver weigert dit adres ({code}).", final=code >= 500, code=code
            ) from None
        except aiosmtplib.SMTPAuthenticationError as error:
            raise NotSentError(
                f"De mailserver weigert onze aanmelding ({error.code}).", code=error.code
            ) from None
        except aiosmtplib.SMTPResponseException as error:
            raise NotSentError(
                f"De mailserver weigert het bericht ({error.code}).", code=error.code
            ) from None
        except TimeoutError:
            raise
        except (aiosmtplib.SMTPException, OSError):
            raise NotSentError("De mailserver is niet of niet veilig bereikbaar.") from None

    async def _hand_over(self, mail: EmailMessage, recipient: str) -> None:
        here = is_loopback(self._host)
        await aiosmtplib.send(
            mail,
            sender=self._sender,
            recipients=[recipient],
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            timeout=SEND_SECONDS / 2,
            use_tls=self._at_once,
            # True: without TLS nothing is said, not even the password. None: as the server offers.
            start_tls=False if self._at_once else None if here else True,
            validate_certs=not here,
            tls_context=self._tls_context,
        )


class Webhook:
    """Posts JSON to one address, signed, so that the receiver knows it is from us and new."""

    def __init__(self, url: str, secret: str, public_url: str) -> None:
        """Args: url: where to; secret: shared with the receiver; public_url: for links."""
        self._url, self._secret, self._public_url = url, secret, public_url

    async def send(self, notification: Notification, at: datetime) -> None:
        """As `Sender`; 400 and 410 are final, any other answer than 2xx is tried again."""
        said = message(notification.payload, self._public_url, at)
        case = {name: notification.payload[name] for name in ("number", "urgency", "due_at")}
        content = {
            "id": notification.id,
            "kind": notification.payload["kind"],
            "case": case,
            "to": notification.recipient,
            "title": said.subject,
            "text": said.text,
            "link": said.link,
        }
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": notification.id,
            "X-Ademruimte-Signature": signature(self._secret, body, at),
        }
        try:
            status = await self._post(body, headers)
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError):
            raise NotSentError("Het adres van de webhook is niet bereikbaar.") from None
        if not 200 <= status < 300:
            sentence = f"De webhook weigert het bericht ({status})."
            raise NotSentError(sentence, final=status in (400, 410), code=status)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS / 2)
        # A session for each: there are few, and nothing of one visit should stay for the next.
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.post(self._url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return response.status


def signature(secret: str, body: bytes, at: datetime) -> str:
    """What stands in `X-Ademruimte-Signature`: `t=<unix seconds>,v1=<hexadecimal HMAC-SHA256 of "t.body">`."""
    moment = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
