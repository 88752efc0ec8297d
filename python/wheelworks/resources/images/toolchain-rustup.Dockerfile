# Compiles for every target: one of rustup's toolchains, for projects that ask for a Rust version.
ARG BASE
FROM ${BASE}
LABEL dev.wheelworks.building="toolchain"
ENV LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
ARG MIRROR
COPY ca.crt install-packages.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/install-packages.sh \
    ca-certificates gcc g++ libc6-dev make pkg-config git perl patchelf xz-utils \
    llvm gcc-mingw-w64-x86-64-win32 g++-mingw-w64-x86-64-win32 python3.13-venv python3.14-venv \
    && ln -s "$(command -v llvm-objcopy)" /usr/local/bin/rust-objcopy
ARG RUST
ARG RUSTUP_DIST_SERVER
COPY rustup-toolchain.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/rustup-toolchain.sh "${RUST}"
ENV WHEELWORKS_RUST=${RUST}
ARG PACKAGES
RUN [ -z "${PACKAGES}" ] || sh /usr/local/share/wheelworks/install-packages.sh ${PACKAGES}
ARG PIP_INDEX_URL
COPY ziglang.txt /usr/local/share/wheelworks/
RUN python3.13 -m venv /opt/wheelworks \
    && /opt/wheelworks/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -r /usr/local/share/wheelworks/ziglang.txt
COPY maturin.txt /usr/local/share/wheelworks/
RUN /opt/wheelworks/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -r /usr/local/share/wheelworks/maturin.txt \
    && ln -s /opt/wheelworks/bin/maturin /usr/local/bin/maturin
COPY image-facts.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/image-facts.sh > /usr/local/share/wheelworks/image.json
