"""The messages of conversations and the sessions they belong to: the hot path. Storage room.

Numbers (`seq`) are given by one UPDATE on the conversation's row in the same transaction that stores the
message, so that committed numbers of a conversation have no gaps and no doubles, on any number of processes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.messages import Role
from bot.storage import crisis_log, hand_overs
from bot.storage.cases import PERSON
from bot.storage.crisis_log import Ruling, Situation
from bot.storage.database import Database
from bot.storage.hand_overs import HandOvers
from bot.storage.tables import conversations, forgotten, hand_offs, messages

PAGE = 500  # messages read at once
WAITING_AT_ONCE = 20
#: A choice stands in one of so many newest bubbles, or it is no longer offered.
BUBBLES_ON_SCREEN = 12
#: What is typed to a question with scores is read as words, and said back.
SCORES = "/give_score"
#: So many of the person's own messages before the newest are judged together with it, when so recent.
RECENT_MESSAGES = 2
RECENT = timedelta(minutes=10)

JsonParts = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Session:
    """Who a token belongs to."""

    conversation_id: str
    consent: bool | None
    region: str | None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it stands in the log."""

    conversation_id: str
    seq: int
    role: Role
    at: datetime
    parts: JsonParts
    client_id: str | None = None
    reply_to: int | None = None
    pending: bool = False
    author: str | None = None
    case_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The message as clients read it."""
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message: dict[str, Any] = {"seq": self.seq, "role": self.role, "at": at, "parts": self.parts}
        if self.client_id is not None and self.role == "user":
            message["id"] = self.client_id
        if self.author is not None:
            message["author"] = self.author
        return message


@dataclass(frozen=True, slots=True)
class Accepted:
    """A person's message that is safely stored. `new` is False when it was sent before.

    `replies` were stored with it; `superseded` are the numbers of earlier messages that get no answer any more.
    """

    message: StoredMessage
    content_hash: str
    new: bool
    replies: tuple[StoredMessage, ...] = ()
    superseded: tuple[int, ...] = ()
    owner_changed: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person's message that has no reply yet, as the worker needs it; `hand_off`: the open question about a coach."""

    conversation_id: str
    seq: int
    at: datetime
    parts: JsonParts
    payload: str | None
    consent: bool | None
    engine_command: str | None = None
    hand_off: str | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """The outcome of storing a turn.

    `stored` is False when another worker was first, or, with `gone`, when the conversation was forgotten
    meanwhile; then `messages` is what would have been stored.
    """

    stored: bool
    gone: bool
    messages: list[StoredMessage]
    consent: bool | None


_MESSAGE = select(
    messages.c.conversation_id,
    messages.c.seq,
    messages.c.role,
    messages.c.created_at,
    messages.c.body,
    messages.c.client_id,
    messages.c.reply_to,
    messages.c.state,
    messages.c.author,
    messages.c.case_id,
)
# Statements are built once: building them costs more than running them.
_IN = messages.c.conversation_id == bindparam("cid")
_AFTER = _MESSAGE.where(_IN, messages.c.seq > bindparam("after")).order_by(messages.c.seq).limit(PAGE)
_REPLIES = _MESSAGE.where(_IN, messages.c.reply_to == bindparam("to")).order_by(messages.c.seq)
_BY_SEQ = _MESSAGE.where(_IN, messages.c.seq == bindparam("number"))
_BY_CLIENT_ID = _MESSAGE.add_columns(messages.c.content_hash).where(
    _IN, messages.c.client_id == bindparam("client")
)
_WAITING = (
    select(
        messages.c.conversation_id,
        messages.c.seq,
        messages.c.created_at,
        messages.c.body,
        messages.c.payload,
        conversations.c.consent,
        conversations.c.engine_command,
        hand_offs.c.stage,
    )
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .outerjoin(hand_offs, hand_offs.c.conversation_id == messages.c.conversation_id)
    .where(_IN, messages.c.state == "pending")
    .order_by(messages.c.seq)
    .limit(WAITING_AT_ONCE)
)
_CONVERSATIONS_WAITING = select(messages.c.conversation_id).where(messages.c.state == "pending").distinct()
_SESSION = select(conversations.c.id, conversations.c.consent, conversations.c.region).where(
    conversations.c.token_hash == bindparam("hash")
)
_TAKE_NUMBERS = (
    update(conversations)
    .where(conversations.c.id == bindparam("cid"))
    .values(next_seq=conversations.c.next_seq + bindparam("count"), last_seen_at=bindparam("seen"))
    .returning(
        conversations.c.next_seq, conversations.c.consent, conversations.c.owner, conversations.c.region
    )
)
_INSERT = insert(messages)
_DONE = (
    update(messages)
    .where(_IN, messages.c.seq == bindparam("number"), messages.c.state == "pending")
    .values(state="done")
)
_SUPERSEDED = select(messages.c.seq).where(
    _IN, messages.c.seq < bindparam("before"), messages.c.state == "pending"
)
_OWNER = select(conversations.c.owner).where(conversations.c.id == bindparam("cid"))
_NEWEST = (
    select(messages.c.role, messages.c.body)
    .where(_IN)
    .order_by(messages.c.seq.desc())
    .limit(BUBBLES_ON_SCREEN)
)
_RECENT = (
    select(messages.c.body)
    .where(
        _IN,
        messages.c.role == "user",
        messages.c.seq > bindparam("after"),
        messages.c.seq < bindparam("before"),
        messages.c.created_at >= bindparam("since"),
        or_(messages.c.payload.is_(None), messages.c.payload.notlike("/%")),
    )
    .order_by(messages.c.seq.desc())
    .limit(RECENT_MESSAGES)
)
_SYSTEM_LINE_SINCE = (
    select(messages.c.seq)
    .where(_IN, messages.c.role == "system", messages.c.seq > bindparam("after"))
    .limit(1)
)
_STILL_WAITING = select(messages.c.seq).where(
    _IN, messages.c.seq == bindparam("number"), messages.c.state == "pending"
)


