"""The one vocabulary both towers share: pure values, no I/O, no asyncio, no clock."""
