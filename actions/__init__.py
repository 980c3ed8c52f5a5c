"""Custom actions: read the tracker, call a core, say what it decides.

Edge room, one file per flow. Knows rasa-sdk, the cores and the Store; knows no SQL and no HTML. Runs inside the
app (bot/conversation) and, as Rasa people expect, with `python -m rasa_sdk --actions actions`.
"""
