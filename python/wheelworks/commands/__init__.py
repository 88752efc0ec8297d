"""One module per command: parsed arguments in, exit code out. What a command decides lies in the stages."""
