"""Every form in which a loaded secret could reach a log: plain, base64, percent-encoded, in JSON.

The rule a reader must not break: secrets are removed by value, not by the look of a name, so the
values must be given here before the first line is written.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

MIN_LENGTH = 8
"""Shorter values (`test`, `none`) are no secrets, and removing them would mangle the log."""


_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


def looks_secret(name: str) -> bool:
    """True if a variable of this name is likely to hold a secret."""
    return any(sign in name.upper() for sign in _SECRET_NAMES)


def secrets_in(environment: Mapping[str, str], names: Iterable[str | None]) -> tuple[str, ...]:
    """The values of the variables that hold keys, longest first; unset ones are left out."""
    values = {environment.get(name, "").strip() for name in names if name}
    return tuple(sorted((v for v in values if len(v) >= MIN_LENGTH), key=len, reverse=True))


def forms_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """The secrets and every usual encoding of them, longest first.

    Base64 hides a value at any of three alignments; the inner characters of each are the same
    wherever it stands, so those are what is looked for.
    """
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) < MIN_LENGTH:
            continue
        escaped = json.dumps(secret)[1:-1]
        forms |= {secret, quote(secret, safe=""), quote_plus(secret), escaped, repr(secret)[1:-1]}
        forms |= set(_base64_cores(secret.encode()))
    return tuple(sorted(forms, key=len, reverse=True))


def _base64_cores(raw: bytes) -> Iterable[str]:
    for shift in range(3):
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + raw).decode("ascii").rstrip("=")
            # The first and last characters share bits with what stands next to the secret.
            core = text[4 if shift else 0 : -1]
            if len(core) >= MIN_LENGTH:
                yield core
