"""The check of an artifact: facts of a wheel, policies as data, findings."""
