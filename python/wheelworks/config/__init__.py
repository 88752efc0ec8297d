"""Configuration: declared once, read from several sources, merged with origins."""
