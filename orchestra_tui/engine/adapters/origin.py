"""Who answered, for messages.

The rule a reader must not break: a server's words are foreign. They are freed of secrets, cleaned
and cut before they enter a message; some servers repeat the key they refuse.
"""

from dataclasses import dataclass

from orchestra_tui.domain.text import clean_line, redact

MAX_WORDS = 300


@dataclass(frozen=True)
class Origin:
    """Who answered: a label, the name of the key's variable, and the secrets."""

    label: str
    key_env: str | None = None
    secrets: tuple[str, ...] = ()

    def sentence(self, what: str, words: str = "") -> str:
        """`label: what` with the server's own words, made safe to show."""
        said = clean_line(redact(words, self.secrets)).strip()
        said = said if len(said) <= MAX_WORDS else f"{said[:MAX_WORDS]}…"
        return f"{self.label}: {what}" + (f" (it says: {said})" if said else "")
