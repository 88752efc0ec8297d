"""Sample package with a native module."""

from sample_mixed._native import add

__all__ = ["add"]
