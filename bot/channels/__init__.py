"""Channels room: translate between the outside and the one message model. Knows nothing of screening."""
