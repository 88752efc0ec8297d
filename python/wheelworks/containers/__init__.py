"""Containers: what the engine has, the recipes of our images, and how a step runs in one."""
