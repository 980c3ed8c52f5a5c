"""Room `engine`: the only code that runs inside Rasa (Python 3.10).

It may know Rasa and `bot.language`, and nothing else of ours. The app talks to it over loopback HTTP.
"""
