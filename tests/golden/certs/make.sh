#!/bin/sh
# Makes the certificates of the goldens anew (openssl 3): valid 2020-2120, keys in all three forms of PEM.
# Goldens record digests, so after this they are written anew too.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nnew_certs_dir=%s\nserial=%s/serial\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n[ca_ext]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' \
    "$work" "$work" "$work" > "$work/cnf"
: > "$work/index"
echo 01 > "$work/serial"
authority() { # name, key arguments
    name=$1
    shift
    openssl genpkey "$@" -out "$work/$name.key" 2>/dev/null
    openssl req -new -key "$work/$name.key" -subj "/CN=$name" -out "$work/$name.csr"
    openssl ca -batch -notext -config "$work/cnf" -startdate 20200101000000Z -enddate 21200101000000Z \
        -selfsign -keyfile "$work/$name.key" -extensions ca_ext -in "$work/$name.csr" -out "$name.crt" 2>/dev/null
}
leaf() { # name, subjectAltName, key arguments
    name=$1
    names=$2
    shift 2
    openssl genpkey "$@" -out "$work/$name.key" 2>/dev/null
    openssl req -new -key "$work/$name.key" -subj "/CN=$name" ${names:+-addext "subjectAltName=$names"} -out "$work/$name.csr"
    openssl ca -batch -notext -config "$work/cnf" -startdate 20200101000000Z -enddate 21200101000000Z \
        -cert ca.crt -keyfile "$work/ca.key" -in "$work/$name.csr" -out "$name.crt" 2>/dev/null
}
rsa='-algorithm RSA -pkeyopt rsa_keygen_bits:2048'
ec='-algorithm EC -pkeyopt ec_paramgen_curve:P-256'
# shellcheck disable=SC2086
{
    authority ca $rsa
    authority other-ca $ec
    leaf shop DNS:shop.example.com,DNS:www.shop.example.com $rsa
    leaf wildcard DNS:*.example.com $ec
    leaf client '' $ec
    leaf weak DNS:shop.example.com -algorithm RSA -pkeyopt rsa_keygen_bits:1024
}
openssl rsa -in "$work/shop.key" -traditional -out shop.key 2>/dev/null      # PKCS#1
openssl ec -in "$work/wildcard.key" -out wildcard.key 2>/dev/null            # SEC1
cp "$work/client.key" client.key                                             # PKCS#8
cp "$work/weak.key" weak.key
openssl pkey -in "$work/client.key" -aes256 -passout pass:secret -out encrypted.key
cat ca.crt shop.crt > wrong-order.crt
