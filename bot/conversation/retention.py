"""How long we keep things, and making sure the engine forgets as well. Conversation room."""

from __future__ import annotations

import asyncio
import calendar
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.conversation.engine_client import EngineClient
from bot.storage.keeping import Keeping
from bot.storage.message_log import MessageLog

TRACKERS_SECONDS = 30.0
CHOICES_MONTHS = 12  # sentences with what people meant by them are kept so long
IDLE_EVERY = 20  # idle conversations are looked for once in so many rounds: every ten minutes

log = structlog.get_logger("retention")


def months_before(moment: datetime, months: int) -> datetime:
    """The same day and time so many calendar months earlier; the last day of a shorter month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


class Retention:
    """Deletes what is past its time, here and in the engine."""

    def __init__(
        self,
        keeping: Keeping,
        messages: MessageLog,
        engine: EngineClient,
        *,
        words_hours: int,
        history_months: int,
        case_days: int,
        turn_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        """Wire up.

        Args:
            keeping: finds and deletes in the database.
            messages: holds the list of trackers the engine still has to delete.
            engine: deletes trackers.
            words_hours: words go this long after the last visit.
            history_months: with consent, check-ins stay this long after the last visit.
            case_days: cases lose what is personal this long after they were closed.
            turn_seconds: longest time of a turn.
            clock: the current moment, with time zone.
        """
        self._keeping = keeping
        self._messages = messages
        self._engine = engine
        self._words = timedelta(hours=words_hours)
        self._history_months = history_months
        self._cases = timedelta(days=case_days)
        # Only after this long no turn that was under way can write a tracker anew.
        self._settled = timedelta(seconds=3 * turn_seconds + 60)
        self._clock = clock

    async def run(self) -> None:
        """Keep at it until cancelled."""
        rounds = 0
        while True:
            try:
                if rounds % IDLE_EVERY == 0:
                    await self.delete_idle()
                await self.delete_trackers()
            except Exception:  # the database may be away for a moment; the next round does it
                log.exception("retention failed")
            rounds += 1
            await asyncio.sleep(TRACKERS_SECONDS)

    async def delete_idle(self) -> None:
        """Delete the words of idle conversations, and all of those without consent or idle too long."""
        now = self._clock()
        words_before = now - self._words
        whole = await self._keeping.forget_idle(
            words_before=words_before, history_before=months_before(now, self._history_months), at=now
        )
        words = await self._keeping.drop_idle_words(before=words_before, at=now)
        words += await self._keeping.wipe_cases(closed_before=now - self._cases)
        words += await self._keeping.drop_choices(before=months_before(now, CHOICES_MONTHS))
        if whole or words:
            await self._keeping.clear_traces()
            log.info("idle conversations deleted", count=whole + words)

    async def delete_trackers(self) -> None:
        """Have the engine delete what is noted; a note goes once the engine confirmed and no turn can run."""
        now = self._clock()
        for conversation_id, noted, last_seen in await self._messages.trackers_to_delete():
            if last_seen is not None and last_seen > noted:
                await self._messages.tracker_deleted(conversation_id)  # the person came back: it is in use
            elif not await self._engine.forget(conversation_id):
                return  # the engine is away; the notes stay
            elif last_seen is not None or now - noted > self._settled:
                await self._messages.tracker_deleted(conversation_id)
