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
# Each into a folder of its own, because pip leaves out the programs where a bin folder is there already.
RUN python3.13 -m venv --without-pip /tree/opt/wheelworks \
    && for tool in ${TOOLS}; do \
        /opt/wheelworks/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --only-binary :all: --no-deps \
            --implementation cp --python-version 3.13 ${PLATFORM_TAGS} --target "/unpacked/$tool" \
            -r "/usr/local/share/wheelworks/$tool.txt" \
        && mv "/unpacked/$tool"/bin/* /tree/opt/wheelworks/bin/ \
        && rmdir "/unpacked/$tool/bin" \
        && cp -a "/unpacked/$tool/." /tree/opt/wheelworks/lib/python3.13/site-packages/ \
        || exit 1; \
    done \
    && mkdir -p /tree/usr/local/bin \
    && for tool in ${TOOLS}; do \
        [ ! -e "/tree/opt/wheelworks/bin/$tool" ] || ln -s "/opt/wheelworks/bin/$tool" "/tree/usr/local/bin/$tool"; \
    done
COPY image-facts.sh /tree/usr/local/share/wheelworks/
RUN chroot /tree /bin/sh /usr/local/share/wheelworks/image-facts.sh > /image.json \
    && mv /image.json /tree/usr/local/share/wheelworks/image.json
