#!/bin/sh
# Makes the certificates of the examples anew: an authority, and what it signed, valid for 100 years.
# The keys are public, since they are part of the repository. Never use them anywhere else.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"
cat > "$work/ca.conf" <<CONF
[ca]
default_ca = ca
[ca]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = policy
[policy]
commonName = supplied
CONF

# NAME SUBJECT EXTENSIONS ISSUER…
make() {
  name=$1 subject=$2 extensions=$3
  shift 3
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$name.key"
  openssl req -new -key "$work/$name.key" -subj "/CN=$subject" -out "$work/$name.csr"
  printf "$extensions" > "$work/$name.ext"
  openssl ca -batch -notext -config "$work/ca.conf" -startdate 20250101000000Z -enddate 21250101000000Z \
    -in "$work/$name.csr" -extfile "$work/$name.ext" -out "$name.crt" "$@" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}

# NAME SUBJECT-ALT-NAMES EXTENDED-KEY-USAGE
signed() {
  make "$1" "$1" "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=$3\nsubjectAltName=$2\n" \
    -cert ca.crt -keyfile "$work/ca.key"
  cp "$work/$1.key" "$1.key"
}

make ca "Daemun examples, for tests only" "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" \
  -selfsign -keyfile "$work/ca.key"
signed shop "DNS:shop.example.com" serverAuth
signed wildcard "DNS:example.com,DNS:*.example.com" serverAuth
signed orders "DNS:orders.internal,URI:spiffe://example.com/orders" serverAuth
signed client "DNS:client.example.com" clientAuth
