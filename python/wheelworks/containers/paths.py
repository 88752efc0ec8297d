"""Where things lie inside our containers.

The same for every project and run, so that no path of a machine gets into a wheel. Constants only.
"""

from __future__ import annotations

ROOT = "/wheelworks"
SOURCE = f"{ROOT}/source"
"""The snapshot."""
TARGET = f"{ROOT}/target"
"""Cargo's target folder."""
OUTPUT = f"{ROOT}/output"
"""The job's staging folder."""
SCRATCH = f"{ROOT}/scratch"
"""A test job's scratch folder."""
HOME = f"{ROOT}/home"
"""HOME of the caller's uid, which has no entry in the image's passwd; a folder of the build key or of the job."""
CARGO_HOME = f"{ROOT}/cargo"
"""The user's folder of crates, shared by all projects."""
UV_CACHE = f"{ROOT}/uv"
SDK = f"{ROOT}/sdk"
"""The macOS SDK that the user named."""
SECRETS = f"{ROOT}/environment"
"""File with the variables that a step passes on; never in the container's own environment."""
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
IMAGE_FACTS = "/usr/local/share/wheelworks/image.json"
"""What a built image says of itself: ``{"rustc", "cargo", "sysroot", "targets": [..], "pythons": {spec: path}}``."""
TOOLS = "/opt/wheelworks"
"""Environment of maturin and zig inside the toolchain image."""

LABEL_PROJECT = "dev.wheelworks.project"
"""Label of every container: a hash of the project's state folder."""
LABEL_RUN = "dev.wheelworks.run"
LABEL_RECIPE = "dev.wheelworks.recipe"
"""Label of every image of ours: the hash of its recipe."""
LABEL_LOCAL = "dev.wheelworks.local"
"""Label of images that hold this machine's certificates: not to be published."""
