"""Conversation room: messages in, turns in order, replies out. Does not know how a channel draws."""
