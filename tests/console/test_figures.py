"""Console room: figures without people in them, and notifications that did not arrive."""

from __future__ import annotations

import re

import pytest

from bot.conversation.post import Post
from bot.escalation.cases import Scope
from bot.escalation.notices import Notice
from bot.storage.cases import Case
from bot.storage.database import Database
from bot.storage.notifications import Notifications, enqueue
from tests.console.conftest import Clock, RunningDesk, StartDesk
from tests.console.example_cases import add_case, hours, real_live


@pytest.fixture
async def desk(start_desk: StartDesk, database: Database, clock: Clock) -> RunningDesk:
    # Nothing is sent: there is no mail server, so what is told waits.
    post = Post(Notifications(database), {}, clock)
    return await start_desk(extra={"live": real_live(database, clock), "post": post})


def tile(text: str, name: str) -> str:
    """What stands under a name on the page."""
    found = re.search(rf"<dt>{name}</dt><dd>([^<]+)</dd>", text)
    assert found, name
    return found[1].strip()


async def tell(desk: RunningDesk, case: Case, recipient: str) -> None:
    payload = {"kind": "opened", "number": case.number, "urgency": "48h", "due_at": "", "page": "/desk/"}
    notice = Notice(f"case:{case.id}:opened:{recipient}:mail", "mail", recipient, payload)
    await desk.desk.database.write(lambda db: enqueue(db, [notice], desk.clock()))


# --- figures ---


async def test_an_administrator_sees_numbers_of_all_and_never_content(desk: RunningDesk) -> None:
    for organisation in ("zorgpunt", "elders"):
        for _ in range(6):
            await add_case(desk.desk.database, desk.clock() - hours(1), organisation=organisation)
    administrator = await desk.sign_in("administrator")
    status, text = await administrator.get("/figures")
    assert status == 200
    assert tile(text, "Open dossiers") == "12"
    for private in ("Robin", "0470", "Ik slaap slecht", "Dossier 1", "Slaap, druk"):
        assert private not in text


async def test_coaches_see_the_numbers_of_their_own_organisation(desk: RunningDesk) -> None:
    for _ in range(6):
        await add_case(desk.desk.database, desk.clock())
    for _ in range(5):
        await add_case(desk.desk.database, desk.clock(), organisation="elders")
    for role in ("coach", "lead_coach"):
        person = await desk.sign_in(role)
        assert tile((await person.get("/figures"))[1], "Open dossiers") == "6"


async def test_an_administrator_of_one_organisation_sees_its_numbers(desk: RunningDesk) -> None:
    for organisation in ("zorgpunt", "elders"):
        for _ in range(5):
            await add_case(desk.desk.database, desk.clock(), organisation=organisation)
    administrator = await desk.sign_in("administrator", organisation="elders")
    assert tile((await administrator.get("/figures"))[1], "Open dossiers") == "5"


async def test_small_numbers_are_hidden(desk: RunningDesk) -> None:
    for _ in range(3):
        await add_case(desk.desk.database, desk.clock() - hours(60))
    coach = await desk.sign_in("coach")
    _, text = await coach.get("/figures")
    assert tile(text, "Open dossiers") == "&lt; 5"
    assert tile(text, "Daarvan te laat") == "niet getoond"
    numbers = set(re.findall(r'data-name="(?:Nieuw|Opgenomen|Eerste contact)">([^<]+)<', text))
    assert numbers == {"0", "&lt; 5"}


async def test_a_rest_that_would_give_a_small_number_away_is_hidden_too(desk: RunningDesk) -> None:
    for age in [60] * 18 + [1] * 2:
        await add_case(desk.desk.database, desk.clock() - hours(age), with_chat=False)
    coach = await desk.sign_in("coach")
    _, text = await coach.get("/figures")
    assert tile(text, "Open dossiers") == "20"
    assert tile(text, "Daarvan te laat") == "&gt; 15"  # not 18: then 2 would be in time


async def test_the_figures_tell_how_soon_and_how_it_ended(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    scope, cases, at = Scope("zorgpunt", None), desk.desk.cases, desk.clock()
    for number in range(60):
        case = await add_case(desk.desk.database, at - hours(100), with_chat=False)
        await cases.claim(case.id, scope, coach.account_id, at - hours(99))
        await cases.change(case.id, scope, "contact", coach.account_id, at - hours(94))
        outcome = "talked" if number < 30 else "referred" if number < 57 else "other"
        await cases.change(case.id, scope, "close", coach.account_id, at, values={"outcome": outcome})
    _, text = await coach.get("/figures")
    assert tile(text, "Tijd tot het eerste contact, mediaan") == "6 uur"
    assert tile(text, "Bereikt binnen 48 uur") == "90 tot 100\u00a0%"
    assert tile(text, "Gesproken") == "30"
    assert tile(text, "Anders") == "&lt; 5"
    assert "Gesloten in de laatste 12 weken: minstens 57" in text
    week = re.search(r'Week 9 .*?data-name="Binnen 48 uur">([^<]+)<', text, re.DOTALL)
    assert week
    assert week[1] == "meer dan 92\u00a0%"


# --- notifications ---


async def test_a_notification_that_did_not_arrive_can_be_tried_again(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock())
    await tell(desk, case, "coach@example.org")
    kept = Notifications(desk.desk.database)
    [one] = await kept.due(desk.clock(), 10, ["mail"])
    await kept.failed(one.id, desk.clock(), "De mailserver weigerde de melding.", None)
    administrator = await desk.sign_in("administrator")
    _, text = await administrator.get("/notifications")
    for words in (
        "Nieuw dossier",
        str(case.number),
        "coach@example.org",
        "1 poging",
        "De mailserver weigerde",
    ):
        assert words in text, words
    status, _ = await administrator.post(f"/notifications/{one.id}/again")
    assert status == 303
    assert await kept.listing("dead", 10) == []
    [waiting] = await kept.listing("waiting", 10)
    assert waiting.id == one.id


async def test_a_lead_coach_sees_notifications_about_their_own_cases_only(desk: RunningDesk) -> None:
    mine = await add_case(desk.desk.database, desk.clock())
    theirs = await add_case(desk.desk.database, desk.clock(), organisation="elders")
    await tell(desk, mine, "hier@example.org")
    await tell(desk, theirs, "elders@example.org")
    lead = await desk.sign_in("lead_coach")
    _, text = await lead.get("/notifications")
    assert "hier@example.org" in text
    assert "elders@example.org" not in text
    found = {one.recipient: one.id for one in await Notifications(desk.desk.database).listing("waiting", 10)}
    assert (await lead.post(f"/notifications/{found['elders@example.org']}/again"))[0] == 404
    assert (await lead.post(f"/notifications/{found['hier@example.org']}/again"))[0] == 303


async def test_a_coach_does_not_see_notifications(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    assert (await coach.get("/notifications"))[0] == 403
    assert (await coach.post("/notifications/x/again"))[0] == 403


async def test_without_notifications_the_page_says_so(desk: RunningDesk) -> None:
    administrator = await desk.sign_in("administrator")
    _, text = await administrator.get("/notifications")
    assert "Alles is aangekomen." in text
    assert "Er wacht niets." in text
