# Two stages: build with Go, ship one static binary and the CA roots. No shell, no package manager, no root.
FROM golang:1.26 AS build
WORKDIR /src

# The modules first: this layer changes only when go.mod does.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
RUN CGO_ENABLED=0 go build -tags nomsgpack -trimpath -buildvcs=false \
        -ldflags "-s -w -X escalator/handlers/cli.Version=${VERSION} -X escalator/handlers/cli.Commit=${COMMIT}" \
        -o /out/escalator . \
    && mkdir /out/data

FROM scratch
ARG VERSION=dev
ARG COMMIT=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="Escalator" \
      org.opencontainers.image.description="Takes chatbot conversations on Tencent Cloud Desk to a person, by rules that operators edit" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.documentation="docs/install.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
# For TLS to Desk's REST API. Time zones are in the binary (time/tzdata).
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/escalator /usr/local/bin/escalator
COPY rules.yaml /etc/escalator/rules.yaml
# An empty folder of the right owner: a new named volume takes over its owner and mode.
COPY --from=build --chown=65532:65532 /out/data /data

ENV ESCALATOR_RULES=/etc/escalator/rules.yaml \
    ESCALATOR_DATA_DIR=/data

USER 65532:65532
VOLUME /data
# 8080 takes Desk's callbacks. The operators' listener stays on loopback inside the container
# unless ESCALATOR_ADMIN_LISTEN and ESCALATOR_ADMIN_TOKEN say otherwise.
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/escalator", "health"]

# Exec form: SIGTERM reaches the service, which then stops cleanly within ESCALATOR_SHUTDOWN_GRACE.
ENTRYPOINT ["/usr/local/bin/escalator"]
CMD ["serve"]
