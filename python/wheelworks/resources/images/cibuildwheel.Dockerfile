# Keeps the contract of cibuildwheel's own images, on top of one of ours that compiles.
ARG BASE
FROM ${BASE}
LABEL dev.wheelworks.building="cibuildwheel"
ARG PIP_INDEX_URL
COPY auditwheel.txt build.txt uv.txt cibuildwheel-pythons.sh image-facts.sh /usr/local/share/wheelworks/
RUN sh /usr/local/share/wheelworks/cibuildwheel-pythons.sh \
    && sh /usr/local/share/wheelworks/image-facts.sh > /usr/local/share/wheelworks/image.json
ARG ARCH
ENV AUDITWHEEL_ARCH=${ARCH} \
    AUDITWHEEL_POLICY=manylinux_2_17 \
    AUDITWHEEL_PLAT=manylinux_2_17_${ARCH}