class UnknownConversationError(LookupError):
    """The conversation does not exist (any more)."""


class _NotNeededError(Exception):
    """Leaves a transaction without storing anything."""


class MessageLog:
    """Reads and writes of messages; every write is one small transaction."""

    def __init__(self, database: Database, desk: HandOvers | None = None) -> None:
        """Args: database: where the messages are; desk: what concerns coaches, None where there are none."""
        self._database = database
        self._desk = desk

    async def open_session(
        self, token_hash: str, channel: str, at: datetime, region: str | None = None
    ) -> str:
        """Start a conversation for a new token, with where the person is when that is known; returns its id."""
        own = uuid.uuid4().hex
        row = {"id": own, "token_hash": token_hash, "channel": channel, "region": region}
        times = {"created_at": at, "last_seen_at": at}
        await self._database.write(lambda db: db.execute(insert(conversations).values(row | times)))
        return own

    async def session(self, token_hash: str) -> Session | None:
        """Whose token this is, or None when it is unknown or the conversation was forgotten."""
        row = await self._database.read(lambda db: db.execute(_SESSION, {"hash": token_hash}).first())
        return Session(row.id, row.consent, row.region) if row else None

    async def move(self, conversation_id: str, region: str) -> None:
        """The person is in this region from now on."""
        await self._database.write(lambda db: _move(db, conversation_id, region))

    async def visited(self, conversation_id: str, at: datetime) -> None:
        """Note that the person is there."""
        seen = update(conversations).where(conversations.c.id == conversation_id).values(last_seen_at=at)
        await self._database.write(lambda db: db.execute(seen))

    async def exists(self, conversation_id: str) -> bool:
        """Whether the conversation still exists."""
        here = select(conversations.c.id).where(conversations.c.id == conversation_id)
        return await self._database.read(lambda db: db.execute(here).first() is not None)

    async def offered(self, conversation_id: str, title: str) -> str | None:
        """The payload of the choice with this title that was offered since a person or a coach last wrote.

        None without one, and while a coach has the conversation. Capitals, spaces and a stop at the end do not matter,
        nor does the question mark of the title; one that is typed does. A score is no such choice.
        """

        def work(db: Connection) -> list[Any]:
            row = db.execute(_OWNER, {"cid": conversation_id}).first()
            if row is None or row.owner == "coach":
                return []
            return list(db.execute(_NEWEST, {"cid": conversation_id}))

        newest = await self._database.read(work)
        bodies = [row.body for row in takewhile(lambda row: row.role not in ("user", "coach"), newest)]
        choices = (choice for body in bodies for part in body for choice in part.get("choices", ()))
        wanted = _as_title(title)
        same = (
            str(one["payload"])
            for one in choices
            if wanted in (_as_title(one["title"]), _as_title(one["title"]).rstrip("?"))
        )
        return next((payload for payload in same if not payload.startswith(SCORES)), None)

    async def accept(
        self,
        conversation_id: str,
        *,
        client_id: str,
        content_hash: str,
        parts: JsonParts,
        payload: str | None,
        at: datetime,
        decide: Callable[[Situation], Ruling],
    ) -> Accepted:
        """Store a person's message, once per `client_id`, together with what safety says and does about it.

        The same `client_id` again gives the message that is there; compare `content_hash` to know whether it is the
        same one. `decide` runs inside the transaction, so that two messages at once are judged in order.

        Raises:
            UnknownConversationError: the conversation does not exist (any more).
        """

        def work(db: Connection) -> Accepted:
            row = db.execute(_TAKE_NUMBERS, {"cid": conversation_id, "count": 1, "seen": at}).first()
            if row is None:
                raise UnknownConversationError
            number = row.next_seq - 1
            ruling = decide(self._situation(db, conversation_id, number, at, row.owner, row.region))
            case_id = self._led(db, conversation_id, ruling, at)
            superseded: list[int] = []
            if ruling.supersedes:
                earlier = {"cid": conversation_id, "before": number}
                superseded = list(db.execute(_SUPERSEDED, earlier).scalars())
                for waiting in superseded:
                    db.execute(_DONE, {"cid": conversation_id, "number": waiting})
            pending = ruling.engine is not None
            message = StoredMessage(
                conversation_id, number, "user", at, parts, client_id, None, pending, None, case_id
            )
            db.execute(_INSERT, _as_row(message, content_hash, ruling.engine or payload))
            replies = self._rule(db, conversation_id, number, ruling, at, case_id)
            moved = ruling.live == "ended" or ruling.opening is not None or ruling.withdraws or ruling.raises
            return Accepted(message, content_hash, True, tuple(replies), tuple(superseded), moved)

        def again(db: Connection) -> Accepted:
            row = db.execute(_BY_CLIENT_ID, {"cid": conversation_id, "client": client_id}).first()
            if row is None or row.role != "user":  # forgotten between the two
                raise UnknownConversationError
            return Accepted(_message(row), row.content_hash, False)

        try:
            return await self._database.write(work)
        except IntegrityError:
            return await self._database.read(again)

    async def waiting(self, conversation_id: str) -> list[Waiting]:
        """The oldest messages of a conversation that have no reply yet, in order; at most `WAITING_AT_ONCE`."""
        here = {"cid": conversation_id}
        return await self._database.read(lambda db: [Waiting(*row) for row in db.execute(_WAITING, here)])

    async def conversations_waiting(self) -> list[str]:
        """All conversations in which a message has no reply yet."""
        return await self._database.read(lambda db: list(db.execute(_CONVERSATIONS_WAITING).scalars()))

    async def complete(
        self,
        conversation_id: str,
        seq: int,
        replies: Sequence[tuple[Role, JsonParts]],
        at: datetime,
        *,
        heard_command: str | None = None,
        decide: Callable[[Situation], Ruling] | None = None,
    ) -> Completed:
        """Store the replies to message `seq` and mark it answered, together or not at all.

        Only the first of two workers stores anything. Consent is read in the same transaction.

        Args:
            conversation_id: whose.
            seq: number of the person's message.
            replies: who says what.
            at: when.
            heard_command: the `engine_command` that the engine has heard and need not hear again.
            decide: adds what safety has to say after these replies.
        """

        def work(db: Connection) -> Completed:
            count = len(replies)
            row = db.execute(_TAKE_NUMBERS, {"cid": conversation_id, "count": count, "seen": at}).first()
            if row is None:
                return Completed(False, True, _numbered(conversation_id, seq, seq + 1, replies, at), None)
            if db.execute(_DONE, {"cid": conversation_id, "number": seq}).rowcount != 1:
                raise _NotNeededError
            if row.owner == "coach":  # a person talks now: what the engine says is said to nobody
                db.execute(_TAKE_NUMBERS, {"cid": conversation_id, "count": -count, "seen": at})
                return Completed(True, False, [], row.consent)
            stored = _numbered(conversation_id, seq, row.next_seq - count, replies, at)
            if stored:
                db.execute(_INSERT, [_as_row(message) for message in stored])
            if heard_command is not None:
                crisis_log.command_heard(db, conversation_id, heard_command)
            if decide is not None:
                ruling = decide(self._situation(db, conversation_id, seq, at, row.owner, row.region))
                stored += self._rule(db, conversation_id, seq, ruling, at)
            return Completed(True, False, stored, row.consent)

        try:
            return await self._database.write(work)
        except _NotNeededError:
            return Completed(False, False, [], None)

    async def system_line(
        self, conversation_id: str, seq: int, parts: JsonParts, at: datetime
    ) -> StoredMessage | None:
        """Store one line of the system while message `seq` waits.

        Nothing is stored, and None returned, when that message was answered or when such a line already
        stands below it.
        """

        def work(db: Connection) -> StoredMessage:
            row = db.execute(_TAKE_NUMBERS, {"cid": conversation_id, "count": 1, "seen": at}).first()
            if row is None or row.owner == "coach" or not _line_is_needed(db, conversation_id, seq):
                raise _NotNeededError
            line = StoredMessage(conversation_id, row.next_seq - 1, "system", at, parts, None, seq)
            db.execute(_INSERT, _as_row(line))
            return line

        try:
            return await self._database.write(work)
        except _NotNeededError:
            return None

    async def after(self, conversation_id: str, seq: int) -> list[StoredMessage]:
        """The messages of all sides with a number above `seq`, in order; at most `PAGE`."""
        place = {"cid": conversation_id, "after": seq}
        return await self._database.read(lambda db: [_message(row) for row in db.execute(_AFTER, place)])

    async def turn(self, conversation_id: str, seq: int) -> tuple[list[StoredMessage], bool]:
        """The replies to message `seq` so far, and whether it is still waiting.

        Raises:
            UnknownConversationError: the message does not exist (any more).
        """

        def work(db: Connection) -> tuple[list[StoredMessage], bool]:
            # In this order: a turn that ends between the two reads as waiting, never as answered by nothing.
            asked = db.execute(_BY_SEQ, {"cid": conversation_id, "number": seq}).first()
            if asked is None:
                raise UnknownConversationError
            replies = db.execute(_REPLIES, {"cid": conversation_id, "to": seq})
            return [_message(row) for row in replies], asked.state == "pending"

        return await self._database.read(work)

    def _situation(
        self,
        db: Connection,
        conversation_id: str,
        seq: int,
        at: datetime,
        owner: str,
        region: str | None,
    ) -> Situation:
        """What is known around message `seq`: crisis, the words just before, who answers, the way to a coach."""
        crisis, last_seq = crisis_log.latest(db, conversation_id)
        window = {"cid": conversation_id, "after": last_seq, "before": seq, "since": at - RECENT}
        bodies = list(db.execute(_RECENT, window).scalars())
        recent = [str(part["text"]) for body in reversed(bodies) for part in body if part["type"] == "text"]
        if self._desk is None:
            return Situation(tuple(recent), crisis, owner, region=region)
        hand_off = hand_overs.read(db, conversation_id)
        return Situation(
            tuple(recent), crisis, owner, hand_off, partial(self._desk.view, db, conversation_id), region
        )

    def _led(self, db: Connection, conversation_id: str, ruling: Ruling, at: datetime) -> str | None:
        """What a message means for the case it belongs to; the case when it was said to a coach."""
        if self._desk is None or ruling.live is None:
            return None
        if ruling.live == "ended":
            self._desk.ended(db, conversation_id, PERSON, at)
            return None
        return self._desk.said(db, conversation_id, ruling.flag, at)

    def _rule(
        self,
        db: Connection,
        conversation_id: str,
        seq: int,
        ruling: Ruling,
        at: datetime,
        case_id: str | None = None,
    ) -> list[StoredMessage]:
        """Say and keep what was decided about message `seq`."""
        replies = ruling.replies
        if self._desk is not None:
            if ruling.hand_off is not None:
                hand_overs.keep(db, conversation_id, ruling.hand_off)
            if ruling.withdraws:
                self._desk.withdrawn(db, conversation_id, at)
            if ruling.raises:
                self._desk.raised(db, conversation_id, at)
            if ruling.opening is not None:
                case = self._desk.opened(db, conversation_id, ruling.opening, at)
                replies = (*replies, *(ruling.opened(case) if ruling.opened is not None else ()))
        if ruling.region is not None:
            _move(db, conversation_id, ruling.region)
        crisis_log.keep(db, conversation_id, seq, ruling, at)
        return say_in(db, conversation_id, seq, replies, at, ruling.voice, case_id=case_id)

    async def trackers_to_delete(self) -> list[tuple[str, datetime, datetime | None]]:
        """Trackers the engine has to delete: whose, noted when, and when the person was last seen.

        The last is None when the conversation itself is gone.
        """
        statement = (
            select(forgotten.c.conversation_id, forgotten.c.requested_at, conversations.c.last_seen_at)
            .outerjoin(conversations, conversations.c.id == forgotten.c.conversation_id)
            .order_by(forgotten.c.requested_at)
            .limit(PAGE)
        )
        return await self._database.read(lambda db: [(r[0], r[1], r[2]) for r in db.execute(statement)])

    async def tracker_deleted(self, conversation_id: str) -> None:
        """The engine has confirmed: nothing is left to delete."""
        gone = delete(forgotten).where(forgotten.c.conversation_id == conversation_id)
        await self._database.write(lambda db: db.execute(gone))


