"""Which language a path holds, and how far its grammar can be trusted.

The rule a reader must not break: only grammars of this table are ever loaded. The pack holds
one that hangs for ever (cobol), so "it is in the pack" is no reason to add a language.
Trust in a grammar was measured on intact files: a weak one reports errors in 10 to 80 % of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType


@dataclass(frozen=True)
class Language:
    """One language: its grammar's name in the pack and the suffixes and names of its files.

    `is_weak`: errors count only with a second sign. `is_proven`: small files may be parsed in
    this process. `is_prose`: natural language is its normal content. `has_grammar` is False
    where lines are all there is to judge. `holds_others`: its grammar does not look into the
    scripts and styles inside. `ends_clean`: intact files hardly ever have an error that reaches
    their end, so such an error counts although the grammar is weak. `uses`: the grammar, where
    it has another name.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    is_weak: bool = False
    is_proven: bool = True
    is_prose: bool = False
    has_grammar: bool = True
    holds_others: bool = False
    ends_clean: bool = False
    uses: str = ""

    @property
    def grammar(self) -> str:
        """The name of its grammar."""
        return self.uses or self.name


LANGUAGES: tuple[Language, ...] = (
    Language("python", (".py", ".pyi", ".pyw")),
    Language("javascript", (".js", ".mjs", ".cjs", ".jsx")),
    Language("typescript", (".ts", ".mts", ".cts")),
    Language("tsx", (".tsx",), holds_others=True),
    Language("json", (".json", ".jsonc", ".webmanifest", ".code-workspace", ".geojson")),
    Language("toml", (".toml",), ("Cargo.lock", "poetry.lock", "uv.lock", "Pipfile")),
    Language("yaml", (".yaml", ".yml")),
    Language("go", (".go",)),
    Language("rust", (".rs",)),
    Language("java", (".java",)),
    Language("kotlin", (".kt", ".kts")),
    Language("swift", (".swift",), is_weak=True, ends_clean=True),
    Language("c", (".c",), is_weak=True, ends_clean=True),
    Language(
        "cpp", (".cpp", ".cc", ".cxx", ".h", ".hpp", ".hh", ".hxx"), is_weak=True, ends_clean=True
    ),
    Language("csharp", (".cs",)),
    Language("ruby", (".rb", ".rake", ".gemspec"), ("Gemfile", "Rakefile")),
    Language("php", (".php",)),
    Language("lua", (".lua",)),
    Language(
        "bash",
        (".sh", ".bash", ".bats"),
        (".bashrc", ".bash_profile", ".profile"),
        is_weak=True,
        ends_clean=True,
    ),
    Language(
        "html",
        (".html", ".htm", ".xhtml"),
        is_weak=True,
        ends_clean=True,
        holds_others=True,
        # A row of comment openers takes the square of its length: 24 KB took five seconds.
        is_proven=False,
    ),
    Language("css", (".css",), is_weak=True, ends_clean=True),
    Language("scss", (".scss",), is_weak=True),
    Language("sql", (".sql",), is_weak=True),
    Language("markdown", (".md", ".markdown", ".mdx", ".qmd", ".rmd"), is_prose=True),
    Language("scala", (".scala", ".sbt"), is_weak=True, is_proven=False),
    Language("dart", (".dart",), is_weak=True, is_proven=False, ends_clean=True),
    Language("elixir", (".ex", ".exs"), is_proven=False),
    Language("haskell", (".hs",), is_proven=False),
    Language("ocaml", (".ml",), is_weak=True, is_proven=False),
    Language("zig", (".zig",), is_weak=True, is_proven=False),
    Language("julia", (".jl",), is_proven=False),
    Language("r", (".r",), is_proven=False),
    Language("perl", (".pl", ".pm", ".t"), is_proven=False, is_weak=True, ends_clean=True),
    Language("powershell", (".ps1", ".psm1"), is_weak=True, is_proven=False),
    Language("groovy", (".groovy", ".gradle"), ("Jenkinsfile",), is_weak=True, is_proven=False),
    Language("objc", (".m", ".mm"), is_proven=False, is_weak=True),
    Language("hcl", (".hcl", ".tf", ".tfvars"), is_proven=False),
    Language("proto", (".proto",), is_proven=False),
    Language("graphql", (".graphql", ".gql"), is_proven=False),
    Language("xml", (".xml", ".xsd", ".xsl", ".svg", ".csproj"), is_proven=False),
    Language("vue", (".vue",), is_proven=False, holds_others=True),
    Language("svelte", (".svelte",), is_proven=False, holds_others=True),
    Language("dockerfile", (".dockerfile",), ("Dockerfile", "Containerfile"), is_weak=True),
    Language("make", (".mk",), ("Makefile", "GNUmakefile", "makefile"), is_weak=True),
    Language("cmake", (".cmake",), ("CMakeLists.txt",), is_proven=False),
    Language("zsh", (".zsh",), has_grammar=False),
    Language("jsonlines", (".jsonl", ".ndjson"), has_grammar=False),
    Language("text", (".txt", ".text", ".log", ".csv", ".tsv"), is_prose=True, has_grammar=False),
    Language("rst", (".rst",), is_prose=True, has_grammar=False),
    Language("latex", (".tex", ".sty", ".cls"), is_prose=True, has_grammar=False),
    Language("org", (".org", ".adoc", ".asciidoc", ".typ"), is_prose=True, has_grammar=False),
)

