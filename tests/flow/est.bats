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

@test "strongSwan: by the certificate, another one in its place" {
    request dev5 dev5.example.internal
    est_pki --in dev5.req --userpass "$(password)" >dev5.pem || { cat pki.err; return 1; }
    pki --gen --type ecdsa --size 256 --outform pem >next.key
    pki --req --in next.key --type ecdsa --dn CN=dev5.example.internal --san dev5.example.internal >next.req
    est_pki --in next.req --cert dev5.pem --key dev5.key >next.pem || { cat pki.err; return 1; }
    good next.pem
    same "$(chancery cert show "$(serial_of next.pem)" --json | jq -r .replaces)" "$(serial_of dev5.pem)"
    pki --req --in next.key --type ecdsa --dn CN=dev6.example.internal --san dev6.example.internal >other.req
    run est_pki --in other.req --cert next.pem --key next.key
    [ "$status" -ne 0 ]
}

# One that was revoked while its connection lives, or its session ticket, is refused at the next request.
session() { # OPTION...; commands on stdin
    openssl s_client -connect "localhost:${CHANCERY_URL##*:}" -CAfile "$CHANCERY_ROOT" -quiet -no_ign_eof "$@" 2>/dev/null
}

statuses() { grep -aoE 'HTTP/1.1 [0-9]+' "$1" | cut -d' ' -f2 | xargs; }

@test "a revoked certificate is refused on the connection and by the ticket it has" {
    TEMPLATE=client issue held DNS:held.example.internal
    local get=$'GET /v1/issuers HTTP/1.1\r\nHost: localhost\r\n\r\n' v
    for v in tls1_2 tls1_3; do
        rm -f ticket.$v
        { printf '%s' "$get"; within 10 test -s one.$v -a -s ticket.$v; } | session -$v -cert held.pem -key held.key -sess_out ticket.$v >one.$v
        same "$(statuses one.$v)" 200
        { printf '%s' "$get"; within 10 test -s three.$v; } | session -$v -sess_in ticket.$v >three.$v
        same "$(statuses three.$v)" 200 # the ticket alone will do
    done
    mkfifo pipe
    session -tls1_3 -cert held.pem -key held.key <pipe >two &
    local client=$!
    exec 7>pipe
    printf '%s' "$get" >&7
    within 10 grep -qa HTTP two
    chancery cert revoke "$(serial_of held.pem)" --reason superseded >revoked
    printf '%s' "$get" >&7
    within 10 grep -qa 'HTTP/1.1 401' two
    exec 7>&-
    wait $client
    same "$(statuses two)" '200 401'
    for v in tls1_2 tls1_3; do
        { printf '%s' "$get"; within 10 test -s four.$v; } | session -$v -sess_in ticket.$v >four.$v
        same "$(statuses four.$v)" 401
    done
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
