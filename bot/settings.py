"""Settings: one table of what can be set from outside, read from `ADEMRUIMTE_*` environment variables.

Edge room. The fields of `Settings` are the table: name, type, default, help, bounds. Nothing else in the
code reads the environment for its own settings, and docs/settings.md is written from this table.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "ADEMRUIMTE_"


class SettingsError(Exception):
    """Settings that cannot be used; `str()` is one plain sentence per problem."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the variable's full name, its kind, its default as shown, and what it does."""

    name: str
    kind: str
    default: str
    help: str


def _whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError(f"must be a whole number, not {value!r}") from None
        if not minimum <= number <= maximum:
            raise ValueError(f"must be between {minimum} and {maximum}, not {number}")
        return number

    return read


def _seconds(minimum: float, maximum: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"must be a number of seconds, not {value!r}") from None
        if not minimum <= number <= maximum:  # also refuses nan
            raise ValueError(f"must be between {minimum:g} and {maximum:g} seconds, not {value}")
        return number

    return read


def _switch(value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise ValueError(f"must be on or off, not {value!r}")
    return value.lower() == "on"


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
        return value.lower()

    return read


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _path(value: str) -> Path:
    # Made absolute without following links: the python of a virtual environment is a link that must stay one.
    return Path(_text(value)).expanduser().absolute()


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    for origin in origins:
        scheme, _, host = origin.partition("://")
        if scheme not in ("http", "https") or not host or "/" in host or "*" in host:
            raise ValueError(f"must be a list of origins like https://intranet.example.be, not {origin!r}")
    return origins


def is_loopback(host: str) -> bool:
    """Whether what is said to this host stays on this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _origin(value: str) -> str:
    origins = _origins(value)
    if len(origins) != 1:
        raise ValueError(f"must be one address like https://ademruimte.example.be, not {value!r}")
    return origins[0]


def _secret_address(schemes: tuple[str, ...], example: str, *, bare: bool) -> Callable[[str], str]:
    """An address that may hold a password: it is never repeated. `bare`: nothing may follow the host and port."""

    def read(value: str) -> str:
        try:
            parts = urlsplit(value.strip())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        rest = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme not in schemes or not parts.hostname or port == 0 or (bare and rest):
            raise ValueError(f"must look like {example}, with special characters of a password as %xx")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https: only an address on this computer may be http")
        return value.strip()

    return read


def _mail_address(value: str) -> str:
    name, _, domain = value.strip().rpartition("@")
    if (
        not name
        or not domain
        or not value.isascii()
        or any(c.isspace() or c in "<>,;" for c in value.strip())
    ):
        raise ValueError(f"must be an e-mail address like ademruimte@example.org, not {value!r}")
    return value.strip()


def _secret(value: str) -> str:
    if len(value.strip()) < 16:
        raise ValueError("must have at least 16 characters")
    return value.strip()


def _row(kind: str, read: Callable[[str], object], help_text: str, shown: str = "") -> Mapping[str, Any]:
    """What the table says of a field. `shown` documents a default that is worked out from other settings."""
    return {"kind": kind, "read": read, "help": help_text, "shown": shown}


_UNSET = Path()  # replaced by a place in the state folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, ready to use. Build it with `load_settings`, or directly with keywords in tests."""

    host: str = field(default="127.0.0.1", metadata=_row("text", _text, "Address the app listens on."))
    port: int = field(
        default=8080,
        metadata=_row("whole number", _whole(0, 65535), "Port of the app; 0 takes any free port."),
    )
    state_dir: Path = field(
        default=Path(".ademruimte").absolute(),
        metadata=_row(
            "path",
            _path,
            "Folder for everything that is made while running: environments, models, databases, logs.",
            ".ademruimte",
        ),
    )
    database_url: str = field(
        default="",
        metadata=_row(
            "text",
            _text,
            "Where our data lives, as an SQLAlchemy address; PostgreSQL needs an async driver.",
            "sqlite:///<state>/ademruimte.db",
        ),
    )
    engine_python: Path = field(
        default=_UNSET,
        metadata=_row("path", _path, "Python 3.10 that has Rasa.", "<state>/engine/bin/python"),
    )
    engine_port: int = field(
        default=0,
        metadata=_row(
            "whole number", _whole(0, 65535), "Loopback port of the engine; 0 takes any free port."
        ),
    )
    action_port: int = field(
        default=0,
        metadata=_row(
            "whole number", _whole(0, 65535), "Loopback port of the action webhook; 0 takes any free port."
        ),
    )
    model: Path = field(
        default=_UNSET,
        metadata=_row("path", _path, "Trained Rasa model.", "<state>/models/ademruimte.tar.gz"),
    )
    organisation_file: Path = field(
        default=_UNSET,
        metadata=_row(
            "path",
            _path,
            "The organisation's own file: coaches' hours, deputies, contacts. Read again when it changes.",
            "<state>/organisation.yml",
        ),
    )
    guard_model: Path = field(
        default=_UNSET,
        metadata=_row("path", _path, "Trained model of the guard.", "<state>/models/guard.npz"),
    )
    engine_start_seconds: float = field(
        default=180.0,
        metadata=_row(
            "seconds", _seconds(1, 3600), "Longest time the engine may take to load before it is restarted."
        ),
    )
    engine_turn_seconds: float = field(
        default=20.0,
        metadata=_row(
            "seconds", _seconds(0.1, 600), "Longest time the engine may take to answer one message."
        ),
    )
    calm_line_seconds: float = field(
        default=2.5,
        metadata=_row(
            "seconds", _seconds(0.05, 60), "After this time without an answer a person reads a calm line."
        ),
    )
    retention_hours: int = field(
        default=24,
        metadata=_row(
            "hours",
            _whole(1, 24 * 366),
            "Words of a conversation are deleted this long after the last visit.",
        ),
    )
    history_months: int = field(
        default=12,
        metadata=_row(
            "months",
            _whole(1, 120),
            "With consent, check-ins are kept this long after the last visit, then deleted.",
        ),
    )
    case_days: int = field(
        default=180,
        metadata=_row(
            "days",
            _whole(1, 3660),
            "A closed case of a coach loses names, numbers, scores, words and notes after this time.",
        ),
    )
    messages_per_minute: int = field(
        default=30,
        metadata=_row(
            "whole number", _whole(1, 1_000_000), "Messages one conversation may send in a minute, over time."
        ),
    )
    messages_burst: int = field(
        default=15,
        metadata=_row("whole number", _whole(1, 1_000_000), "Messages one conversation may send at once."),
    )
    sessions_per_hour: int = field(
        default=60,
        metadata=_row(
            "whole number",
            _whole(1, 1_000_000),
            "New conversations one network address may start in an hour.",
        ),
    )
    trusted_proxies: int = field(
        default=0,
        metadata=_row(
            "whole number",
            _whole(0, 5),
            "Number of our own proxies in front; so many addresses of X-Forwarded-For are believed.",
        ),
    )
    region: str = field(
        default="vlaanderen",
        metadata=_row(
            "text",
            _one_of("vlaanderen", "nederland"),
            "Where most people live: whose help lines are offered to who says nothing else.",
        ),
    )
    max_text: int = field(
        default=4000, metadata=_row("characters", _whole(1, 16000), "Longest message a person may send.")
    )
    allowed_origins: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            "list", _origins, "Other sites that may embed the widget, with commas between.", "none"
        ),
    )
    desk_idle_minutes: int = field(
        default=60,
        metadata=_row(
            "minutes",
            _whole(1, 24 * 60),
            "After so long without use, someone at the coach desk signs in anew.",
        ),
    )
    desk_session_hours: int = field(
        default=12,
        metadata=_row("hours", _whole(1, 72), "Longest time someone stays signed in at the coach desk."),
    )
    desk_insecure_cookie: bool = field(
        default=False,
        metadata=_row(
            "on or off",
            _switch,
            "Lets people sign in at the coach desk over plain http from other machines. Only for trying out.",
            "off",
        ),
    )
    demo: bool = field(
        default=False,
        metadata=_row(
            "on or off", _switch, "Lets demo accounts be made and sign in. They are not safe.", "off"
        ),
    )
    public_url: str = field(
        default="",
        metadata=_row(
            "text",
            _origin,
            "Address at which people reach the app, for links in notifications.",
            "http://<host>:<port>",
        ),
    )
    smtp_url: str = field(
        default="",
        repr=False,
        metadata=_row(
            "secret",
            _secret_address(("smtp", "smtps"), "smtp://user:password@host:587", bare=True),
            "Mail server for notifications, as smtp://user:password@host:587 or smtps://user:password@host:465.",
            "none",
        ),
    )
    smtp_from: str = field(
        default="",
        metadata=_row("text", _mail_address, "E-mail address that notifications come from.", "none"),
    )
    webhook_url: str = field(
        default="",
        repr=False,
        metadata=_row(
            "secret",
            _secret_address(("https", "http"), "https://host/path", bare=False),
            "Address to which notifications are posted as JSON; only one on this computer may be http.",
            "none",
        ),
    )
    webhook_secret: str = field(
        default="",
        repr=False,
        metadata=_row(
            "secret", _secret, "Secret with which these posts are signed; at least 16 characters.", "none"
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_row(
            "text", _one_of("debug", "info", "warning", "error"), "Least serious log line that is written."
        ),
    )
    log_format: str = field(
        default="auto",
        metadata=_row(
            "text", _one_of("auto", "json", "console"), "How logs look; auto is console on a terminal."
        ),
    )

    def __post_init__(self) -> None:
        state = self.state_dir
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{state / 'ademruimte.db'}")
        if self.engine_python == _UNSET:
            object.__setattr__(self, "engine_python", state / "engine" / "bin" / "python")
        if self.model == _UNSET:
            object.__setattr__(self, "model", state / "models" / "ademruimte.tar.gz")
        if self.organisation_file == _UNSET:
            object.__setattr__(self, "organisation_file", state / "organisation.yml")
        if self.guard_model == _UNSET:
            object.__setattr__(self, "guard_model", state / "models" / "guard.npz")
        if not self.public_url:
            host = f"[{self.host}]" if ":" in self.host else self.host
            object.__setattr__(self, "public_url", f"http://{host}:{self.port}")

    @property
    def web_dir(self) -> Path:
        """Folder with the built widget and the demo page."""
        return self.state_dir / "web"

    @property
    def logs_dir(self) -> Path:
        """Folder for the engine's own log."""
        return self.state_dir / "logs"

    @property
    def tracker_db(self) -> Path:
        """SQLite file in which the engine keeps its trackers."""
        return self.state_dir / "tracker.db"


# The app gives these to the engine it starts; they are not for people to set.
INTERNAL = frozenset(PREFIX + name for name in ("ENGINE_TOKEN", "ACTION_URL", "ACTION_TOKEN", "TRACKER_DB"))


def rows() -> list[Row]:
    """The table, in the order in which it is documented."""
    return [
        Row(
            PREFIX + f.name.upper(),
            f.metadata["kind"],
            f.metadata["shown"] or str(f.default),
            f.metadata["help"],
        )
        for f in fields(Settings)
    ]


def load_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, list[str]]:
    """Read the settings from the environment.

    Args:
        environ: variables to read instead of `os.environ`.

    Returns:
        The settings, and a plain warning for each `ADEMRUIMTE_*` variable that is not a setting.

    Raises:
        SettingsError: one sentence for each value that cannot be used, all together.
    """
    given = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith(PREFIX)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    for name, value in given.items():
        if name not in known:
            continue
        try:
            values[known[name].name] = known[name].metadata["read"](value)
        except ValueError as problem:
            problems.append(f"{name} {problem}.")
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**values), [_unknown(name, known) for name in given if name not in {*known, *INTERNAL}]


def _unknown(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{name} is not a setting and does nothing.{hint}"


def as_markdown() -> str:
    """The table as Markdown, for docs/settings.md."""
    lines = ["| variable | kind | default | what it does |", "|---|---|---|---|"]
    lines += [f"| `{row.name}` | {row.kind} | `{row.default}` | {row.help} |" for row in rows()]
    return "\n".join(lines) + "\n"
