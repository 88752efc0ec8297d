"""Sample package that lies beside its tests."""

from sample_flat._native import add

__all__ = ["add"]
