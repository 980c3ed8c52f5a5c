"""The one message model: a small closed set of typed parts that every channel can draw.

Base room: imports nothing of ours. Actions build parts and send them through Rasa as `custom` JSON; the
conversation room reads them back with `parts_from_rasa`; channels draw them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

Role = Literal["user", "bot", "system", "coach"]


class _Record(BaseModel):
    """Frozen, strict about types, and closed: a misspelt key is an error, not a silent loss."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class Text(_Record):
    """A plain text bubble; line breaks are kept, nothing in it is markup."""

    type: Literal["text"] = "text"
    text: str = Field(min_length=1)


class Choice(_Record):
    """One quick reply: what the person reads, and what is sent when it is tapped."""

    title: str = Field(min_length=1)
    payload: str = Field(min_length=1)


class QuickReplies(_Record):
    """Choices beside free text."""

    type: Literal["quick_replies"] = "quick_replies"
    choices: list[Choice] = Field(min_length=1)


class Scale(_Record):
    """A score question. The client puts the chosen whole number in place of `$value` in `payload`."""

    type: Literal["scale"] = "scale"
    item: str
    min: int
    max: int
    min_label: str
    max_label: str
    payload: str = Field(pattern=r"\$value")
    skip_payload: str


class Option(_Record):
    """One thing to tick; one that is `alone` ("none of these") unticks the others."""

    code: str = Field(min_length=1)
    title: str = Field(min_length=1)
    alone: bool = False


class MultiSelect(_Record):
    """A question with several answers. The client puts the ticked codes, as a JSON list, in place of `$codes`."""

    type: Literal["multi_select"] = "multi_select"
    item: str
    options: list[Option] = Field(min_length=2)
    payload: str = Field(pattern=r"\$codes")
    skip_payload: str


class Band(_Record):
    """A named stretch of the scale, both ends included."""

    id: str
    label: str
    from_: int = Field(alias="from")
    to: int


class BarNorm(_Record):
    """What a reference group scored: mean and standard deviation on the same scale, and group size."""

    mean: float
    sd: float
    n: int | None = None


class Bar(_Record):
    """One item of a chart. `value` is None when it was skipped; `concern` says which end needs care."""

    item: str
    label: str
    value: int | None
    band: Literal["low", "medium", "high"] | None
    concern: Literal["high", "low"]
    alert: bool
    norm: BarNorm | None = None
    previous: int | None = None


class Chart(_Record):
    """A bar per item, with the bands and, when known, the norm of the person's group."""

    type: Literal["chart"] = "chart"
    title: str
    caption: str
    min: int
    max: int
    bands: list[Band]
    norm_label: str | None = None
    bars: list[Bar]


class HelpLine(_Record):
    """A help line as people see it; `tel` is a `tel:` address. One without a number has a `url`.

    `open_now` (None when that is not known) and `opens`, the same in words, hold when the message is made.
    """

    id: str
    name: str
    number: str | None = None
    tel: str | None = Field(default=None, pattern=r"^tel:")
    what: str
    hours: str | None = None
    open_now: bool | None = None
    opens: str | None = None
    url: str | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> HelpLine:
        if not (self.number and self.tel) and not self.url:
            raise ValueError("neither a number nor a url")
        return self


class HelpLines(_Record):
    """A block of help lines."""

    type: Literal["help_lines"] = "help_lines"
    title: str
    lines: list[HelpLine] = Field(min_length=1)


class Concern(_Record):
    """An action's reason to ask whether someone is in danger. For the conversation room; never shown."""

    type: Literal["concern"] = "concern"
    kind: Literal["suicidal_thoughts"]
    reason: str


class AsksForPerson(_Record):
    """Someone asks for a person. For the conversation room; never shown.

    `otherwise` holds the bubbles that are said where there is no coach.
    """

    type: Literal["hand_off"] = "hand_off"
    origin: Literal["request", "callback"]
    otherwise: list[list[dict[str, Any]]] = Field(default_factory=list)


class ReturnCode(_Record):
    """The place where a person can have a return code shown, once. The code itself is never in a message."""

    type: Literal["return_code"] = "return_code"


Part = Text | QuickReplies | Scale | MultiSelect | Chart | HelpLines | ReturnCode
_PART: TypeAdapter[Part] = TypeAdapter(Annotated[Part, Field(discriminator="type")])


def as_json(part: Part) -> dict[str, Any]:
    """The part as it travels over every channel and through Rasa's `custom`."""
    return part.model_dump(by_alias=True)


def part_from_json(data: object) -> Part:
    """Read one part.

    Raises:
        ValueError: it is not one of the known parts; the sentence names fields, never what they held.
    """
    try:
        return _PART.validate_python(data)
    except ValidationError as error:
        raise ValueError(_places(error)) from None


def parts_from_rasa(output: Mapping[str, Any], on_problem: Callable[[str], None]) -> list[Part]:
    """Read one Rasa output: its text, then its custom part(s), then its buttons as quick replies.

    Args:
        output: `{"text"?, "custom"?, "buttons"?}` as the engine gives it.
        on_problem: called with a sentence about each piece that is not understood and so is left out. The
            sentence names fields and kinds of error, never their contents.
    """
    found: list[object] = []
    text = output.get("text")
    if isinstance(text, str) and text.strip():
        found.append({"type": "text", "text": text.strip()})
    custom = output.get("custom")
    if isinstance(custom, Mapping) and set(custom) == {"parts"} and isinstance(custom["parts"], list):
        found += custom["parts"]
    elif custom:
        found.append(custom)
    buttons = output.get("buttons")
    if buttons:
        found.append({"type": "quick_replies", "choices": _choices(buttons)})
    for name in ("image", "attachment", "elements"):
        if output.get(name):
            on_problem(f"{name}: no channel draws this")
    return [part for piece in found if (part := _understood(piece, on_problem)) is not None]


def concern_from_rasa(output: Mapping[str, Any]) -> Concern | None:
    """The concern in a Rasa output, if it is one."""
    custom = output.get("custom")
    if not isinstance(custom, Mapping) or custom.get("type") != "concern":
        return None
    try:
        return Concern.model_validate(custom)
    except ValidationError:
        # Whatever it says besides, an action is worried: rather one question too many.
        return Concern(kind="suicidal_thoughts", reason="unreadable")


def asks_for_person(output: Mapping[str, Any]) -> AsksForPerson | None:
    """The request for a person in a Rasa output, if it is one."""
    custom = output.get("custom")
    if not isinstance(custom, Mapping) or custom.get("type") != "hand_off":
        return None
    try:
        return AsksForPerson.model_validate(custom)
    except ValidationError:
        # However it is put, someone wants a person: that must not get lost.
        return AsksForPerson(origin="request")


def _understood(piece: object, on_problem: Callable[[str], None]) -> Part | None:
    try:
        return part_from_json(piece)
    except ValueError as error:
        on_problem(str(error))
        return None


def _choices(buttons: object) -> object:
    """Rasa adds keys of its own to buttons (`type`); a choice is its title and its payload."""
    if not isinstance(buttons, list):
        return buttons
    return [
        {k: b[k] for k in ("title", "payload") if k in b} if isinstance(b, Mapping) else b for b in buttons
    ]


def _places(error: ValidationError) -> str:
    """Where and what kind, without values: an output can repeat what a person wrote."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(str(step) for step in p['loc']) or 'part'}: {p['type']}" for p in problems)
