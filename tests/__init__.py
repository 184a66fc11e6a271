"""The tests, mirroring the package: domain, engine, ui, e2e."""
