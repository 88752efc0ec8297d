# The root file system of an image for another architecture, in /tree: made without an emulator on the engine's own.
ARG BASE
FROM ${BASE}
LABEL dev.wheelworks.building="ROLE"
ARG MIRROR
ARG ARCHITECTURE
ARG DEBIAN_PACKAGES
ARG PACKAGES
COPY ca.crt foreign-tree.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/foreign-tree.sh ${ARCHITECTURE} /tree ${DEBIAN_PACKAGES} ${PACKAGES}
ARG PIP_INDEX_URL
ARG PLATFORM_TAGS
ARG TOOLS
COPY *.txt /usr/local/share/wheelworks/
# pip can't run the other architecture's interpreter, so it unpacks the wheels into what will be that one's environment.
RUN python3.13 -m venv --without-pip /tree/opt/wheelworks \
    && for tool in ${TOOLS}; do \
        /opt/wheelworks/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --only-binary :all: --no-deps \
            --implementation cp --python-version 3.13 ${PLATFORM_TAGS} --target /unpacked \
            -r "/usr/local/share/wheelworks/$tool.txt" || exit 1; \
    done \
    && mv /unpacked/bin/* /tree/opt/wheelworks/bin/ \
    && cp -a /unpacked/. /tree/opt/wheelworks/lib/python3.13/site-packages/ \
    && mkdir -p /tree/usr/local/bin \
    && for tool in ${TOOLS}; do \
        [ ! -e "/tree/opt/wheelworks/bin/$tool" ] || ln -s "/opt/wheelworks/bin/$tool" "/tree/usr/local/bin/$tool"; \
    done
COPY image-facts.sh /tree/usr/local/share/wheelworks/
RUN chroot /tree /bin/sh /usr/local/share/wheelworks/image-facts.sh > /image.json \
    && mv /image.json /tree/usr/local/share/wheelworks/image.json
