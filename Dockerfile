# Three stages: build everything, install the native run-time dependencies, keep only those two results.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY tools/node-runtime/package.json tools/node-runtime/
COPY client/package.json client/
COPY web/package.json web/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build:production && node scripts/production-tree.mjs /tree

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /tree
COPY --from=build /tree/package.json /tree/package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
# Where the media of the disk driver are, if it is used: mount a volume there and set MEDIA_DIR.
RUN install -d -o node -g node /data/media
WORKDIR /app
COPY --from=build --chown=root:root /tree ./
COPY --from=dependencies --chown=root:root /tree/node_modules ./node_modules
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The process owns its signals and exits explicitly, so it may be PID 1. Give it 90 s to stop.
STOPSIGNAL SIGTERM
# The flag: as in scripts/node-runtime.mjs.
CMD ["node", "--max-semi-space-size=16", "dist/production/main.js"]
