"""Console room: the coach desk. Knows cases, accounts and how a page is drawn; knows nothing of Rasa."""
