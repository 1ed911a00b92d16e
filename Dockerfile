# Escalera, some 25 MB on top of Node. Node runs the TypeScript sources as they are: there is no build step, only an installation.

FROM node:24-bookworm-slim AS installed
WORKDIR /app
COPY package.json package-lock.json ./
# Optional are an embedded PostgreSQL and a Node of its own: neither belongs in here. Typings and source maps never run (a fifth of all bytes).
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete
COPY migrations ./migrations
COPY src ./src
# Whatever the umask of the checkout was, the service may read all of it and write none.
RUN chmod -R u=rwX,go=rX .

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Escalera" \
      org.opencontainers.image.description="Counts every customer's lifecycle stage, for any day: a headless REST service on Fastify and PostgreSQL" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=installed /app/node_modules ./node_modules
COPY --from=installed /app/package.json ./
COPY --from=installed /app/migrations ./migrations
COPY --from=installed /app/src ./src
# Every interface of the container: what is published, and where, is decided outside. The service refuses to start here without API keys.
ENV HOST=0.0.0.0 PORT=3000 MALLOC_ARENA_MAX=2
EXPOSE 3000
# The user `node`, as a number, so that Kubernetes can check runAsNonRoot.
USER 1000:1000
# Readiness, not liveness: nothing restarts a container for being unhealthy (a process that ends is restarted anyway), but `up --wait` and
# `depends_on: service_healthy` wait for it, and mean by it that requests would be answered. Without a database it is unhealthy, and recovers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "const answer = await fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/readyz'); console.log(await answer.text()); process.exit(answer.ok ? 0 : 1)"]
# Exec form: SIGTERM reaches Node, which lets requests in flight finish and ends with 0 within 25 s.
# Without a limit V8 lets garbage grow with the memory of the machine: an import held 440 MiB, of which 30 were alive; so it holds some 220.
CMD ["node", "--max-semi-space-size=8", "--max-heap-size=1024", "src/main.ts"]
