FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /sokuji . && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /sokuji /sokuji
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
EXPOSE 8090
ENTRYPOINT ["/sokuji"]
CMD ["serve", "--http", "0.0.0.0:8090", "--dir", "/data"]
