"""What the system itself says when the engine cannot. Conversation room; text for people, so in Dutch."""

WAITING = "Even geduld, ik ben zo terug. Wat je schreef, is bewaard."
STARTING = "Ik ben nog aan het opstarten. Wat je schreef, is bewaard. Je krijgt zo antwoord."
APOLOGY = (
    "Sorry, er liep iets mis bij mij. Op je laatste bericht kan ik niet antwoorden. "
    "Je mag het gerust anders zeggen. Wil je nu hulp? De knop ‘Ik heb nu hulp nodig’ werkt altijd."
)
