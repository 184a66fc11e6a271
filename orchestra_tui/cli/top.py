"""What `orchestra --help` and `--version` print, and the exit codes: text and numbers alone.

The rule a reader must not break: nothing is imported here. A person who asks for help waits for
the interpreter and for nothing else.
"""

DONE = 0
PARTIAL = 1
USAGE = 2
CANCELLED = 3
BUDGET = 4
WAITS = 5
CRASHED = 70
UNAVAILABLE = 75

USAGE_LINE = "orchestra [PATH] | orchestra COMMAND ... | orchestra --help | --version"
HELP = f"""\
usage: {USAGE_LINE}

Conduct several AI coding agents through one task: plan, edit, approve, write, audit, fix, test,
diff, commit.

commands:
  orchestra [PATH]           open the app on a project (default: this folder)
  orchestra run TASK         the app with a task, or with --headless the whole run without it
  orchestra plan TASK        only the plan
  orchestra resume [SESSION] go on where a run stopped
  orchestra sessions         what was run, in every project
  orchestra metrics [SESSION] what model calls used, and how they went
  orchestra doctor           what can work on this machine; --write configures it
  orchestra keys             the keys of your providers: list, set NAME, remove NAME
  orchestra validate FILE... look for damage in files: cut, broken, elided, wrapped
  orchestra COMMAND --help   the options of one command

options of orchestra [PATH]:
  --rehearse calm|storm|stall|hopeless   scripted agents, no AI: calm, or with faults
  --here                                 rehearse in this project, not in a scratch repository
  --version                              the version

With nothing configured Orchestra rehearses: scripted agents, no AI, no network, in a scratch
repository. Press f9 there, or run `orchestra doctor`, to connect what this machine has; or set
ORCHESTRA_BASE_URL and ORCHESTRA_MODEL.

exit codes:
  0 done   1 finished with failed or reverted files   2 usage or configuration   3 cancelled
  4 budget reached   5 waits for approval   70 crashed   75 no provider available, try later
"""