def _move(db: Connection, conversation_id: str, region: str) -> None:
    db.execute(update(conversations).where(conversations.c.id == conversation_id).values(region=region))


def _as_title(text: str) -> str:
    return "".join(text.casefold().split()).rstrip(".!…")


def say_in(
    db: Connection,
    conversation_id: str,
    to: int | None,
    replies: Sequence[JsonParts],
    at: datetime,
    voice: Role = "bot",
    *,
    case_id: str | None = None,
    author: str | None = None,
    client_id: str | None = None,
) -> list[StoredMessage]:
    """Inside a transaction: store what `voice` says, with new numbers.

    Args:
        db: the transaction.
        conversation_id: whose.
        to: the message it answers, if any.
        replies: bubbles.
        at: when.
        voice: who says it.
        case_id: the case it belongs to, for what a coach reads.
        author: name and role of the coach who wrote it.
        client_id: with a single bubble: the same one again is refused by the database.
    """
    if not replies:
        return []
    count = len(replies)
    row = db.execute(_TAKE_NUMBERS, {"cid": conversation_id, "count": count, "seen": at}).one()
    said: list[tuple[Role, JsonParts]] = [(voice, parts) for parts in replies]
    stored = [
        replace(message, case_id=case_id, author=author, client_id=client_id)
        for message in _numbered(conversation_id, to, row.next_seq - count, said, at)
    ]
    db.execute(_INSERT, [_as_row(message) for message in stored])
    return stored


