"""Console room: the queue. Who sees which cases, in which order, and how soon."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.console import news
from bot.escalation.cases import Scope
from bot.storage.database import Database
from tests.console.conftest import Clock, Person, RunningDesk, StartDesk
from tests.console.example_cases import add_case, hours, real_live
from tests.running import until

ZORGPUNT = Scope("zorgpunt", None)


@pytest.fixture
async def desk(start_desk: StartDesk, database: Database, clock: Clock) -> RunningDesk:
    return await start_desk(extra={"live": real_live(database, clock)})


def numbers(text: str) -> list[int]:
    """The numbers of the cases on a page, in order."""
    return [int(found) for found in re.findall(r">Dossier (\d+)</a>", text)]


@asynccontextmanager
async def listening(
    person: Person, path: str, **headers: str
) -> AsyncIterator[asyncio.Queue[tuple[str, str]]]:
    """A stream of news, read as a browser does: names and data of events."""
    events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    answer = await person.http.get(f"{person.url}/desk{path}", headers=headers)
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"

    async def read() -> None:
        try:
            name = ""
            async for line in answer.content:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                name = value if field == "event" else name
                if field == "data":
                    events.put_nowait((name, value))
            events.put_nowait(("end", ""))
        except aiohttp.ClientError:
            events.put_nowait(("end", "broken"))

    reading = asyncio.create_task(read())
    try:
        yield events
    finally:
        reading.cancel()
        answer.close()


async def mark_of(person: Person) -> str:
    """The address of the news as the page gives it."""
    _, text = await person.get("/")
    found = re.search(r'data-news="/desk(/news\?since=[\d-]+)"', text)
    assert found
    return found[1]


# --- who sees what ---


async def test_a_coach_sees_only_cases_of_their_own_organisation(desk: RunningDesk) -> None:
    mine = await add_case(desk.desk.database, desk.clock())
    theirs = await add_case(desk.desk.database, desk.clock(), organisation="elders")
    coach = await desk.sign_in("coach")
    for path in ("/", "/rows", "/?closed=1", f"/?text={theirs.number}"):
        _, text = await coach.get(path)
        assert theirs.number not in numbers(text), path
    assert numbers((await coach.get("/"))[1]) == [mine.number]
    for path in ("", "/print", "/conversation", "/news"):
        status, text = await coach.get(f"/cases/{theirs.id}{path}")
        assert status == 404, path
        assert "Robin" not in text
    assert (await coach.post(f"/cases/{theirs.id}/claim"))[0] == 404


async def test_a_coach_of_a_region_sees_every_organisation_in_it(desk: RunningDesk) -> None:
    one = await add_case(desk.desk.database, desk.clock())
    other = await add_case(desk.desk.database, desk.clock(), organisation="elders")
    await add_case(desk.desk.database, desk.clock(), region="nederland")
    coach = await desk.sign_in("coach", organisation=None, region="vlaanderen")
    assert set(numbers((await coach.get("/"))[1])) == {one.number, other.number}


async def test_an_administrator_gets_figures_and_no_case(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock())
    administrator = await desk.sign_in("administrator")
    status, _ = await administrator.get("/")
    assert status == 303
    for path in ("/rows", "/news", f"/cases/{case.id}", f"/cases/{case.id}/conversation"):
        assert (await administrator.get(path))[0] == 403, path
    assert (await administrator.post(f"/cases/{case.id}/claim"))[0] == 403


async def test_the_queue_shows_neither_name_nor_number_nor_words(desk: RunningDesk) -> None:
    await add_case(desk.desk.database, desk.clock())
    coach = await desk.sign_in("coach")
    _, text = await coach.get("/")
    assert "Slaap, druk en vermoeidheid" in text
    for private in ("Robin", "0470", "Ik slaap slecht"):
        assert private not in text


# --- order and words ---


async def test_cases_stand_by_urgency_and_then_by_time_left(desk: RunningDesk) -> None:
    at, database = desk.clock(), desk.desk.database
    week = await add_case(database, at - hours(30), urgency="week")
    late = await add_case(database, at - hours(50))
    soon = await add_case(database, at - hours(40))
    now = await add_case(database, at, urgency="now")
    coach = await desk.sign_in("coach")
    _, text = await coach.get("/")
    assert numbers(text) == [case.number for case in (now, late, soon, week)]
    for words in ("nog 1 uur", "2 uur te laat", "nog 8 uur", "Nu", "Binnen 48 uur", "Binnen een week"):
        assert words in text, words


async def test_a_case_that_was_reached_is_not_called_late(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock() - hours(50))
    coach = await desk.sign_in("coach")
    await coach.post(f"/cases/{case.id}/claim")
    await coach.post(f"/cases/{case.id}/call", {"result": "reached", "text": ""})
    _, text = await coach.get("/")
    assert "te laat" not in text
    assert "bereikt vandaag" in text
    assert numbers((await coach.get("/?view=overdue"))[1]) == []


async def test_a_case_the_guard_flagged_shows_it(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock())
    coach = await desk.sign_in("coach")
    assert "Mogelijk gevaar" not in (await coach.get("/"))[1]
    await coach.post(f"/cases/{case.id}/claim")
    values = {"flagged_at": desk.clock()}
    await desk.desk.cases.change(case.id, ZORGPUNT, "contact", coach.account_id, desk.clock(), values=values)
    assert "Mogelijk gevaar" in (await coach.get("/"))[1]


# --- filters ---


async def test_filters_leave_only_what_is_asked_for(desk: RunningDesk) -> None:
    at, database = desk.clock(), desk.desk.database
    late = await add_case(database, at - hours(49))
    plain = await add_case(database, at, contact={"way": "mail", "mail": "a@example.org", "name": "Sam_1"})
    week = await add_case(database, at, urgency="week", contact={"way": "chat"})
    gone = await add_case(database, at)
    coach = await desk.sign_in("coach")
    for case in (week, gone):
        await coach.post(f"/cases/{case.id}/claim")
    await coach.post(f"/cases/{gone.id}/close", {"outcome": "talked"})
    asked = {
        "/": [late, plain, week],
        "/?view=mine": [week],
        "/?mine=1": [week],
        "/?view=overdue": [late],
        "/?urgency=week": [week],
        "/?closed=1": [late, plain, gone, week],
        f"/?text={plain.number}": [plain],
        "/?text=sam": [plain],
        "/?text=SAM_": [plain],
        "/?text=s%25m": [],
        f"/?text={gone.number}": [],
        f"/?text={gone.number}&closed=1": [gone],
        "/?text=%27%3B--": [],
        "/?view=nonsense&urgency=nonsense&page=nonsense&closed=nonsense": [late, plain, week],
    }
    for path, expected in asked.items():
        status, text = await coach.get(path)
        assert status == 200, path
        assert sorted(numbers(text)) == sorted(case.number for case in expected), path


async def test_pages_hold_fifty_and_keep_the_filters(desk: RunningDesk) -> None:
    made = [await add_case(desk.desk.database, desk.clock(), with_chat=False) for _ in range(53)]
    coach = await desk.sign_in("coach")
    _, first = await coach.get("/?urgency=48h")
    _, second = await coach.get("/?urgency=48h&page=2")
    assert len(numbers(first)) == 50
    assert "/desk/?urgency=48h&amp;page=2" in first
    assert set(numbers(first) + numbers(second)) == {case.number for case in made}
    assert "51 tot 53 van 53" in second
    _, beyond = await coach.get("/?page=9")
    assert numbers(beyond) == numbers(second)


async def test_the_counts_are_those_of_this_coach(desk: RunningDesk) -> None:
    at, database = desk.clock(), desk.desk.database
    case = await add_case(database, at - hours(50))
    await add_case(database, at)
    await add_case(database, at, organisation="elders")
    coach, other = await desk.sign_in("coach"), await desk.sign_in("coach")
    await coach.post(f"/cases/{case.id}/claim")

    def counted(text: str) -> list[str]:
        return re.findall(r'class="number[a-z ]*">(\d+)<', text)

    assert counted((await coach.get("/"))[1]) == ["2", "1", "1"]
    assert counted((await other.get("/"))[1]) == ["2", "0", "1"]


# --- taking a case ---


async def test_of_two_coaches_the_slower_one_is_told_who_has_it(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock())
    one, two = (
        await desk.sign_in("coach", name="An Voorbeeld"),
        await desk.sign_in("coach", name="Bo Voorbeeld"),
    )
    answers = await asyncio.gather(*(one.post(f"/cases/{case.id}/claim") for one in (one, two)))
    assert [status for status, _ in answers] == [303, 303]
    owner = (await desk.desk.cases.case(case.id, ZORGPUNT)).owner_id
    slower, faster = (two, "An Voorbeeld") if owner == one.account_id else (one, "Bo Voorbeeld")
    _, text = await slower.get(f"/cases/{case.id}?notice=taken")
    assert f"Iemand was je net voor. {faster} heeft dit dossier." in text
    assert 'name="text" rows="4"' not in text  # no box to write to the person


async def test_the_claim_button_leads_to_the_case(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock())
    coach = await desk.sign_in("coach")
    async with coach.http.post(
        f"{desk.url}/desk/cases/{case.id}/claim", data={"csrf": coach.csrf}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == f"/desk/cases/{case.id}?notice=claimed"


async def test_a_second_press_of_the_claim_button_is_no_loss(desk: RunningDesk) -> None:
    case = await add_case(desk.desk.database, desk.clock())
    coach = await desk.sign_in("coach")
    for _ in range(2):
        async with coach.http.post(
            f"{desk.url}/desk/cases/{case.id}/claim", data={"csrf": coach.csrf}, allow_redirects=False
        ) as answer:
            assert answer.headers["Location"].endswith("notice=claimed")


# --- live ---


async def test_a_new_case_is_told_within_two_seconds(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    async with listening(coach, await mark_of(coach)) as events:
        await add_case(desk.desk.database, desk.clock())
        async with asyncio.timeout(2):
            assert await events.get() == ("changed", "1")
    assert len(numbers((await coach.get("/rows"))[1])) == 1


async def test_what_happened_before_the_stream_stood_is_told_too(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    address = await mark_of(coach)
    await add_case(desk.desk.database, desk.clock())
    async with listening(coach, address) as events, asyncio.timeout(2):
        assert await events.get() == ("changed", "1")


async def test_after_a_broken_connection_nothing_is_told_twice(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    address = await mark_of(coach)
    await add_case(desk.desk.database, desk.clock())
    known = (await mark_of(coach)).removeprefix("/news?since=")
    async with listening(coach, address, **{"Last-Event-ID": known}) as events:
        await add_case(desk.desk.database, desk.clock())
        async with asyncio.timeout(2):
            assert await events.get() == ("changed", "2")


async def test_a_stream_ends_when_the_session_is_ended(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    async with listening(coach, await mark_of(coach)) as events:
        await desk.desk.accounts.end_sessions(coach.account_id, coach.account_id, desk.clock())
        async with asyncio.timeout(2):
            assert await events.get() == ("end", "")


async def test_a_stream_ends_when_the_app_stops(desk: RunningDesk) -> None:
    coach = await desk.sign_in("coach")
    async with listening(coach, await mark_of(coach)) as events:
        news.end_streams(desk.desk)
        async with asyncio.timeout(2):
            assert await events.get() == ("end", "")


async def test_a_quiet_stream_gives_a_sign_of_life(
    desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "BEAT_SECONDS", 0.0)
    coach = await desk.sign_in("coach")
    async with coach.http.get(f"{desk.url}/desk{await mark_of(coach)}") as answer, asyncio.timeout(10):
        while not (await answer.content.readline()).startswith(b":"):
            pass


async def test_a_stream_ends_when_nobody_listens_any_more(desk: RunningDesk) -> None:
    def streams() -> int:
        found = 0
        for task in asyncio.all_tasks():
            waits: object = task.get_coro()
            while waits is not None:
                frame = getattr(waits, "cr_frame", None)
                found += frame is not None and frame.f_code is news.stream.__code__
                waits = getattr(waits, "cr_await", None)
        return found

    coach = await desk.sign_in("coach")
    async with listening(coach, await mark_of(coach)):
        assert streams() == 1

    async def gone() -> bool:
        return streams() == 0

    await until(gone)


@pytest.mark.parametrize("path", ["/news", "/rows"])
async def test_live_news_is_for_who_is_signed_in(desk: RunningDesk, path: str) -> None:
    status, _ = await desk.browser().get(path)
    assert status == 303
