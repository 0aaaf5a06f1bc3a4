# One image with every executable of Martlet; which one runs is the command: `martlet serve` (default), RestServer or
# WebSocketServer. Swift's own libraries are linked in, so that the second stage needs only the C ones.

FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        libpq-dev librabbitmq-dev libsodium-dev libsqlite3-dev zlib1g-dev pkg-config python3-pip \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# What changes seldom comes first: these layers last until the packages or the assets' version change.
COPY Package.swift ./
RUN swift package resolve
COPY Scripts/common.sh Scripts/fetch-swagger-ui.sh Scripts/
RUN Scripts/fetch-swagger-ui.sh
COPY Sources Sources
# Not built, but a package whose test targets have no folder does not load.
COPY Tests Tests
COPY openapi openapi
RUN swift build --configuration release --static-swift-stdlib --product martlet \
    && swift build --configuration release --static-swift-stdlib --product RestServer \
    && swift build --configuration release --static-swift-stdlib --product WebSocketServer \
    && mkdir -p /out/bin \
    && cd "$(swift build --configuration release --static-swift-stdlib --show-bin-path)" \
    && strip --strip-debug -o /out/bin/martlet martlet \
    && strip --strip-debug -o /out/bin/RestServer RestServer \
    && strip --strip-debug -o /out/bin/WebSocketServer WebSocketServer \
    && find . -maxdepth 1 -name '*.resources' -exec cp -R {} /out/bin/ \;

FROM debian:bookworm-slim
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        ca-certificates libpq5 librabbitmq4 libsodium23 libsqlite3-0 libstdc++6 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin martlet \
    && install -d -o martlet -g martlet -m 0700 /data
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build /src/.build/swagger-ui /usr/local/share/martlet/swagger-ui
COPY Scripts/healthcheck.sh /usr/local/bin/martlet-healthcheck
ENV SERVER_ADDRESS=0.0.0.0 DATA_DIR=/data DOCS_ASSETS=/usr/local/share/martlet/swagger-ui
USER martlet
WORKDIR /data
VOLUME /data
EXPOSE 3000 4000
# RestServer's and the all-in-one's. Whether the process lives, not whether it is ready: an engine that kills on it must
# not kill a server that goes on accepting posts while the broker is out. See docker-compose.yaml for readiness.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD martlet-healthcheck http "${SERVER_PORT:-3000}" /health/live
CMD ["martlet", "serve", "--data-dir", "/data"]
