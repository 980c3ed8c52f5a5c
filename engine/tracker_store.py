"""Room `engine`: where conversations are kept. May know Rasa's tracker store interface and SQLAlchemy 1.4.

Rasa's SQL store reads and replays every event of a session at each message. This one keeps the live trackers
of the conversations of the moment in memory and adds only new events to the same table, so that `rasa shell`,
`rasa export` and a stock `rasa run` read the same database.
"""

from __future__ import annotations

import itertools
import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore, create_engine_kwargs
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT_NAME_KEY

DEFAULT_CACHED_EVENTS = 50_000  # of all kept conversations together: about 100 MB


class _Kept(NamedTuple):
    """A tracker with what the database held when the two were last equal."""

    tracker: DialogueStateTracker
    events: int  # how many of tracker.events the database holds
    last_id: int | None  # the database's newest event of this conversation


class _Shelf:
    """Trackers by conversation; those used longest ago make way when there are too many events."""

    def __init__(self, most_events: int) -> None:
        self._most_events = most_events
        self._events = 0
        self._held: OrderedDict[str, _Kept] = OrderedDict()

    def put(self, sender: str, kept: _Kept) -> None:
        self.take(sender)
        self._held[sender] = kept
        self._events += kept.events
        while self._held and self._events > self._most_events:
            self._events -= self._held.popitem(last=False)[1].events

    def take(self, sender: str) -> _Kept | None:
        kept = self._held.pop(sender, None)
        if kept is not None:
            self._events -= kept.events
        return kept

    def clear(self) -> None:
        self._held.clear()
        self._events = 0


class CachedSQLTrackerStore(SQLTrackerStore):
    """Rasa's SQL tracker store with live trackers kept between turns.

    A tracker handed out leaves the cache until it is saved. So a turn that fails half-way, and never saves,
    costs a read from the database at the next message, and its half-changed tracker is gone. A kept tracker
    is used only while the database's newest event is the one it was saved with: another process may write.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        event_broker: EventBroker | None = None,
        dialect: str = "sqlite",
        db: str = "rasa.db",
        cached_events: int = DEFAULT_CACHED_EVENTS,
        **kwargs: Any,
    ) -> None:
        """Open the database; trackers are kept as long as they hold `cached_events` together (0 keeps none)."""
        if dialect == "sqlite":
            Path(db).parent.mkdir(parents=True, exist_ok=True)
        self._kept = _Shelf(cached_events)
        self._lent = _Shelf(cached_events)
        super().__init__(domain=domain, event_broker=event_broker, dialect=dialect, db=db, **kwargs)
        if self.engine.dialect.name == "sqlite":
            self._use_one_wal_connection()
        else:
            self.engine.hide_parameters = True
        table = self.SQLEvent.__table__
        self._insert = table.insert()
        # `ORDER BY id DESC LIMIT 1` walks the sender index backwards; max(id) would read all of its rows.
        self._newest_id = (
            sa.select(table.c.id)
            .where(table.c.sender_id == sa.bindparam("sender"))
            .order_by(table.c.id.desc())
            .limit(1)
        )

    def _use_one_wal_connection(self) -> None:
        """Replace the engine: a file database otherwise opens a new connection for every session.

        WAL with synchronous=NORMAL survives `kill -9` of this process at any moment; only a power cut may
        lose the last turns, never the database. What was deleted is overwritten (secure_delete). Statement
        parameters stay out of error messages: they hold what people wrote.
        """
        url = self.engine.url
        self.engine.dispose()
        self.engine = sa.create_engine(
            url,
            **{
                **create_engine_kwargs(url),
                "poolclass": sa.pool.StaticPool,
                "hide_parameters": True,
                "connect_args": {"check_same_thread": False, "timeout": 5.0},
            },
        )

        def set_pragmas(connection: Any, _record: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")

        sa.event.listen(self.engine, "connect", set_pragmas)
        self.Base.metadata.create_all(self.engine)
        self.sessionmaker = sa.orm.session.sessionmaker(bind=self.engine)

    @property
    def domain(self) -> Domain:
        """The domain of the model in use."""
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        # None comes from an agent without a model yet (start-up, PUT /model): the old domain stays in force.
        if domain is not None and domain is not self._domain:
            self._domain = domain
            self._kept.clear()  # kept trackers carry the old domain's slots

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Take the tracker of the latest session out of the cache, or read it from the database."""
        newest = self._newest_event_id(sender_id)
        kept = self._kept.take(sender_id)
        if kept is None or kept.last_id != newest:
            tracker = await super().retrieve(sender_id)
            if tracker is None:
                self._lent.take(sender_id)
                return None
            kept = _Kept(tracker, len(tracker.events), newest)
        self._lent.put(sender_id, kept)
        return kept.tracker

    async def peek(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker as `retrieve` would give it, for reading only: it stays in the cache."""
        tracker = await self.retrieve(sender_id)
        lent = self._lent.take(sender_id)
        if lent is not None:
            self._kept.put(sender_id, lent)
        return tracker

    async def exists(self, conversation_id: str) -> bool:
        """Whether anything is stored for this conversation."""
        return self._newest_event_id(conversation_id) is not None

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Write the events that are not stored yet in one transaction.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: nothing was written; the next turn starts from what is stored.
        """
        sender = tracker.sender_id
        lent = self._lent.take(sender)
        self._kept.take(sender)
        if lent is not None and lent.tracker is tracker:
            events = list(itertools.islice(tracker.events, lent.events, None))
            last_id = lent.last_id
        else:
            with self.session_scope() as session:
                events = list(self._additional_events(session, tracker))
            last_id = None if events else self._newest_event_id(sender)
        if events:
            last_id = self._write(sender, events)
            if self.event_broker is not None:
                await self._stream_new_events(self.event_broker, events, sender)
        saved = _Kept(tracker, len(tracker.events), last_id)
        if not tracker.events:
            # A new tracker is saved empty before its first turn: whoever made it goes on changing it.
            self._lent.put(sender, saved)
        elif not any(isinstance(event, SessionStarted) for event in events):
            # After a session start a cold read begins there, while the live tracker holds what came before.
            self._kept.put(sender, saved)

    async def delete(self, sender_id: str) -> int:
        """Forget a conversation for good; returns how many events were deleted."""
        self._kept.take(sender_id)
        self._lent.take(sender_id)
        table = self.SQLEvent.__table__
        with self.engine.begin() as connection:
            deleted: int = connection.execute(table.delete().where(table.c.sender_id == sender_id)).rowcount
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:  # out of the write-ahead log as well
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def _write(self, sender: str, events: Sequence[Event]) -> int | None:
        rows = [_row(sender, event) for event in events]
        with self.engine.begin() as connection:
            connection.execute(self._insert, rows)
            newest: int | None = connection.execute(self._newest_id, {"sender": sender}).scalar()
        return newest

    def _newest_event_id(self, sender: str) -> int | None:
        with self.engine.connect() as connection:
            newest: int | None = connection.execute(self._newest_id, {"sender": sender}).scalar()
        return newest


def _row(sender: str, event: Event) -> dict[str, Any]:
    """One row as Rasa's own store writes it."""
    data = event.as_dict()
    return {
        "sender_id": sender,
        "type_name": event.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get(INTENT_NAME_KEY),
        "action_name": data.get("name"),
        "data": json.dumps(data),
    }
