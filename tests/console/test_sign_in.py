"""Console room: signing in at the desk, over real HTTP."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from sqlalchemy import text

from bot.channels.limits import Buckets
from bot.console.sign_in import LOCKED, WRONG_CODE, WRONG_PASSWORD
from bot.logs import set_up_logs
from bot.storage import audit_log
from tests.console.conftest import (
    PASSWORD,
    SAME_SITE,
    RunningDesk,
    StartDesk,
    code_of,
    enrolled,
    give_password,
    is_in,
    refresh,
    sign_in,
)


async def actions(desk: RunningDesk) -> list[str]:
    return [entry.action for entry in await audit_log.entries(desk.desk.database)]


# --- password ---


async def test_the_first_log_in_sets_up_the_second_factor_and_shows_recovery_codes_once(
    desk: RunningDesk,
) -> None:
    account_id, _, codes, person = await enrolled(desk)
    assert len(set(codes)) == 10
    assert await is_in(person)
    assert codes[0] not in (await person.get("/account"))[1]
    record = await desk.desk.accounts.by_id(account_id)
    assert record is not None
    assert not set(codes) & set(record.recovery_hashes)
    assert await actions(desk) == ["account.added", "account.enrolled", "account.login"]


async def test_the_code_to_scan_stays_the_same_while_the_page_is_loaded_again(desk: RunningDesk) -> None:
    person = await desk.half_way()
    one, other = await person.get("/enrol"), await person.get("/enrol")
    assert one == other
    assert "<svg" in one[1]


async def test_an_unknown_address_is_answered_like_a_wrong_password(desk: RunningDesk) -> None:
    known = await desk.desk.accounts.by_id(await desk.account())
    disabled = await desk.desk.accounts.by_id(await desk.account())
    assert known is not None
    assert disabled is not None
    await desk.desk.accounts.disable(disabled.id, "boss", desk.clock())
    answers = []
    for email, password in (
        (known.email, "een fout wachtwoord"),
        ("nobody@example.org", "een fout wachtwoord"),
        ("nobody@example.org", PASSWORD),
        (disabled.email, PASSWORD),
        ("", ""),
    ):
        status, words = await desk.browser().post("/login", {"email": email, "password": password})
        answers.append((status, words.replace(f'value="{email}"', 'value=""')))
    assert answers[0][0] == 401
    assert WRONG_PASSWORD in answers[0][1]
    assert set(answers) == {answers[0]}
    # … and with as much work: one attempt and one line in the log each.
    assert (await actions(desk)).count("account.failed") == 5


async def test_the_address_may_be_typed_with_capitals_and_spaces(desk: RunningDesk) -> None:
    record = await desk.desk.accounts.by_id(await desk.account())
    assert record is not None
    fields = {"email": f" {record.email.upper()} ", "password": PASSWORD}
    assert (await desk.browser().post("/login", fields))[0] == 303


async def test_a_password_alone_opens_nothing_but_the_second_factor(desk: RunningDesk) -> None:
    person, _ = await give_password(desk, await desk.account())
    assert (await person.get("/enrol"))[0] == 200
    for path in ("/", "/account", "/cases/x", "/people"):
        assert (await person.get(path))[0] == 303
    await refresh(person, "/enrol")
    assert (await person.post("/account/recovery-codes"))[0] == 401


async def test_a_password_alone_is_forgotten_after_a_quarter_of_an_hour(desk: RunningDesk) -> None:
    person = await desk.half_way()
    desk.clock.move(minutes=15)
    assert (await person.get("/enrol"))[0] == 303


async def test_who_has_a_second_factor_is_never_shown_another_one(desk: RunningDesk) -> None:
    account_id, secret, _, _ = await enrolled(desk)
    person, answer = await give_password(desk, account_id)
    assert urlsplit(answer.headers["Location"]).path == "/desk/second-factor"
    assert (await person.get("/enrol"))[0] == 303
    await refresh(person, "/second-factor")
    assert (await person.post("/enrol", {"code": code_of(secret, desk.clock)}))[0] == 303
    assert not await is_in(person)


# --- codes and locks ---


async def test_a_code_does_not_count_twice(desk: RunningDesk) -> None:
    account_id, secret, _, _ = await enrolled(desk)
    used = code_of(secret, desk.clock)
    statuses = []
    for _ in range(2):
        person, _ = await give_password(desk, account_id)
        await refresh(person, "/second-factor")
        statuses.append((await person.post("/second-factor", {"code": used}))[0])
    assert statuses == [303, 401]


async def test_a_recovery_code_works_once(desk: RunningDesk) -> None:
    account_id, _, codes, _ = await enrolled(desk)
    statuses = []
    for code in (codes[3].upper(), codes[3], codes[4]):
        person, _ = await give_password(desk, account_id)
        await refresh(person, "/second-factor")
        statuses.append((await person.post("/second-factor", {"recovery": code}))[0])
    assert statuses == [303, 401, 303]


async def test_five_wrong_codes_lock_and_a_right_one_opens_after_a_quarter_of_an_hour(
    desk: RunningDesk,
) -> None:
    account_id, secret, _, _ = await enrolled(desk)
    person, _ = await give_password(desk, account_id)
    await refresh(person, "/second-factor")
    for number in range(5):
        status, words = await person.post("/second-factor", {"code": "000000"})
        assert status == 401
        assert (WRONG_CODE if number < 4 else LOCKED) in words
    assert (await person.post("/second-factor", {"code": code_of(secret, desk.clock)}))[0] == 401
    assert (await give_password(desk, account_id))[1].status == 401  # nor does the password help
    desk.clock.move(minutes=14, seconds=30)
    assert (await give_password(desk, account_id))[1].status == 401
    desk.clock.move(seconds=30)
    assert await is_in(await sign_in(desk, account_id, secret))
    assert (await actions(desk)).count("account.locked") == 1


async def test_five_wrong_passwords_lock_and_the_answer_stays_the_same(desk: RunningDesk) -> None:
    account_id = await desk.account()
    for _ in range(5):
        _, answer = await give_password(desk, account_id, "een fout wachtwoord")
        assert answer.status == 401
    _, answer = await give_password(desk, account_id)
    assert answer.status == 401
    assert WRONG_PASSWORD in await answer.text()
    desk.clock.move(minutes=15)
    assert (await give_password(desk, account_id))[1].status == 303


async def test_the_right_password_between_wrong_codes_buys_no_more_guesses(desk: RunningDesk) -> None:
    account_id, secret, _, _ = await enrolled(desk)
    for _ in range(5):
        person, _ = await give_password(desk, account_id)
        await refresh(person, "/second-factor")
        await person.post("/second-factor", {"code": "000000"})
    assert (await person.post("/second-factor", {"code": code_of(secret, desk.clock)}))[0] == 401


async def test_one_network_address_gets_only_so_many_tries(desk: RunningDesk) -> None:
    desk.desk.tries = Buckets(1 / 3600, 3, time.monotonic)
    fields = {"email": "nobody@example.org", "password": ""}
    statuses = [(await desk.browser().post("/login", fields))[0] for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    columns = "SELECT group_concat(sql) FROM sqlite_master"
    rows = await desk.desk.database.read(lambda db: db.execute(text(columns)).scalar())
    assert "address" not in rows  # it is counted in memory and kept nowhere


# --- sessions ---


async def test_the_token_is_new_at_every_step_of_signing_in(desk: RunningDesk) -> None:
    account_id = await desk.account()
    person = desk.browser(account_id)
    planted = "planted-by-someone-else"
    person.carry(planted)
    await give_password(desk, account_id, person=person)
    half_way, csrf = person.token, (await refresh(person, "/enrol"), person.csrf)[1]
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', (await person.get("/enrol"))[1])[1].replace(" ", "")
    assert (await person.post("/enrol", {"code": code_of(secret, desk.clock)}))[0] == 200
    whole = person.token
    assert len({planted, half_way, whole}) == 3
    assert await is_in(person)
    await refresh(person, "/account")
    assert person.csrf != csrf
    for old in (planted, half_way):
        other = desk.browser()
        other.carry(old)
        assert not await is_in(other)
        assert (await other.get("/second-factor"))[0] == 303


async def test_only_hashes_of_tokens_are_kept(desk: RunningDesk) -> None:
    _, _, codes, person = await enrolled(desk)
    token = person.token
    rows = text("SELECT group_concat(token_hash) || (SELECT group_concat(recovery_hashes) FROM accounts) ")
    kept = await desk.desk.database.read(
        lambda db: db.execute(text(f"{rows.text} FROM desk_sessions")).scalar()
    )
    assert token not in kept
    assert codes[0] not in kept


async def test_log_out_revokes_here_and_leaves_the_other_device(desk: RunningDesk) -> None:
    account_id, secret, _, one = await enrolled(desk)
    other = await sign_in(desk, account_id, secret)
    stolen = one.token
    await refresh(one, "/account")
    assert (await one.post("/logout"))[0] == 303
    assert one.token == ""
    thief = desk.browser()
    thief.carry(stolen)
    assert not await is_in(thief)
    assert await is_in(other)


async def test_a_session_ends_when_idle_and_at_the_latest_after_its_whole_life(desk: RunningDesk) -> None:
    person = await desk.sign_in()
    desk.clock.move(minutes=59)
    assert await is_in(person)
    desk.clock.move(minutes=60)
    assert not await is_in(person)
    person = await desk.sign_in()
    for _ in range(14):
        desk.clock.move(minutes=50)
        assert await is_in(person)
    desk.clock.move(minutes=20)
    assert not await is_in(person)


async def test_the_lifetimes_follow_the_settings(start_desk: StartDesk) -> None:
    desk = await start_desk(desk_idle_minutes=5, desk_session_hours=1)
    person = await desk.sign_in()
    desk.clock.move(minutes=5)
    assert not await is_in(person)


async def test_a_disabled_account_is_out_at_once(desk: RunningDesk) -> None:
    person, boss = await desk.sign_in(), await desk.sign_in("administrator")
    await refresh(boss, "/people")
    assert (await boss.post(f"/people/{person.account_id}/disable"))[0] == 303
    assert not await is_in(person)
    assert (await give_password(desk, person.account_id))[1].status == 401
    assert (await boss.post(f"/people/{boss.account_id}/disable"))[0] == 409
    assert await is_in(boss)
    assert (await boss.post("/people/nobody/disable"))[0] == 404


async def test_an_administrator_ends_the_sessions_of_someone_else(desk: RunningDesk) -> None:
    person, boss = await desk.sign_in(), await desk.sign_in("administrator")
    assert (await boss.post(f"/people/{person.account_id}/end-sessions"))[0] == 303
    assert not await is_in(person)
    assert "sessions_ended" in (await actions(desk))[-1]


# --- one's own account ---


async def test_a_new_password_needs_the_old_one_and_signs_out_everywhere_else(desk: RunningDesk) -> None:
    account_id, secret, _, one = await enrolled(desk)
    other = await sign_in(desk, account_id, secret)
    await refresh(one, "/account")
    new = "een heel ander wachtwoord"
    for fields in (
        {"old": "een fout wachtwoord", "new": new, "again": new},
        {"old": PASSWORD, "new": new, "again": new + "!"},
        {"old": PASSWORD, "new": "te kort", "again": "te kort"},
        {},
    ):
        assert (await one.post("/account/password", fields))[0] == 422
    before = one.token
    assert (await one.post("/account/password", {"old": PASSWORD, "new": new, "again": new}))[0] == 303
    assert one.token != before
    assert await is_in(one)
    assert not await is_in(other)
    assert (await give_password(desk, account_id))[1].status == 401
    assert (await give_password(desk, account_id, new))[1].status == 303


async def test_a_stolen_session_cannot_guess_the_password(desk: RunningDesk) -> None:
    person = await desk.sign_in()
    for _ in range(5):
        await person.post("/account/recovery-codes", {"password": "geraden wachtwoord"})
    assert (await person.post("/account/recovery-codes", {"password": PASSWORD}))[0] == 422


async def test_new_recovery_codes_take_the_place_of_the_old(desk: RunningDesk) -> None:
    account_id, _, codes, person = await enrolled(desk)
    await refresh(person, "/account")
    assert (await person.post("/account/recovery-codes", {"password": "geraden"}))[0] == 422
    status, words = await person.post("/account/recovery-codes", {"password": PASSWORD})
    assert status == 200
    new = re.search(r"<textarea[^>]*>([^<]+)<", words)[1].split()
    assert not set(new) & set(codes)
    for code, expected in ((codes[0], 401), (new[0], 303)):
        other, _ = await give_password(desk, account_id)
        await refresh(other, "/second-factor")
        assert (await other.post("/second-factor", {"recovery": code}))[0] == expected


async def test_the_other_sessions_are_listed_and_ended(desk: RunningDesk) -> None:
    account_id, secret, _, one = await enrolled(desk)
    other = await sign_in(desk, account_id, secret)
    words = await refresh(one, "/account")
    assert words.count("vandaag 10.00") >= 2
    assert words.count("dit toestel") == 1
    assert (await one.post("/account/sessions/end-others"))[0] == 303
    assert not await is_in(other)
    assert await is_in(one)


async def test_presence_is_switched_by_a_form_and_by_htmx(desk: RunningDesk) -> None:
    person = await desk.sign_in()
    fields = {"presence": "available", "next": "/desk/account"}
    assert (await person.post("/presence", fields))[0] == 303
    record = await desk.desk.accounts.by_id(person.account_id)
    assert record is not None
    assert record.presence == "available"
    status, words = await person.post("/presence", {"presence": "busy"}, headers={"HX-Request": "true"})
    assert status == 200
    assert re.search(r'value="busy" aria-pressed="true"', words)
    assert (await person.post("/presence", {"presence": "gone"}))[0] == 422


# --- demo accounts ---


async def test_demo_accounts_cannot_sign_in_outside_demo_mode(start_desk: StartDesk) -> None:
    demo, real = await start_desk(demo=True), await start_desk()
    account_id, secret, _, person = await enrolled(demo, demo=True)
    assert await is_in(person)
    assert (await give_password(real, account_id))[1].status == 401
    outside = real.browser()
    outside.carry(person.token)
    assert not await is_in(outside)
    assert await is_in(await sign_in(demo, account_id, secret))


async def test_every_page_says_that_a_demo_account_is_not_safe(start_desk: StartDesk) -> None:
    desk = await start_desk(demo=True)
    banner = "Demo: deze gebruikers zijn niet veilig"
    person = await desk.sign_in()
    assert banner not in (await desk.browser().get("/login"))[1]
    await desk.account(demo=True)
    for words in (
        await desk.browser().get("/login"),
        await person.get("/account"),
        await person.get("/people"),
    ):
        assert banner in words[1]


# --- what is logged ---


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("debug", "json", stream)
    yield stream
    root.handlers[:], root.level = before
    structlog.reset_defaults()


async def test_logs_hold_no_address_password_code_or_token(desk: RunningDesk, written: io.StringIO) -> None:
    account_id, secret, codes, person = await enrolled(desk)
    record = await desk.desk.accounts.by_id(account_id)
    assert record is not None
    desk.desk.handlers["account_page"] = _broken
    assert (await person.get("/account"))[0] == 500
    assert "request failed" in written.getvalue()
    for word in (PASSWORD, secret, codes[0], person.token, record.email, "127.0.0.1"):
        assert word not in written.getvalue()


async def _broken(_visit: object) -> None:
    raise RuntimeError("a fault")


async def test_the_page_one_wanted_is_shown_after_signing_in(desk: RunningDesk) -> None:
    account_id, secret, _, _ = await enrolled(desk)
    person = desk.browser(account_id)
    answer = await person.http.get(f"{desk.url}/desk/account?done=x", allow_redirects=False)
    wanted = parse_qs(urlsplit(answer.headers["Location"]).query)["next"][0]
    assert wanted == "/desk/account"
    record = await desk.desk.accounts.by_id(account_id)
    assert record is not None
    fields = {"email": record.email, "password": PASSWORD, "next": wanted}
    answer = await person.http.post(
        f"{desk.url}/desk/login", data=fields, headers=SAME_SITE, allow_redirects=False
    )
    onward = answer.headers["Location"]
    assert onward == "/desk/second-factor?next=/desk/account"
    words = await refresh(person, onward.removeprefix("/desk"))
    assert 'name="next" value="/desk/account"' in words
    fields = {"csrf": person.csrf, "next": wanted, "code": code_of(secret, desk.clock)}
    answer = await person.http.post(f"{desk.url}/desk/second-factor", data=fields, allow_redirects=False)
    assert answer.headers["Location"] == "/desk/account"
