"""Files that hold secrets, told by their names: they are never shown to a model.

The rule a reader must not break: this is a net for obvious mistakes and no proof of secrecy;
what must stay private belongs into .gitignore as well.
"""

import re

_NAMES = frozenset(
    {
        ".env",
        ".envrc",
        ".netrc",
        "_netrc",
        ".npmrc",
        ".pypirc",
        ".htpasswd",
        ".pgpass",
        ".my.cnf",
        ".git-credentials",
        ".dockercfg",
        "credentials",
        "credentials.json",
        "client_secret.json",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "kubeconfig",
    }
)
_SUFFIXES = (
    ".pem",
    ".key",
    ".p8",
    ".p12",
    ".pfx",
    ".ppk",
    ".jks",
    ".keystore",
    ".kdbx",
    ".tfvars",
)
_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".docker"})
_KEYS = re.compile(r"id_(rsa|dsa|ecdsa|ed25519)(_sk)?([-_.].*)?")
_SAMPLES = re.compile(r"\.env\.(example|sample|template|dist|defaults?|schema)")
_SECRETS = re.compile(r"(secrets?|service[-_]?account.*)\.(json|ya?ml|toml|ini|env)")


def is_sensitive(path: str) -> bool:
    """True if the name says that the file holds a key, a token or a password."""
    *folders, name = path.casefold().split("/")
    if _SAMPLES.fullmatch(name) or name.endswith(".pub"):
        return False
    return (
        name in _NAMES
        or name.startswith(".env.")
        or name.endswith((*_SUFFIXES, ".env"))
        or _KEYS.fullmatch(name) is not None
        or _SECRETS.fullmatch(name) is not None
        or not _FOLDERS.isdisjoint(folders)
    )
