# An official Python image (Debian or Alpine), git and uv, for the interpreters that Debian does not package.
ARG BASE
FROM ${BASE}
LABEL dev.wheelworks.building="tests"
ENV LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
COPY ca.crt /usr/local/share/wheelworks/
RUN [ ! -s /usr/local/share/wheelworks/ca.crt ] \
    || { mkdir -p /etc/ssl/certs && cp /usr/local/share/wheelworks/ca.crt /etc/ssl/certs/ca-certificates.crt; }
RUN if command -v apk > /dev/null; then apk add --no-cache git; \
    else apt-get -q update && apt-get -q -y install --no-install-recommends git && rm -rf /var/lib/apt/lists/*; fi
ARG PYTHON
ARG PIP_INDEX_URL
COPY uv.txt /usr/local/share/wheelworks/
RUN "${PYTHON}" -m venv /opt/wheelworks \
    && /opt/wheelworks/bin/pip install --quiet --no-cache-dir --disable-pip-version-check -r /usr/local/share/wheelworks/uv.txt \
    && ln -s /opt/wheelworks/bin/uv /usr/local/bin/uv
COPY image-facts.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/image-facts.sh > /usr/local/share/wheelworks/image.json
