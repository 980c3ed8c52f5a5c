"""Ademruimte's own code. This file must also import on Python 3.10: the engine uses `bot.language`."""

__version__ = "0.1.0"
