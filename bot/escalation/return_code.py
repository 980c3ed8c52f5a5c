"""Return codes: how someone without a name comes back to their case.

Room: pure core. A code is shown once and kept nowhere; what is kept is its hash, by which it can be looked up.
"""

from __future__ import annotations

import re
import secrets

from argon2.low_level import Type, hash_secret_raw

#: Sixteen digits: 10^16 codes, easy to read aloud and to type on a phone.
DIGITS, GROUP = 16, 4

# Argon2id as RFC 9106 and the OWASP Password Storage Cheat Sheet have it for little memory: 19 MiB, two rounds, one
# lane. A code is random, so it needs less than a password; this makes trying all of them out of reach, and several
# people can come back at the same time on a small server.
MEMORY_KIB, ROUNDS, LANES = 19 * 1024, 2, 1
VERSION = 0x13
HASH_BYTES = 32
#: RFC 9106 recommends 128 bits of salt.
SALT_BYTES = 16

_BETWEEN = re.compile(r"[\s.\u2010-\u2015-]+")
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


def new_code() -> str:
    """A new code as it is shown: '1234 5678 9012 3456'."""
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    return " ".join(digits[at : at + GROUP] for at in range(0, DIGITS, GROUP))


def normalised(text: str) -> str | None:
    """The sixteen digits of a typed code, with spaces, dashes and dots where people put them; else None."""
    digits = _BETWEEN.sub("", text) if len(text) <= 8 * DIGITS else ""
    return digits if _CODE.fullmatch(digits) else None


def hashed(code: str, salt: bytes) -> str:
    """The hash by which a code is looked up. Takes tens of milliseconds: call it in a thread, not in the event loop.

    Args:
        code: as shown or as typed.
        salt: the installation's own, the same for every code, at least `SALT_BYTES` long. A salt per code would
            mean hashing what was typed once for every case.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: it is not a code, or the salt is too short.
    """
    digits = normalised(code)
    if digits is None:
        raise ValueError("not a return code")
    if len(salt) < SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes or more")
    raw = hash_secret_raw(
        digits.encode(), salt, ROUNDS, MEMORY_KIB, LANES, HASH_BYTES, Type.ID, version=VERSION
    )
    return raw.hex()
