"""The four agents: what each is told, what it is shown, and how its reply is read."""
