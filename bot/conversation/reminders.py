"""Reminders: cases without contact whose time runs out. Conversation room.

Nothing is kept here: what was reminded stands in the timeline of the case, so that a round after a long stop catches
up, and two processes do not both remind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.escalation.notices import Channel, Recipient, Reminder, reminder_due
from bot.storage.cases import Case, Cases
from bot.storage.database import Database
from bot.storage.notifications import NobodyToTellError, remind_in, reminded

ROUND_SECONDS = 30.0

log = structlog.get_logger("reminders")


class Reminders:
    """Tells the coach at 75 % of the time, the deputy and the administrators at 100 %."""

    def __init__(
        self,
        database: Database,
        deputies: Callable[[str, datetime], Sequence[Recipient]],
        channels: Sequence[Channel],
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """Wire up.

        Args:
            database: where cases are.
            deputies: the deputies of an organisation (its id) that are on duty at a moment.
            channels: over which people are told.
            wake: called when there is something to send.
            clock: the current moment, with time zone.
        """
        self._database = database
        self._cases = Cases(database)
        self._deputies = deputies
        self._channels = channels
        self._wake = wake
        self._clock = clock
        self._nobody: set[str] = set()

    async def run(self) -> None:
        """Keep at it until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:  # the database may be away for a moment; the next round does it
                log.exception("reminding failed")
            await asyncio.sleep(ROUND_SECONDS)

    async def round(self) -> int:
        """Remind of every case that is due for it; how many notices were written."""
        at = self._clock()
        due: dict[Reminder, list[Case]] = {}
        for case in await self._cases.to_remind(at):
            kind = reminder_due(case.opened_at, case.due_at, at)
            if kind is not None:
                due.setdefault(kind, []).append(case)
        written = 0
        for kind, cases in due.items():
            had = await self._reminded(cases, kind)
            for case in cases:
                if case.id not in had:
                    written += await self._remind(case, kind, at)
        if written:
            self._wake()
        return written

    async def _reminded(self, cases: Sequence[Case], kind: Reminder) -> set[str]:
        ids = [case.id for case in cases]
        return await self._database.read(lambda db: reminded(db, ids, kind))

    async def _remind(self, case: Case, kind: Reminder, at: datetime) -> int:
        try:
            deputies = self._deputies(case.organisation, at)
            return await self._database.write(
                lambda db: remind_in(db, case, kind, at, deputies=deputies, channels=self._channels)
            )
        except NobodyToTellError:
            if case.id not in self._nobody:  # looked for again each round, but said once
                self._nobody.add(case.id)
                log.error("nobody to remind", problem="no coach, deputy or administrator for a case")
        except Exception:  # one case must not hold up the others; the next round does it
            log.exception("reminding of a case failed")
        return 0
