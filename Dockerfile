# The service, the simulator and the set-up commands in one image: Node, the packages that run and our sources.
# No shell, no package manager, no root; nothing is written, so the root may be read-only.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" -t checkresult-stream:0.1.0 .
#
# The tag of a base says what it is, its digest is what is taken. To move to a newer one, change both:
#   docker buildx imagetools inspect node:26.10.0-bookworm-slim --format '{{.Manifest.Digest}}'
# A build whose digest is gone or never was stops at once; it takes no other image instead.
ARG NODE_IMAGE=docker.io/library/node:26.10.0-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:afc6657a4b662f9cb69ca892b0596e55d6ef81a10e83ee8887b13f602877df89

FROM ${NODE_IMAGE} AS files
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
# Not --omit=optional: the native half of lz4-napi is optional, as is the Node that the project brings for development.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node-linux-* node_modules/.bin
WORKDIR /app
COPY package.json ./
COPY schemas schemas
COPY src src
# A checkout's umask is no part of what is built.
RUN chmod -R u=rwX,go=rX /packages /app

FROM ${RUNTIME_IMAGE}
# One arena: what is free again goes back to the system, which a memory limit asks for.
ENV NODE_ENV=production \
    PATH=/nodejs/bin:/usr/bin:/bin \
    MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=files /packages/node_modules node_modules
COPY --from=files /app ./
# No compile cache (NODE_COMPILE_CACHE): it would save a third of a second of CPU at each start, but V8 writes another one
# each time, and two builds of a commit would be two images. Mount a folder for it where starts matter.
# The image is not made where it cannot run.
RUN ["node", "src/main.ts", "--version"]

ARG REVISION=unknown
ENV CHECKRESULT_REVISION=${REVISION}
LABEL org.opencontainers.image.title="checkresult-stream" \
      org.opencontainers.image.description="Verification events on Kafka to normalized Avro results by CheckResult, exactly once" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"

USER 65532:65532
EXPOSE 9464
STOPSIGNAL SIGTERM
# An orchestrator asks /livez and /readyz itself; this is for those that do not.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.OPS_PORT || 9464) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/src/main.ts"]
CMD ["run"]
