"""Tables that the package reads as data."""
