# Two stages: the first makes the environment, the second runs it; the steps are the Makefile's own.
#   docker build .                           speaks on the CPU
#   docker build --build-arg DEVICE=cuda .   and on NVIDIA GPUs

FROM python:3.11-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/voxplatform
COPY Makefile requirements.txt constraints.txt ./
COPY scripts scripts
ARG DEVICE=cpu
ENV VENV=/opt/venv
# PyTorch's builds for the CPU are a tenth of the others and come from an index of their own.
RUN --mount=type=cache,target=/root/.cache/pip \
    case "$DEVICE" in \
        cpu) export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu ;; \
        cuda) ;; \
        *) echo "DEVICE is cpu or cuda, not $DEVICE" >&2; exit 1 ;; \
    esac \
 && make install

FROM python:3.11-slim-bookworm
ARG DEVICE=cpu
# Triton builds what launches its kernels where they run.
# hadolint ignore=DL3008
RUN if [ "$DEVICE" = cuda ]; then apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*; fi
RUN useradd --uid 10001 --no-create-home --home-dir /data voxplatform \
 && install -d -m 700 -o voxplatform -g voxplatform /data /models
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/voxplatform
COPY . .
ENV VENV=/opt/venv DATA_DIR=/data MODELS_DIR=/models HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1
USER 10001
VOLUME ["/data", "/models"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s CMD ["/opt/venv/bin/python", "scripts/ready.py"]
CMD ["sh", "scripts/start.sh"]
