"""Passwords, codes and tokens of the desk: made, hashed and compared. Console room; no storage, no clock, no HTTP.

Passwords are hashed with Argon2id. Tokens and recovery codes are random and long enough that SHA-256 will do.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from base64 import b32encode
from datetime import datetime

import pyotp
import segno
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

MIN_PASSWORD, MAX_PASSWORD = 12, 200  # characters
STEP_SECONDS = 30
RECOVERY_CODES = 10
ISSUER = "Ademruimte"

# Above the least that OWASP's Password Storage Cheat Sheet asks (19 MiB, two passes, one lane).
_ARGON2 = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1, type=Type.ID)
#: The hash of nobody's password, with the same costs: an unknown address takes as long as a known one.
NOBODY = "$argon2id$v=19$m=32768,t=2,p=1$" + "A" * 22 + "$" + "A" * 43


# --- passwords ---


def hash_password(password: str) -> str:
    """The Argon2id hash with its salt and costs; takes some 70 milliseconds and 32 MiB."""
    return _ARGON2.hash(_same_letters(password))


def is_password(password_hash: str, password: str) -> bool:
    """Whether this is the password; takes as long when it is not."""
    if len(password) > MAX_PASSWORD:
        password = ""  # no password is that long, and hashing must not take longer for it
    try:
        return _ARGON2.verify(password_hash, _same_letters(password))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def weakness(password: str, email: str, name: str) -> str | None:
    """Why this is no good password, as a Dutch sentence; None when it will do."""
    if len(password) < MIN_PASSWORD:
        return f"Kies een wachtwoord van minstens {MIN_PASSWORD} tekens."
    if len(password) > MAX_PASSWORD:
        return f"Kies een wachtwoord van hoogstens {MAX_PASSWORD} tekens."
    if len(set(password)) < 5:
        return "In dit wachtwoord staan te weinig verschillende tekens."
    if _bare(password) in {_bare(email), _bare(email.partition("@")[0]), _bare(name)}:
        return "Kies een wachtwoord dat niet je naam of je e-mailadres is."
    return None


def _same_letters(password: str) -> str:
    # An é typed on one machine must be the é typed on another.
    return unicodedata.normalize("NFKC", password)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


# --- the second factor ---


def totp_secret_for(token: str) -> str:
    """The secret that is offered while someone sets up the second factor: 32 characters of base32.

    It follows from the token of their half-way session, so the same page shows the same code when it is loaded
    again, and nothing is stored before they have shown that their app has it.
    """
    return b32encode(hashlib.sha256(b"desk second factor " + token.encode()).digest()[:20]).decode()


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step whose code this is, one step early or late included; None when it is none of them."""
    now = int(at.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    given = re.sub(r"\s", "", code)
    right = [step for step in (now - 1, now, now + 1) if same(totp.generate_otp(step), given)]
    return right[0] if right else None


def qr_code(secret: str, email: str) -> str:
    """What an authenticator app scans, as SVG to put into a page."""
    uri = pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name=ISSUER)
    code = segno.make(uri, error="m", micro=False)
    return code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)


# --- recovery codes ---


def new_recovery_codes() -> list[str]:
    """Codes of 16 letters and digits (80 bits) in groups of four."""
    made = (b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in made]


def hash_recovery_code(account_id: str, code: str) -> str:
    """What is stored of a recovery code; spaces, dashes and capitals do not count."""
    return hashlib.sha256(f"{account_id} {_bare(code)}".encode()).hexdigest()


# --- tokens ---


def new_token() -> str:
    """A token of 256 bits, for a session or against forged forms."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored of a session's token: SHA-256, hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal; takes as long for any that are not."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