_OBJECTIVE = re.compile(
    r"^(?:@(?:interface|protocol|class|import|implementation)\b|#import\b)", re.MULTILINE
)

FLOW = Language("flow", uses="tsx", is_weak=True)
"""JavaScript with types: the nearest grammar rejects some of it."""

FLOW_WITHIN = 1500
"""The `@flow` mark stands in the first comment."""

UNKNOWN = Language("unknown", (), is_prose=True, has_grammar=False)
"""A path of no known kind: judged by its lines only."""

_BY_SUFFIX: Mapping[str, Language] = MappingProxyType(
    {suffix: language for language in LANGUAGES for suffix in language.suffixes}
)
_BY_NAME: Mapping[str, Language] = MappingProxyType(
    {name: language for language in LANGUAGES for name in language.names}
)


_NAMES_LITTLE = frozenset({"bash", "text"})
"""Languages whose suffix is worn by scripts of others."""


def language_of(path: str, text: str = "") -> Language:
    """The language of a project-relative path; a `#!` line decides where the name does not."""
    pure = PurePosixPath(path)
    if pure.name in _BY_NAME:
        return _BY_NAME[pure.name]
    if pure.name.startswith("Dockerfile"):
        return _BY_NAME["Dockerfile"]
    named = _BY_SUFFIX.get(pure.suffix.lower())
    if pure.suffix == ".h" and _OBJECTIVE.search(text):
        return _BY_SUFFIX[".m"]
    if named is not None and named.name == "javascript" and "@flow" in text[:FLOW_WITHIN]:
        return FLOW
    if text.startswith("#!") and (named is None or named.name in _NAMES_LITTLE):
        # A shell suffix over a Python shebang is common; the shebang is what runs.
        return _of_shebang(text.split("\n", 1)[0]) or named or UNKNOWN
    return named or UNKNOWN


def _of_shebang(line: str) -> Language | None:
    for word, suffix in (
        ("python", ".py"),
        ("ts-node", ".ts"),
        ("tsx", ".ts"),
        ("deno", ".ts"),
        ("bun", ".ts"),
        ("node", ".js"),
        ("ruby", ".rb"),
        ("perl", ".pl"),
        ("php", ".php"),
        ("lua", ".lua"),
        ("zsh", ".zsh"),
        ("bash", ".sh"),
        ("/sh", ".sh"),
        (" sh", ".sh"),
    ):
        if word in line:
            return _BY_SUFFIX[suffix]
    return None
