"""Safety: the guard and the crisis flow."""
