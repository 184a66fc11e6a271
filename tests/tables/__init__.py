"""The tables of docs/adapters.md that are made by running the adapters: `make docs-tables`."""
