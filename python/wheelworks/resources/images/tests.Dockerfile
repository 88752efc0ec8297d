# Debian's interpreters and uv, to install wheels and run their tests; git, because tests call it as on every CI machine.
ARG BASE
FROM ${BASE}
LABEL dev.wheelworks.building="tests"
ENV LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
ARG MIRROR
COPY ca.crt install-packages.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/install-packages.sh ca-certificates git python3.13-venv python3.14-venv
ARG PIP_INDEX_URL
COPY uv.txt /usr/local/share/wheelworks/
RUN python3.13 -m venv /opt/wheelworks \
    && /opt/wheelworks/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -r /usr/local/share/wheelworks/uv.txt \
    && ln -s /opt/wheelworks/bin/uv /usr/local/bin/uv
COPY image-facts.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/image-facts.sh > /usr/local/share/wheelworks/image.json
