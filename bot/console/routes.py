"""Every address of the desk, and who may use it. Console room; imports nothing heavy.

Closed by default: what does not stand here does not exist, and a route names who may use it. One test walks this
table with every role and with none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Who = Literal["anyone", "password", "coach", "lead_coach", "administrator"]

ANYONE: frozenset[Who] = frozenset({"anyone"})
#: The password was right; the second factor is still to be given or set up.
HALF_WAY: frozenset[Who] = frozenset({"password"})
COACHES: frozenset[Who] = frozenset({"coach", "lead_coach"})
LEADS: frozenset[Who] = frozenset({"lead_coach", "administrator"})
ADMINISTRATORS: frozenset[Who] = frozenset({"administrator"})
EVERYONE_SIGNED_IN: frozenset[Who] = COACHES | LEADS

PREFIX = "/desk"


@dataclass(frozen=True, slots=True)
class Route:
    """One address: method, path behind `PREFIX`, the handler's name, who may use it."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    who: frozenset[Who]


ROUTES: tuple[Route, ...] = (
    # Signing in: bot.console.sign_in.
    Route("GET", "/login", "login_page", ANYONE),
    Route("POST", "/login", "login", ANYONE),
    Route("GET", "/second-factor", "second_factor_page", HALF_WAY),
    Route("POST", "/second-factor", "second_factor", HALF_WAY),
    Route("GET", "/enrol", "enrol_page", HALF_WAY),
    Route("POST", "/enrol", "enrol", HALF_WAY),
    Route("POST", "/logout", "logout", EVERYONE_SIGNED_IN | HALF_WAY),
    # one's own account (bot.console.account)
    Route("GET", "/account", "account_page", EVERYONE_SIGNED_IN),
    Route("POST", "/account/password", "change_password", EVERYONE_SIGNED_IN),
    Route("POST", "/account/sessions/end-others", "end_other_sessions", EVERYONE_SIGNED_IN),
    Route("POST", "/account/recovery-codes", "new_recovery_codes", EVERYONE_SIGNED_IN),
    Route("POST", "/presence", "set_presence", COACHES),
    # accounts of others (bot.console.people)
    Route("GET", "/people", "people_page", ADMINISTRATORS),
    Route("POST", "/people/{account}/disable", "disable_account", ADMINISTRATORS),
    Route("POST", "/people/{account}/end-sessions", "end_sessions_of", ADMINISTRATORS),
    # the queue (bot.console.queue)
    Route("GET", "/", "queue_page", EVERYONE_SIGNED_IN),
    Route("GET", "/rows", "queue_rows", COACHES),
    Route("GET", "/news", "queue_news", COACHES),
    # a case (bot.console.case)
    Route("GET", "/cases/{case}", "case_page", COACHES),
    Route("GET", "/cases/{case}/print", "case_print", COACHES),
    Route("GET", "/cases/{case}/conversation", "case_conversation", COACHES),
    Route("GET", "/cases/{case}/news", "case_news", COACHES),
    Route("POST", "/cases/{case}/claim", "claim_case", COACHES),
    Route("POST", "/cases/{case}/release", "release_case", COACHES),
    Route("POST", "/cases/{case}/hand-over", "hand_over_case", COACHES),
    Route("POST", "/cases/{case}/call", "log_call", COACHES),
    Route("POST", "/cases/{case}/note", "add_note", COACHES),
    Route("POST", "/cases/{case}/follow-up", "set_follow_up", COACHES),
    Route("POST", "/cases/{case}/say", "say_to_person", COACHES),
    Route("POST", "/cases/{case}/typing", "coach_types", COACHES),
    Route("POST", "/cases/{case}/back-to-assistant", "back_to_assistant", COACHES),
    Route("POST", "/cases/{case}/close", "close_case", COACHES),
    # figures and what went wrong (bot.console.figures)
    Route("GET", "/figures", "figures_page", EVERYONE_SIGNED_IN),
    Route("GET", "/notifications", "notifications_page", LEADS),
    Route("POST", "/notifications/{notification}/again", "send_again", LEADS),
)
