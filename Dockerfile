# docker build -t keyward .      The server as a container that needs no shell, no root and no writable root file system.
FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
WORKDIR /source
COPY . .
RUN ./dev package

FROM debian:bookworm-slim
COPY --from=build /source/build/packages/ /tmp/packages/
# The user's number is fixed, so that volumes keep their owner; the package finds the user made.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/keyward --no-create-home --shell /usr/sbin/nologin keyward \
  && apt-get update \
  && apt-get install -y --no-install-recommends /tmp/packages/*.deb ca-certificates libcurl4 libgmime-3.0-0 \
  && rm -rf /tmp/packages /var/lib/apt/lists/* \
  && install -d -o keyward -g keyward -m 0700 /var/lib/keyward
USER 10001:10001
ENV KEYWARD_CONFIG=/etc/keyward/keyward.toml KEYWARD_SERVER_LISTEN=:8080
WORKDIR /var/lib/keyward
VOLUME /var/lib/keyward
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/usr/bin/keyward", "healthcheck"]
ENTRYPOINT ["/usr/bin/keyward"]
CMD ["serve"]
