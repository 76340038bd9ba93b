#!/usr/bin/env bats
# EST as its clients speak it: strongSwan's pki, curl and openssl.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# strongSwan takes the password as an argument; its own affair.
est_pki() { pki --est --url "$CHANCERY_URL${LABEL:-}" --cacert "$CHANCERY_ROOT" --cacert "$CHANCERY_ISSUER" --outform pem "$@" 2>pki.err; }
password() { echo "dev1:$(cat "${1:-$CHANCERY_TOKEN_FILE}")"; }

request() { # FILE NAME
    pki --gen --type ecdsa --size 256 --outform pem >"$1.key"
    pki --req --in "$1.key" --type ecdsa --dn "CN=$2" --san "$2" >"$1.req"
}

est_curl() { # OPERATION CURL-ARGUMENT...
    local op=$1
    shift
    printf 'user = "%s"\n' "$(password)" >user
    ask --config user -H 'Content-Type: application/pkcs10' "$@" "/.well-known/est/$op"
}

good() { openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$1"; }

@test "strongSwan: the authority's certificates" {
    pki --estca --url "$CHANCERY_URL" --cacert "$CHANCERY_ROOT" --caout ca.pem --outform pem --force 2>err || { cat err; return 1; }
    ls ca*.pem
    cat ca*.pem >all.pem
    same "$(openssl x509 -in "$CHANCERY_ROOT" -noout -fingerprint -sha256)" \
        "$(for f in ca*.pem; do openssl x509 -in "$f" -noout -fingerprint -sha256; done | grep -F "$(openssl x509 -in "$CHANCERY_ROOT" -noout -fingerprint -sha256)")"
}

@test "strongSwan: a certificate by token" {
    request dev1 dev1.example.internal
    est_pki --in dev1.req --userpass "$(password)" >dev1.pem || { cat pki.err; return 1; }
    good dev1.pem
    matches "$(openssl x509 -in dev1.pem -noout -ext subjectAltName)" 'DNS:dev1.example.internal'
}

@test "strongSwan: the label behind the address is the template" {
    request web web.example.internal
    LABEL=/server est_pki --in web.req --userpass "$(password)" >web.pem || { cat pki.err; return 1; }
    matches "$(openssl x509 -in web.pem -noout -ext extendedKeyUsage)" 'TLS Web Server Authentication'
}

@test "strongSwan: a wrong password gets none" {
    request dev2 dev2.example.internal
    run est_pki --in dev2.req --userpass dev2:wrong
    [ "$status" -ne 0 ]
}

@test "curl and openssl: in, out, and the chain" {
    csr dev3 DNS:dev3.example.internal
    openssl req -in dev3.csr -outform DER | base64 >dev3.b64
    est_curl device/simpleenroll --data-binary @dev3.b64
    expect 200
    body | base64 -d | openssl pkcs7 -inform DER -print_certs -out dev3.pem
    good dev3.pem
    ask /.well-known/est/cacerts
    body | base64 -d | openssl cms -cmsout -inform DER -print >/dev/null
    body | base64 -d | openssl pkcs7 -inform DER -print_certs | grep -c BEGIN | grep -qx 2
    ask /.well-known/est/csrattrs
    body | base64 -d | openssl asn1parse -inform DER | grep -q prime256v1
}

@test "TLS 1.2 will do" {
    csr dev4 DNS:dev4.example.internal
    openssl req -in dev4.csr -outform DER | base64 -w0 >dev4.b64
    est_curl simpleenroll --tls-max 1.2 --data-binary @dev4.b64
    expect 200
}

@test "neither name nor password stands in log or ledger" {
    printf 'user = "somebody-here:chancery_not-a-token-of-ours"\n' >user
    ask --config user -H 'Content-Type: application/pkcs10' --data-binary x /.well-known/est/simpleenroll
    expect_problem 401 unauthenticated 'not known'
    matches "$(header WWW-Authenticate)" '^Basic'
    run grep -rlE 'somebody-here|not-a-token-of-ours|c29tZWJvZHk' "$CHANCERY_DIR"
    same "$output" ""
}
