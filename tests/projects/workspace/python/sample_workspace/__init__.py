"""Sample package whose crate lies elsewhere in a workspace."""

from sample_workspace._native import add

__all__ = ["add"]
