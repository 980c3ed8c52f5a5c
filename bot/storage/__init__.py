"""Storage room: tables, migrations, and the few questions the rest asks of them. Knows nothing of HTTP."""
