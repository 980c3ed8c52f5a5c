"""Whom someone can turn to at work: the organisation's own people first, else what there usually is.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import listed, settings
from bot.escalation.organisation import Organisation, OrganisationFile
from bot.support.contacts import (
    AT_ONCE,
    Contact,
    ContactKind,
    ContactKinds,
    RegionId,
    fitting,
    in_order,
    shipped_contact_kinds,
)


class ContactPerson(Action):
    """Shows who fits what was asked: what they do, how to reach them, whether they are bound to secrecy."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_contact_person"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say them; nothing is asked."""
        kinds = shipped_contact_kinds()
        fits = fitting(tracker.latest_message.get("text") or "", kinds)
        organisation = _file().current()
        if organisation is not None and organisation.contacts:
            _show_own(dispatcher, organisation, fits, kinds)
        else:
            _explain(dispatcher, fits, kinds)
        return []


@cache
def _file() -> OrganisationFile:
    return OrganisationFile(settings().organisation_file)


def _show_own(
    dispatcher: CollectingDispatcher,
    organisation: Organisation,
    fits: Sequence[ContactKind],
    kinds: ContactKinds,
) -> None:
    """Those with a number as lines that dial, the others in words; the rest by name only."""
    says, region = kinds.says, organisation.region
    shown, others = in_order(organisation.contacts, fits, kinds)
    with_number = [contact for contact in shown if contact.phone]
    written = [_in_words(contact, kinds, region) for contact in shown if not contact.phone]
    intro = says.intro.format(organisation=organisation.name)
    dispatcher.utter_message(text="\n".join([intro, *written]) if written else intro)
    if with_number:
        lines = [_as_line(contact, place, kinds, region) for place, contact in enumerate(with_number)]
        part = {"type": "help_lines", "title": says.list_title, "lines": lines}
        dispatcher.utter_message(json_message=part)
    if others:
        functions = list(dict.fromkeys(contact.function for contact in others))
        dispatcher.utter_message(text=says.others.format(others=listed(functions)))


def _explain(dispatcher: CollectingDispatcher, fits: Sequence[ContactKind], kinds: ContactKinds) -> None:
    """What there usually is, without names or numbers."""
    region = cast(RegionId, settings().region)
    known = [kind for kind in (*fits, *kinds.otherwise) if region in kinds.of(kind).title]
    lines = [
        f"• {kinds.of(kind).title[region]}. {kinds.of(kind).what} {kinds.of(kind).secrecy[region]}"
        for kind in list(dict.fromkeys(known))[:AT_ONCE]
    ]
    dispatcher.utter_message(text="\n".join([kinds.says.general, *lines]))
    dispatcher.utter_message(text=kinds.says.where)


def _as_line(contact: Contact, place: int, kinds: ContactKinds, region: RegionId) -> dict[str, Any]:
    what = [contact.what, *_ways(contact, kinds), kinds.secrecy(contact, region)]
    return {
        "id": f"contact_{place}",
        "name": contact.function,
        "number": contact.phone,
        "tel": contact.tel,
        "what": " ".join(_closed(sentence) for sentence in what),
        "hours": contact.hours,
    }


def _in_words(contact: Contact, kinds: ContactKinds, region: RegionId) -> str:
    hours = [kinds.says.hours.format(hours=contact.hours)] if contact.hours else []
    told = [contact.function, contact.what, *_ways(contact, kinds), *hours, kinds.secrecy(contact, region)]
    return "• " + " ".join(_closed(sentence) for sentence in told)


def _ways(contact: Contact, kinds: ContactKinds) -> list[str]:
    says = kinds.says
    mail = [says.mail.format(mail=contact.mail)] if contact.mail else []
    return mail + ([says.place.format(place=contact.place)] if contact.place else [])


def _closed(sentence: str) -> str:
    """With a full stop; an organisation writes its lines with or without."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
