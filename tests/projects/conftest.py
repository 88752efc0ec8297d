"""The sample projects have tests of their own, which run against their wheels and not here."""

collect_ignore_glob = ["*"]
