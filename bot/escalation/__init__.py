"""Escalation room: a person on the way to a coach. Pure core; time is passed in."""
