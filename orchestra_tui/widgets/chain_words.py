"""Chains in words: `Architect  codex > gemini`, on Home and in the doctor.

The rule a reader must not break: names of adapters are the user's text, cleaned here.
"""

from collections.abc import Mapping, Sequence

from textual.content import Content

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.signs import UNICODE, Signs, role_style, role_title


def chains_text(chains: Mapping[Role, Sequence[str]], signs: Signs = UNICODE) -> Content:
    """One line per role: `Architect  codex > gemini`."""
    rows = [
        Content.assemble(
            (f"{role_title(role):<11}", role_style(role)),
            chain_content(chains.get(role, ()), signs),
        )
        for role in Role
    ]
    return Content("\n").join(rows)


def chain_content(
    names: Sequence[str], signs: Signs = UNICODE, *, limit: int | None = None
) -> Content:
    """`codex > gemini > glm`; of more than `limit` names the rest is counted."""
    if not names:
        return Content.styled("nobody", "$muted")
    shown = names if limit is None else names[:limit]
    # Spaces at which no line is broken: a chain stays together where there is room for it.
    arrow = Content.styled(f"\N{NO-BREAK SPACE}{signs.arrow}\N{NO-BREAK SPACE}", "$muted")
    chain = arrow.join(Content(clean_line(name)) for name in shown)
    more = len(names) - len(shown)
    return Content.assemble(chain, (f" +{more}", "$muted")) if more else chain