def read_message(db: Connection, conversation_id: str, client_id: str) -> StoredMessage:
    """Inside a transaction: the message with this id.

    Raises:
        UnknownConversationError: there is none (any more).
    """
    row = db.execute(_BY_CLIENT_ID, {"cid": conversation_id, "client": client_id}).first()
    if row is None:
        raise UnknownConversationError
    return _message(row)


def _line_is_needed(db: Connection, conversation_id: str, seq: int) -> bool:
    if db.execute(_STILL_WAITING, {"cid": conversation_id, "number": seq}).first() is None:
        return False
    return db.execute(_SYSTEM_LINE_SINCE, {"cid": conversation_id, "after": seq}).first() is None


def _numbered(
    conversation_id: str, to: int | None, first: int, replies: Sequence[tuple[Role, JsonParts]], at: datetime
) -> list[StoredMessage]:
    return [
        StoredMessage(conversation_id, first + place, role, at, parts, None, to)
        for place, (role, parts) in enumerate(replies)
    ]


def _as_row(
    message: StoredMessage, content_hash: str | None = None, payload: str | None = None
) -> dict[str, object]:
    return {
        "conversation_id": message.conversation_id,
        "seq": message.seq,
        "role": message.role,
        "client_id": message.client_id,
        "content_hash": content_hash,
        "reply_to": message.reply_to,
        "body": message.parts,
        "payload": payload,
        "author": message.author,
        "case_id": message.case_id,
        "state": "pending" if message.pending else "done",
        "created_at": message.at,
    }


def _message(row: Any) -> StoredMessage:
    return StoredMessage(
        row.conversation_id,
        row.seq,
        row.role,
        row.created_at,
        row.body,
        row.client_id,
        row.reply_to,
        row.state == "pending",
        row.author,
        row.case_id,
    )
