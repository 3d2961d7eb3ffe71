# One image for the service and the setup commands: Node.js, the required packages, and our sources.
# It has no shell, no package manager and no root user. It writes no files, so the root file system can be read-only.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" -t checkresult-stream:0.1.0 .
#
# docker-compose.yml builds a second image, with `--target simulator`: the same and the simulated API. Never deploy it.
#
# Base images are pinned by digest; the tag only says which version it is. To update one, change both:
#   docker buildx imagetools inspect node:26.10.0-bookworm-slim --format '{{.Manifest.Digest}}'
# If a digest does not exist, the build fails. It never falls back to another image.
ARG NODE_IMAGE=docker.io/library/node:26.10.0-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:afc6657a4b662f9cb69ca892b0596e55d6ef81a10e83ee8887b13f602877df89

FROM ${NODE_IMAGE} AS files
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
# Not --omit=optional: the native part of lz4-napi is optional. So is the Node for development, which is removed below.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node-linux-* node_modules/.bin
WORKDIR /app
# The notices: some packages have no license file of their own.
COPY package.json THIRD_PARTY.md ./
COPY schemas schemas
COPY src src
COPY simulator /simulator
# The umask of the checkout must not change the image.
RUN chmod -R u=rwX,go=rX /packages /app /simulator

FROM ${RUNTIME_IMAGE} AS runtime
# MALLOC_ARENA_MAX: with few arenas, freed memory goes back to the system, so the container stays below its limit.
ENV NODE_ENV=production \
    PATH=/nodejs/bin:/usr/bin:/bin \
    MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=files /packages/node_modules node_modules
COPY --from=files /app ./
# No compile cache (NODE_COMPILE_CACHE): it saves a third of a second of CPU at each start, but V8 writes a different one each
# time, so two builds of a commit would differ. Mount a folder for it if start time matters.
# The build fails if the image cannot run.
RUN ["node", "src/main.ts", "--version"]
LABEL org.opencontainers.image.title="checkresult-stream" \
      org.opencontainers.image.description="Verification events on Kafka to normalized Avro results by CheckResult, exactly once" \
      org.opencontainers.image.version="0.1.0"
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/src/main.ts"]

FROM runtime AS simulator
COPY --from=files /simulator simulator
CMD ["simulate"]

# The service. It is last, because a build without --target ends here.
FROM runtime
ARG REVISION=unknown
ENV CHECKRESULT_REVISION=${REVISION}
LABEL org.opencontainers.image.revision="${REVISION}"
EXPOSE 9464
# For runtimes that do not probe /livez and /readyz themselves.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.OPS_PORT || 9464) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["run"]
