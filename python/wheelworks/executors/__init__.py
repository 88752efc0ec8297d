"""Executors: how a planned job runs. They add nothing to the plan but the values of its placeholders."""
