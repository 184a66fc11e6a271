"""What a doctor finds, for tests of its screen."""

from orchestra_tui.domain.doctor import DoctorLine, Offer

PLACE = "/home/ada/.config/orchestra/config.toml"
GEMINI = Offer(name="gemini", fields={"preset": "gemini", "model": "gemini-3.1-pro-preview"})
CODEX = Offer(name="codex", fields={"kind": "codex"})
OLLAMA = Offer(
    name="ollama", fields={"preset": "ollama", "model": "qwen2.5-coder:7b"}, is_free=True
)
LINES = (
    DoctorLine(
        name="GEMINI_API_KEY",
        state="found",
        detail="set (39 characters)  gemini-3.1-pro-preview",
        key="key:GEMINI_API_KEY",
        offer=GEMINI,
    ),
    DoctorLine(
        name="ZAI_API_KEY",
        state="missing",
        detail="not set",
        key="key:ZAI_API_KEY",
        key_variable="ZAI_API_KEY",
    ),
    DoctorLine(
        name="OPENAI_API_KEY",
        state="missing",
        detail="not set",
        key="key:OPENAI_API_KEY",
        key_variable="OPENAI_API_KEY",
        is_minor=True,
    ),
    DoctorLine(
        name="codex CLI",
        state="found",
        detail="codex-cli 0.44.0; its login is not tried",
        key="program:codex",
        offer=CODEX,
    ),
    DoctorLine(
        name="claude CLI", state="broken", detail="exit status 3: boom", key="program:claude"
    ),
    DoctorLine(name="gemini CLI", state="missing", detail="not on PATH", key="program:gemini"),
    DoctorLine(
        name="vibe CLI",
        state="missing",
        detail="not on PATH",
        key="program:vibe",
        is_minor=True,
    ),
    DoctorLine(
        name="Ollama",
        state="found",
        detail="127.0.0.1:11434  qwen2.5-coder:7b",
        key="server:Ollama",
        offer=OLLAMA,
        is_free=True,
    ),
    DoctorLine(
        name="LM Studio",
        state="silent",
        detail="127.0.0.1:1234 gave no answer within 1 s",
        key="server:LM Studio",
    ),
    DoctorLine(
        name="llama.cpp",
        state="foreign",
        detail="something else answers at 127.0.0.1:8080",
        key="server:llama.cpp",
    ),
    DoctorLine(
        name="rehearsal",
        state="found",
        detail="always: no AI, scripted; shows plan, stream, audit, fix and recovery for real",
        key="rehearsal",
        is_free=True,
    ),
)


def looking(line: DoctorLine) -> DoctorLine:
    """The line before it was probed."""
    return line.model_copy(
        update={"state": "looking", "detail": "", "offer": None, "key_variable": ""}
    )
