FROM rust:1.95-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p xrpl-workload

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /data --uid 10001 workload \
    && install -d -o workload -m 0700 /data
COPY --from=build /src/target/release/xrpl-workload /usr/local/bin/
USER workload
WORKDIR /data
VOLUME /data
# The API needs --api-token (XRPL_WORKLOAD_API_TOKEN) to be bound to other addresses than loopback.
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["xrpl-workload"]
CMD ["run"]
