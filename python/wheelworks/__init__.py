"""wheelworks: every wheel of a maturin project's CI matrix, built, audited and tested on this machine."""
