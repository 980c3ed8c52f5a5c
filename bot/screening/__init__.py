"""Instruments, norms and what a filled-in check-in says. Pure core: no HTTP, no SQL, no clock."""
