# Daemun's image: one static binary, and nothing else. It needs the source and nothing more:
#   docker build --tag daemun:0.1.0 .
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# Linked statically, which takes an explicit target: else the flags would also be those of build scripts.
RUN target=$(rustc -vV | sed -n 's/^host: //p') \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --profile dist --package daemun --target "$target" \
 && cp "target/$target/dist/daemun" /daemun

FROM scratch
COPY --from=build /daemun /daemun
USER 65532:65532
ENTRYPOINT ["/daemun"]
