"""What goes wrong in the chat API, as codes for programs and Dutch sentences for people. Channels room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ApiError:
    """One line of the table below."""

    status: int
    message: str


ERRORS: Final[dict[str, ApiError]] = {
    "bad_json": ApiError(400, "Dit verzoek is geen geldige JSON."),
    "bad_after": ApiError(400, "‘after’ moet een geheel getal zijn, 0 of meer."),
    "bad_request": ApiError(400, "Dit verzoek is niet in orde."),
    "bad_text": ApiError(400, "In dit bericht staan tekens die niet gelezen kunnen worden."),
    "unauthorized": ApiError(
        401, "Dit gesprek bestaat niet of niet meer. Je kan een nieuw gesprek beginnen."
    ),
    "identity": ApiError(
        400, "Kom hier zonder naam: stuur alleen de code, geen cookie en geen ander bewijs."
    ),
    "wrong_code": ApiError(404, "Deze code ken ik niet. Kijk de zestien cijfers nog eens na."),
    "no_case": ApiError(409, "Er is nu geen vraag bij een coach waar een code bij hoort."),
    "forbidden_origin": ApiError(403, "Vanaf deze site kan dit gesprek niet gevoerd worden."),
    "not_found": ApiError(404, "Dit adres bestaat niet."),
    "method_not_allowed": ApiError(405, "Dat kan niet op dit adres."),
    "conflict": ApiError(409, "Met dit kenmerk is al een ander bericht verstuurd."),
    "too_long": ApiError(413, "Je bericht is te lang. Kun je het korter zeggen, of in stukjes sturen?"),
    "too_large": ApiError(413, "Dit is te groot om te versturen."),
    "not_json": ApiError(415, "Stuur dit als JSON (Content-Type: application/json)."),
    "invalid": ApiError(422, "Dit bericht heeft niet de juiste vorm."),
    "empty": ApiError(422, "Je bericht is leeg."),
    "bad_id": ApiError(
        422, "Het kenmerk moet 1 tot 64 letters, cijfers, streepjes of liggende streepjes zijn."
    ),
    "bad_payload": ApiError(422, "Deze keuze is niet geldig."),
    "bad_title": ApiError(422, "De titel van deze keuze is niet geldig."),
    "rate_limited": ApiError(429, "Dat gaat even te snel. Wacht een momentje en probeer opnieuw."),
    "internal": ApiError(500, "Er liep iets mis bij ons. Probeer het zo opnieuw."),
    "unavailable": ApiError(503, "We zijn nog aan het opstarten. Probeer het zo opnieuw."),
}


class ApiProblemError(Exception):
    """Ends the handling of a request with a line of `ERRORS`; `retry_after` in whole seconds."""

    def __init__(self, code: str, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after

    def body(self) -> dict[str, str]:
        """The error as clients read it."""
        return {"error": self.code, "message": ERRORS[self.code].message}
