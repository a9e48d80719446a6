# The image from these sources: docker build --build-arg REVISION="$(git rev-parse HEAD)" -t REPOSITORY:TAG .
# `npm run image` makes one of the same files without Docker.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
COPY image/package.json image/
COPY operator/package.json operator/
COPY shared/package.json shared/
COPY sharder/package.json sharder/
RUN npm install --no-save --omit=dev --include-workspace-root --workspace=@controller-sharding/image
COPY . .
RUN npm run --silent image -- /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="controller-sharding" \
      org.opencontainers.image.description="Controller sharding for Kubernetes: sharder and operators" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /rootfs/ /
USER 65532:65532
WORKDIR /
ENV PATH=/bin MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=131072
STOPSIGNAL SIGTERM
ENTRYPOINT ["/bin/node", "/app/main.mjs"]
