"""Conversation room: whoever asks for a coach always hears a time that can be kept, and a line that is open."""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.conversation.hand_off import ToCoach
from bot.escalation.flow import COMMAND
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.escalation.organisation import OrganisationFile, coach_from
from bot.resources import RESOURCES
from bot.screening.sharing import Shareable
from bot.storage.cases import Case
from bot.storage.crisis_log import Situation
from bot.storage.hand_overs import DeskView, HandOffRecord
from bot.support.help_lines import Regions, load_help_lines

BRUSSELS = ZoneInfo("Europe/Brussels")
EXAMPLE = RESOURCES / "organisation.example.yml"
ON_WEEKDAYS = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


def organisation(folder: Path, days_off: list[Any]) -> OrganisationFile:
    """The example's file with one coach, who works on weekdays from nine to five."""
    content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    content["region"] = "vlaanderen"
    content["coaches"] = {
        "hours": {**ON_WEEKDAYS, "closed_on_holidays": True},
        "on_duty": [{"email": "ilse@example.org", "days_off": days_off}],
    }
    path = folder / "organisation.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    return OrganisationFile(path)


def case(opened: datetime, due: datetime) -> Case:
    return Case(
        "c", 1001, "p", "x", "vlaanderen", "request", "new", "48h", opened, due, None, None, None, None, None,
        None, None, {"way": "phone", "phone": "0470 12 34 56"}, None, None, [], None, None, None,
    )  # fmt: skip


def said(
    file: OrganisationFile, now: datetime, open_case: Case | None, stage: str | None
) -> list[dict[str, Any]]:
    """What someone reads who asks for a coach (stage None), or who passes on what they chose."""
    regions = Regions(load_help_lines(RESOURCES / "help_lines"), "vlaanderen")
    found = file.current()
    assert found is not None, file.faults
    way = ToCoach(shipped_hand_off_texts(), regions, found.id, lambda at: coach_from(found, at))
    record = None if stage is None else HandOffRecord(stage, {"way": "chat", "words": ""}, now)
    view = DeskView(True, open_case, Shareable(None, (), 0))
    tap = "/request_human" if stage is None else f'{COMMAND}{{"answer": "send"}}'
    ruling = way.inbound("", tap, Situation((), None, "bot", record, lambda: view), now)
    assert ruling is not None
    if ruling.opening is not None and ruling.opened is not None:
        due = {"48h": 48, "now": 1, "week": 168}[ruling.opening.urgency]
        opened = case(now, datetime.fromtimestamp(now.timestamp() + due * 3600, BRUSSELS))
        return [part for parts in ruling.opened(opened) for part in parts]
    return [part for parts in ruling.replies for part in parts]


def words(parts: list[dict[str, Any]]) -> str:
    return " ".join(part["text"] for part in parts if part["type"] == "text")


def has_open_line(parts: list[dict[str, Any]]) -> bool:
    return any(line["open_now"] for part in parts if part["type"] == "help_lines" for line in part["lines"])


@pytest.mark.parametrize(
    ("now", "days_off", "says"),
    [
        # A Thursday, three in the morning: someone works at nine, and 48 hours later it is Saturday.
        (datetime(2026, 11, 26, 3, tzinfo=BRUSSELS), [], "Er is weer iemand vanaf vandaag om 9 uur"),
        # A Friday evening: after 48 hours it is Sunday, when nobody works. Monday is what can be kept.
        (datetime(2026, 11, 27, 20, tzinfo=BRUSSELS), [], "zodra er weer iemand is: maandag"),
        # Christmas Eve, in the evening: Christmas is a Friday, then it is weekend.
        (datetime(2026, 12, 24, 20, tzinfo=BRUSSELS), [], "zodra er weer iemand is: maandag om 9 uur"),
        # The coach is away for a week.
        (
            datetime(2026, 11, 26, 14, tzinfo=BRUSSELS),
            [{"from": date(2026, 11, 26), "until": date(2026, 12, 2)}],
            "zodra er weer iemand is: donderdag 3 december",
        ),
    ],
    ids=["3 a.m.", "weekend", "Christmas", "on holiday"],
)
def test_without_a_coach_the_time_is_honest_and_a_line_is_open(
    tmp_path: Path, now: datetime, days_off: list[Any], says: str
) -> None:
    parts = said(organisation(tmp_path, days_off), now, None, "preview")
    assert says in words(parts)
    assert has_open_line(parts)


def test_while_a_coach_works_the_person_hears_so(tmp_path: Path) -> None:
    parts = said(organisation(tmp_path, []), datetime(2026, 11, 26, 10, tzinfo=BRUSSELS), None, "preview")
    assert "ten laatste zaterdag 28 november om 10 uur" in words(parts)
    assert "Er is nu een coach aan het werk" in words(parts)


def test_an_overdue_case_is_not_promised_for_a_moment_that_is_past(tmp_path: Path) -> None:
    now = datetime(2026, 11, 26, 3, tzinfo=BRUSSELS)
    late = case(datetime(2026, 11, 23, 12, tzinfo=BRUSSELS), datetime(2026, 11, 25, 12, tzinfo=BRUSSELS))
    parts = said(organisation(tmp_path, []), now, late, None)
    assert "Het duurt al langer dan beloofd" in words(parts)
    assert "25 november" not in words(parts)
    assert has_open_line(parts)
