"""People at work whom someone can turn to: what they do, how to reach them, whether they are bound to secrecy.

Room: pure core. Which of them an organisation has stands in its own file; what the kinds are, in
resources/support/contacts.yml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from bot.language.normalise import fold
from bot.resources import RESOURCES, Definition, SourcedDefinition, read_definition

RegionId = Literal["vlaanderen", "nederland"]
ContactKind = Literal[
    "vertrouwenspersoon",
    "preventieadviseur_psychosociaal",
    "arbeidsarts",
    "collega_coach",
    "hr",
    "leidinggevende",
    "externe_dienst",
    "preventieadviseur",
]
KINDS: tuple[ContactKind, ...] = get_args(ContactKind)
#: Who can be bound to secrecy (design: support.md, "People"). Of an external service, name its doctor or its
#: prevention adviser under their own kind.
CAN_BE_BOUND: frozenset[ContactKind] = frozenset(
    {"vertrouwenspersoon", "preventieadviseur_psychosociaal", "arbeidsarts"}
)
#: Two or three at a time (design: support.md, "Order").
AT_ONCE = 3

Line = Annotated[str, Field(min_length=1, max_length=300)]
ByRegion = dict[RegionId, Line]


class Contact(Definition):
    """One contact of an organisation. `phone` is a number, or an extension inside the house."""

    kind: ContactKind
    function: Annotated[str, Field(min_length=1, max_length=100)]
    what: Line
    phone: str | None = Field(default=None, pattern=r"^\+?[0-9][0-9 ./()-]{1,24}$")
    mail: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    place: Line | None = None
    hours: Line | None = None
    bound_to_secrecy: bool

    @model_validator(mode="after")
    def _promises_only_what_holds(self) -> Contact:
        if self.bound_to_secrecy and self.kind not in CAN_BE_BOUND:
            raise ValueError(
                f"bound_to_secrecy: {self.kind} is not bound; only {', '.join(sorted(CAN_BE_BOUND))} can be"
            )
        if not (self.phone or self.mail or self.place):
            raise ValueError("give a phone number, an address or a place: nobody can be reached without")
        return self

    @property
    def tel(self) -> str | None:
        """What a phone dials."""
        return "tel:" + re.sub(r"[^0-9+]", "", self.phone) if self.phone else None


class Kind(Definition):
    """What a kind of contact is, per region: without a title for a region it does not exist there."""

    kind: ContactKind
    title: ByRegion
    what: Line
    secrecy: ByRegion
    source: str
    called: list[str]


class Topic(Definition):
    """What a message can be about, by stems of words, and who fits."""

    id: str
    stems: list[str]
    kinds: list[ContactKind]


class Says(Definition):
    """The sentences around it."""

    intro: Line
    list_title: Line
    mail: Line
    place: Line
    hours: Line
    others: Line
    not_bound: Line
    general: Line
    where: Line


class ContactKinds(SourcedDefinition):
    """resources/support/contacts.yml."""

    kinds: list[Kind]
    topics: list[Topic]
    otherwise: list[ContactKind]
    says: Says

    @model_validator(mode="after")
    def _every_kind_once(self) -> ContactKinds:
        if sorted(kind.kind for kind in self.kinds) != sorted(KINDS):
            raise ValueError(f"kinds: each of {', '.join(KINDS)} once")
        return self

    def of(self, kind: ContactKind) -> Kind:
        """What this kind is."""
        return next(one for one in self.kinds if one.kind == kind)

    def secrecy(self, contact: Contact, region: RegionId) -> str:
        """Whether what is said to this contact stays there, in a sentence."""
        if contact.bound_to_secrecy is not (contact.kind in CAN_BE_BOUND):
            return self.says.not_bound
        return self.of(contact.kind).secrecy.get(region, self.says.not_bound)


def fitting(text: str, kinds: ContactKinds) -> list[ContactKind]:
    """The kinds of contact that fit a message, the best first: named ones, then those for what it is about.

    Never empty; `otherwise` when the message says nothing more.
    """
    words = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", fold(text[:2000]))
    named = [kind.kind for kind in kinds.kinds if _has(words, kind.called)]
    meant = [kind for topic in kinds.topics if _has(words, topic.stems) for kind in topic.kinds]
    return list(dict.fromkeys([*named, *meant])) or list(kinds.otherwise)


def in_order(
    contacts: Sequence[Contact], first: Sequence[ContactKind], kinds: ContactKinds
) -> tuple[list[Contact], list[Contact]]:
    """The contacts to show now, at most `AT_ONCE`, and the others; those of the kinds in `first` come first."""
    order = [*first, *(kind for kind in (*kinds.otherwise, *KINDS) if kind not in first)]
    found = sorted(contacts, key=lambda contact: order.index(contact.kind))
    shown = min(AT_ONCE, sum(contact.kind in first for contact in found) or AT_ONCE)
    return found[:shown], found[shown:]


def _has(words: Iterable[str], stems: Sequence[str]) -> bool:
    whole = {stem[:-1] for stem in stems if stem.endswith(".")}
    begins = tuple(stem for stem in stems if not stem.endswith("."))
    return any(word in whole or word.startswith(begins) for word in words)


@cache
def shipped_contact_kinds() -> ContactKinds:
    """The kinds in resources/, read once.

    Raises:
        ResourceError: they cannot be used.
    """
    return read_definition(RESOURCES / "support" / "contacts.yml", ContactKinds)
