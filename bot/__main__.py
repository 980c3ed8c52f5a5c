"""`python -m bot` is the command line `bot`. Edge room."""

from bot.cli import main

raise SystemExit(main())
