"""Where the assistant points to. Pure core: data in, decision out; no HTTP, no SQL, no clock."""
