"""People at work: who fits what is asked, and that nobody is said to keep a secret who is not bound to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.support.contacts import (
    CAN_BE_BOUND,
    KINDS,
    Contact,
    ContactKind,
    ContactKinds,
    fitting,
    in_order,
    shipped_contact_kinds,
)

SHIPPED = shipped_contact_kinds()


def contact(kind: ContactKind, **more: Any) -> Contact:
    return Contact.model_validate(
        {
            "kind": kind,
            "function": kind,
            "what": "Luistert.",
            "mail": "iemand@example.org",
            "bound_to_secrecy": kind in CAN_BE_BOUND,
            **more,
        }
    )


@pytest.mark.parametrize("kind", sorted(set(KINDS) - CAN_BE_BOUND))
def test_only_three_kinds_can_be_bound_to_secrecy(kind: ContactKind) -> None:
    assert {"vertrouwenspersoon", "preventieadviseur_psychosociaal", "arbeidsarts"} == CAN_BE_BOUND
    with pytest.raises(ValidationError, match="is not bound"):
        contact(kind, bound_to_secrecy=True)


@pytest.mark.parametrize("region", ["vlaanderen", "nederland"])
@pytest.mark.parametrize("kind", KINDS)
def test_of_everyone_it_is_said_whether_they_keep_it_to_themselves(kind: ContactKind, region: Any) -> None:
    said = SHIPPED.secrecy(contact(kind), region)
    assert ("geen beroepsgeheim" in said) == (
        (kind not in CAN_BE_BOUND and kind != "externe_dienst")
        or (kind == "preventieadviseur_psychosociaal" and region == "nederland")  # there is none there
    )


def test_one_who_could_be_bound_but_is_not_is_not_said_to_be() -> None:
    assert (
        SHIPPED.secrecy(contact("vertrouwenspersoon", bound_to_secrecy=False), "vlaanderen")
        == SHIPPED.says.not_bound
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"mail": None}, "nobody can be reached"),
        ({"mail": "geen adres"}, "mail"),
        ({"phone": "bel de balie"}, "phone"),
        ({"naam": "iemand"}, "naam"),
    ],
)
def test_a_contact_that_cannot_be_used_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        contact("hr", **change)


@pytest.mark.parametrize(
    ("phone", "tel"), [("4321", "tel:4321"), ("+32 (0)9 234", "tel:+3209234"), (None, None)]
)
def test_a_number_dials_what_it_shows(phone: str | None, tel: str | None) -> None:
    assert contact("hr", phone=phone).tel == tel


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("wie is onze vertrouwenspersoon", "vertrouwenspersoon"),
        ("ik word gepest door een collega, bij wie moet ik zijn", "vertrouwenspersoon"),
        ("bij wie meld ik ongewenst gedrag", "vertrouwenspersoon"),
        ("bij welke persoon kan ik terecht als mijn chef zelf het probleem is", "vertrouwenspersoon"),
        ("iemand met wie ik in vertrouwen kan praten", "vertrouwenspersoon"),
        ("Wie is de preventieadviseur psychosociale aspecten?", "preventieadviseur_psychosociaal"),
        ("bij wie kan ik terecht met werkdruk", "preventieadviseur_psychosociaal"),
        ("ik denk dat ik een burn-out heb, wie spreek ik aan", "preventieadviseur_psychosociaal"),
        ("hoe bereik ik de arbeidsarts", "arbeidsarts"),
        ("kent ge de naam van de bedrijfsdokter", "arbeidsarts"),
        ("ik was lang ziek en wil terugkeren, wie helpt mij", "arbeidsarts"),
        ("wie doet de re-integratie hier", "arbeidsarts"),
        ("hebben wij collega-coaches", "collega_coach"),
        ("is er een buddy die ik kan spreken", "collega_coach"),
        ("ik wil met een collega praten", "collega_coach"),
        ("met wie praat ik over mijn contract", "hr"),
        ("wie kijkt naar mijn uurrooster", "hr"),
        ("mail van HR graag", "hr"),
        ("waar vind ik de externe preventiedienst", "externe_dienst"),
        ("wie gaat over veilig tillen", "preventieadviseur"),
        ("bij wie kan ik terecht", "vertrouwenspersoon"),
        ("", "vertrouwenspersoon"),
        ("/ask_contact_person", "vertrouwenspersoon"),
    ],
)
def test_the_one_who_fits_comes_first(text: str, first: str) -> None:
    assert fitting(text, SHIPPED)[0] == first


@given(st.text(max_size=300))
def test_whatever_is_asked_somebody_fits_and_nobody_twice(text: str) -> None:
    found = fitting(text, SHIPPED)
    assert found
    assert len(set(found)) == len(found)


def test_two_or_three_at_a_time_and_the_others_are_not_lost() -> None:
    everyone = [contact(kind) for kind in KINDS]
    shown, others = in_order(everyone, fitting("ik word gepest", SHIPPED), SHIPPED)
    assert [one.kind for one in shown] == ["vertrouwenspersoon", "preventieadviseur_psychosociaal"]
    assert {one.kind for one in [*shown, *others]} == set(KINDS)
    shown, others = in_order(everyone, fitting("bij wie kan ik terecht", SHIPPED), SHIPPED)
    assert len(shown) == 3
    assert len(others) == 5


def test_without_the_one_who_fits_the_usual_ones_are_shown() -> None:
    shown, others = in_order([contact("hr"), contact("arbeidsarts")], ["collega_coach"], SHIPPED)
    assert [one.kind for one in shown] == ["arbeidsarts", "hr"]
    assert others == []


def test_every_kind_is_explained_once_with_its_source() -> None:
    assert all(kind.source and kind.what for kind in SHIPPED.kinds)
    for kind in SHIPPED.kinds:
        assert kind.title.keys() == kind.secrecy.keys()
    content = SHIPPED.model_dump()
    with pytest.raises(ValidationError, match="kinds"):
        ContactKinds.model_validate({**content, "kinds": content["kinds"][1:]})
