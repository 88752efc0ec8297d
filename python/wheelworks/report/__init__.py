"""Report: outcomes + findings -> a value, and its JSON, JUnit and text forms."""
