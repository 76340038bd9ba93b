#!/usr/bin/env bats
# Revocation, and what OCSP clients and readers of CRLs see of it.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

revoke_api() { # SERIAL REASON
    ask_token -H 'Content-Type: application/json' -d "{\"reason\":\"$2\"}" "/v1/certificates/$1/revoke"
}

ocsp() { # FILE OPTION...; status line and what openssl thinks of the answer
    local file=$1
    shift
    openssl ocsp -issuer "$CHANCERY_ISSUER" "$@" -cert "$file" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>&1
}

ocsp_says() { # FILE STATUS
    ocsp "$1" >ocsp.out
    grep -q '^Response verify OK' ocsp.out && grep -q "^$1: $2" ocsp.out
}

# A GET or POST to the responder; as ask: ./body, ./head, $answer.
fetch() { # CURL-ARGUMENT... PATH
    local path=${*: -1}
    answer=$(curl -sS --max-time 20 --path-as-is -o body -D head -w '%{http_code}' "${@:1:$#-1}" "$CHANCERY_HTTP_URL$path")
}

fetch_crl() {
    fetch "/crl/${1:-issuing}.crl"
    expect 200
    openssl crl -inform DER -in body -noout -text >crl.text
}

crl_number() {
    fetch "/crl/${1:-issuing}.crl"
    printf '%d' "$(openssl crl -inform DER -in body -noout -crlnumber | cut -d= -f2)"
}

crl_has() { # SERIAL
    fetch_crl && grep -qi "Serial Number: $1" crl.text
}

verify_crl() { # FILE
    curl -sf -o crls.pem "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"
    openssl verify -crl_check_all -CRLfile crls.pem -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$1"
}

# --- seen by clients ---

@test "revoked through the API, it is seen in OCSP and CRL within a second" {
    issue a DNS:a.example.internal
    ocsp_says a.pem good
    verify_crl a.pem
    revoke_api "$(serial_of a.pem)" keyCompromise
    expect 200
    within 1 ocsp_says a.pem revoked
    within 1 crl_has "$(serial_of a.pem)"
    run ! verify_crl a.pem
}

@test "revoked with the command, it is seen in OCSP and CRL within a second" {
    issue a DNS:a.example.internal
    ocsp_says a.pem good
    run chancery cert revoke "$(serial_of a.pem)" --reason superseded
    [ "$status" -eq 0 ]
    within 1 ocsp_says a.pem revoked
    within 1 crl_has "$(serial_of a.pem)"
}

@test "what nobody had asked OCSP about is revoked there too" {
    issue a DNS:a.example.internal
    revoke_api "$(serial_of a.pem)" superseded
    within 1 ocsp_says a.pem revoked
}

@test "the answer to a revocation says what stands" {
    issue a DNS:a.example.internal
    revoke_api "$(serial_of a.pem)" superseded
    same "$(member 'keys | sort | join(" ")')" "already issuer reason revoked_at serial status"
    same "$(member .serial) $(member .issuer) $(member .status) $(member .reason) $(member .already)" "$(serial_of a.pem) issuing revoked superseded false"
    matches "$(member .revoked_at)" '^20[0-9-]+T[0-9:]+Z$'
}

@test "every reason that an end entity's certificate may have stands in OCSP and CRL" {
    local reason shown
    for reason in keyCompromise affiliationChanged superseded cessationOfOperation certificateHold privilegeWithdrawn; do
        rm -f a.key
        issue a DNS:a.example.internal
        revoke_api "$(serial_of a.pem)" "$reason"
        expect 200
        within 1 ocsp_says a.pem revoked
        shown=$reason
        [ "$reason" != privilegeWithdrawn ] || shown='(UNKNOWN)' # openssl has no word for it here
        grep -qF "Reason: $shown" ocsp.out || { cat ocsp.out; return 1; }
        within 1 crl_has "$(serial_of a.pem)"
        grep -A4 -i "$(serial_of a.pem)" crl.text | tr -d ' ' | grep -qi "^$(sed 's/certificateHold/CertificateHold/' <<<"$reason")$" ||
            { cat crl.text; return 1; }
    done
}

@test "without a reason it is unspecified, which the CRL leaves out (RFC 5280 5.3.1)" {
    issue a DNS:a.example.internal
    ask_token -X POST "/v1/certificates/$(serial_of a.pem)/revoke"
    expect 200
    same "$(member .reason)" unspecified
    within 1 crl_has "$(serial_of a.pem)"
    grep -A4 -i "$(serial_of a.pem)" crl.text >entry
    run ! grep -qi 'Unspecified' entry
}

@test "reasons that are none, or a CA's, are refused" {
    issue a DNS:a.example.internal
    local reason
    for reason in whim cACompromise aACompromise removeFromCRL 1 ""; do
        revoke_api "$(serial_of a.pem)" "$reason"
        expect_problem 422 bad-field '' /reason || { echo "for '$reason'"; return 1; }
    done
    ocsp_says a.pem good
}

@test "revoking again says so and changes nothing" {
    issue a DNS:a.example.internal
    revoke_api "$(serial_of a.pem)" superseded
    local at
    at=$(member .revoked_at)
    within 3 crl_has "$(serial_of a.pem)"
    sleep 1.1
    revoke_api "$(serial_of a.pem)" keyCompromise
    expect 200
    same "$(member .already) $(member .reason) $(member .revoked_at)" "true superseded $at"
    run chancery cert revoke "$(serial_of a.pem)"
    [ "$status" -eq 0 ]
    matches "$output" 'was revoked'
}

@test "a serial that was never issued cannot be revoked" {
    revoke_api 400000000000000000000000000000000000abcd superseded
    expect_problem 404 not-found ''
    run -1 chancery cert revoke 400000000000000000000000000000000000abcd
}

@test "another asker's certificate is not there to be revoked; the administrator's hand reaches it" {
    issue a DNS:a.example.internal
    chancery token create --template server --name '**.example.internal' --out other 2>/dev/null
    TOKEN=other revoke_api "$(serial_of a.pem)" superseded
    expect_problem 404 not-found ''
    ocsp_says a.pem good
    ask_admin -H 'Content-Type: application/json' -d '{"reason":"superseded"}' "/v1/certificates/$(serial_of a.pem)/revoke"
    expect 200
    within 1 ocsp_says a.pem revoked
}

@test "the record and the search say that it is revoked, when and why" {
    issue a DNS:a.example.internal
    revoke_api "$(serial_of a.pem)" cessationOfOperation
    ask_token "/v1/certificates/$(serial_of a.pem)"
    same "$(member .status) $(member .reason)" "revoked cessationOfOperation"
    ask_token "/v1/certificates?status=revoked"
    member '.certificates[].serial' | grep -q "$(serial_of a.pem)"
    ask_token "/v1/certificates?status=valid"
    run ! grep -q "$(serial_of a.pem)" body
}

@test "twenty revoked at once all stand in the next CRL" {
    local i pids=()
    for i in $(seq 20); do issue "c$i" "DNS:h$i.example.internal" & pids+=($!); done
    wait "${pids[@]}"
    pids=()
    for i in $(seq 20); do chancery cert revoke "$(serial_of "c$i.pem")" >/dev/null 3>&- & pids+=($!); done
    wait "${pids[@]}"
    all() {
        fetch_crl
        local i
        for i in $(seq 20); do grep -qi "$(serial_of "c$i.pem")" crl.text || return 1; done
    }
    within 2 all
    openssl crl -inform DER -in body -CAfile "$CHANCERY_ISSUER" -noout 2>&1 | grep -q 'verify OK'
}

# --- OCSP ---

@test "openssl ocsp: good, with the nonce echoed" {
    issue a DNS:a.example.internal
    ocsp a.pem >out
    grep -q 'Response verify OK' out
    grep -q 'a.pem: good' out
    run ! grep -qi 'nonce' out # it warns where there is none, and fails where it is another
    ocsp a.pem -resp_text | grep -q 'OCSP Nonce'
}

@test "openssl ocsp without a nonce: good, and no nonce" {
    issue a DNS:a.example.internal
    ocsp a.pem -no_nonce -resp_text >out
    grep -q 'a.pem: good' out
    run ! grep -q 'OCSP Nonce' out
}

@test "CertIDs with SHA-1 and SHA-256 are answered, revoked ones too" {
    issue a DNS:a.example.internal
    ocsp a.pem -sha1 -no_nonce -resp_text | grep -q 'Hash Algorithm: sha1'
    ocsp a.pem -sha256 -no_nonce -resp_text >out
    grep -q 'Hash Algorithm: sha256' out
    grep -q 'a.pem: good' out
    ocsp a.pem -sha256 | grep -q 'a.pem: good'
    revoke_api "$(serial_of a.pem)" superseded
    sha256_revoked() { ocsp a.pem -sha256 | grep -q 'a.pem: revoked'; }
    within 1 sha256_revoked
    within 1 ocsp_says a.pem revoked
}

@test "gnutls ocsptool: good, then revoked" {
    issue a DNS:a.example.internal
    openssl x509 -in a.pem -out leaf.pem
    tool() { ocsptool --ask="$CHANCERY_HTTP_URL/ocsp/issuing" --load-cert leaf.pem --load-issuer "$CHANCERY_ISSUER" --load-trust "$CHANCERY_ISSUER" >out 2>&1; }
    tool
    grep -q 'Certificate Status: good' out
    grep -q 'Verifying OCSP Response: Success' out
    revoke_api "$(serial_of a.pem)" superseded
    tool_revoked() { tool; grep -q 'Certificate Status: revoked' out; }
    within 1 tool_revoked
    grep -q 'Verifying OCSP Response: Success' out
}

@test "GET: base64 percent-encoded, and as it is, with its slashes" {
    issue a DNS:a.example.internal
    local b64 tries
    for tries in $(seq 60); do # until the base64 has a slash
        openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -no_nonce -reqout q 2>/dev/null
        b64=$(base64 -w0 q)
        case "$b64" in */*) break ;; esac
        rm -f a.key
        issue a DNS:a.example.internal
    done
    case "$b64" in */*) ;; *) skip "no slash in $tries serials" ;; esac
    fetch "/ocsp/issuing/$(jq -rn --arg b "$b64" '$b | @uri')"
    expect 200
    same "$(header Content-Type)" application/ocsp-response
    openssl ocsp -respin body -issuer "$CHANCERY_ISSUER" -cert a.pem -CAfile "$CHANCERY_ROOT" 2>&1 | grep -q 'a.pem: good'
    cp body first
    fetch "/ocsp/issuing/$b64"
    expect 200
    cmp body first
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @q /ocsp/issuing
    expect 200
    cmp body first
}

@test "cache headers on a GET: Last-Modified, Expires, ETag, max-age; 304 when nothing changed" {
    issue a DNS:a.example.internal
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -no_nonce -reqout q 2>/dev/null
    local path
    path=/ocsp/issuing/$(base64 -w0 q | jq -Rr @uri)
    fetch "$path"
    openssl ocsp -respin body -resp_text -noverify >text
    same "$(date -d "$(header Last-Modified)" +%s)" "$(date -d "$(sed -n 's/ *This Update: //p' text)" +%s)"
    same "$(date -d "$(header Expires)" +%s)" "$(date -d "$(sed -n 's/ *Next Update: //p' text)" +%s)"
    matches "$(header Cache-Control)" '^max-age=[0-9]+, public, no-transform, must-revalidate$'
    matches "$(header ETag)" '^"[0-9a-zA-Z_-]+"$'
    local etag modified
    etag=$(header ETag) modified=$(header Last-Modified)
    fetch -H "If-None-Match: $etag" "$path"
    expect 304
    fetch -H 'If-None-Match: "other"' "$path"
    expect 200
    fetch -H "If-Modified-Since: $modified" "$path"
    expect 304
    revoke_api "$(serial_of a.pem)" superseded
    changed() { fetch -H "If-None-Match: $etag" "$path" && [ "$answer" = 200 ]; }
    within 1 changed
}

@test "an answer with a nonce, and an error, must not be kept" {
    issue a DNS:a.example.internal
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -reqout q 2>/dev/null
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @q /ocsp/issuing
    same "$(header Cache-Control)" no-store
    printf x >q
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @q /ocsp/issuing
    same "$(header Cache-Control)" no-store
    openssl ocsp -respin body -noverify 2>&1 | grep -q 'malformedrequest (1)'
}

@test "unauthorized for a serial that was never issued, another CA's, or no serial of ours" {
    issue a DNS:a.example.internal
    local serial
    for serial in 0x400000000000000000000000000000000000abcd 0x4000000000000000000000000000abcd 0x01 0x00 0x8000000000000000000000000000000000000001; do
        openssl ocsp -issuer "$CHANCERY_ISSUER" -serial "$serial" -url "$CHANCERY_HTTP_URL/ocsp/issuing" -CAfile "$CHANCERY_ROOT" >out 2>&1 || true
        grep -q 'unauthorized (6)' out || { cat out; return 1; }
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.pem -subj /CN=x 2>/dev/null
    openssl ocsp -issuer x.pem -cert a.pem -url "$CHANCERY_HTTP_URL/ocsp/issuing" -CAfile "$CHANCERY_ROOT" >out 2>&1 || true
    grep -q 'unauthorized (6)' out
}

@test "a status is given under its own issuer alone" {
    issue a DNS:a.example.internal
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -url "$CHANCERY_HTTP_URL/ocsp/root" -CAfile "$CHANCERY_ROOT" >out 2>&1 || true
    grep -q 'unauthorized (6)' out
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @/dev/null /ocsp/nothing
    openssl ocsp -respin body -noverify >out 2>&1 || true
    matches "$answer $(cat out)" '^404|unauthorized|malformed'
}

@test "the root's responder answers for the issuing CA" {
    openssl ocsp -issuer "$CHANCERY_ROOT" -cert "$CHANCERY_ISSUER" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/root" >out 2>&1
    grep -q 'Response verify OK' out
    grep -q ': good' out
}

@test "the responder's certificate is delegated: OCSPSigning, nocheck, a key in the token" {
    issue a DNS:a.example.internal
    ocsp a.pem -resp_text >out
    sed -n '/BEGIN/,/END/p' out >responder.pem
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" responder.pem
    openssl x509 -in responder.pem -noout -text >text
    grep -q 'OCSP Signing' text
    grep -q 'OCSP No Check' text
    run ! grep -q 'CA:TRUE' text
    run ! grep -rlE 'PRIVATE KEY' "$CHANCERY_DIR/shelf" "$CHANCERY_DIR/ledger" "$CHANCERY_DIR/roll"
}

@test "requests that are no OCSP are malformed, or too large" {
    local request
    for request in '' 30 3000 'hello' "$(printf '0%.0s' $(seq 200))"; do
        printf '%s' "$request" >q
        fetch -H 'Content-Type: application/ocsp-request' --data-binary @q /ocsp/issuing
        if [ "$answer" = 200 ]; then
            openssl ocsp -respin body -noverify 2>&1 | grep -q 'malformedrequest' || { echo "'$request'"; return 1; }
        else
            matches "$answer" '^4'
        fi
    done
    head -c 10000 /dev/zero >q
    fetch -H 'Content-Type: application/ocsp-request' --data-binary @q /ocsp/issuing
    expect 413
    fetch /ocsp/issuing/!!!!
    openssl ocsp -respin body -noverify 2>&1 | grep -q 'malformedrequest'
    issue a DNS:a.example.internal
    ocsp_says a.pem good
}

# --- lists ---

@test "the CRL: DER, its type, signed by the issuer, number, AKI, nextUpdate" {
    fetch_crl
    same "$(header Content-Type)" application/pkix-crl
    openssl crl -inform DER -in body -CAfile "$CHANCERY_ISSUER" -noout 2>&1 | grep -q 'verify OK'
    grep -q 'X509v3 CRL Number' crl.text
    same "$(grep -A1 'Authority Key Identifier' crl.text | tail -1 | tr -d ' ' | sed s/keyid://)" \
        "$(openssl x509 -in "$CHANCERY_ISSUER" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' ')"
    [ "$(date -d "$(sed -n 's/ *Next Update: //p' crl.text)" +%s)" -gt "$(date +%s)" ]
    [ "$(date -d "$(sed -n 's/ *Last Update: //p' crl.text)" +%s)" -le "$(($(date +%s) + 1))" ]
}

@test "the CRL number rises with a revocation, and ETag with it" {
    local before etag
    before=$(crl_number)
    fetch /crl/issuing.crl
    etag=$(header ETag)
    fetch -H "If-None-Match: $etag" /crl/issuing.crl
    expect 304
    issue a DNS:a.example.internal
    revoke_api "$(serial_of a.pem)" superseded
    within 1 crl_has "$(serial_of a.pem)"
    [ "$(crl_number)" -gt "$before" ]
    fetch -H "If-None-Match: $etag" /crl/issuing.crl
    expect 200
}

@test "cache headers of the CRL: Last-Modified, Expires, max-age" {
    fetch_crl
    same "$(date -d "$(header Last-Modified)" +%s)" "$(date -d "$(sed -n 's/ *Last Update: //p' crl.text)" +%s)"
    same "$(date -d "$(header Expires)" +%s)" "$(date -d "$(sed -n 's/ *Next Update: //p' crl.text)" +%s)"
    matches "$(header Cache-Control)" '^max-age=[0-9]+, public, no-transform, must-revalidate$'
}

@test "openssl verify -crl_check: fetched from the URL in the certificate, good then revoked" {
    issue a DNS:a.example.internal
    check() { openssl verify -crl_check -crl_download -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" a.pem >out 2>&1; }
    check || { cat out; return 1; }
    revoke_api "$(serial_of a.pem)" superseded
    within 1 crl_has "$(serial_of a.pem)"
    run ! check
    grep -q 'certificate revoked' out
}

@test "gnutls certtool: its CRL check passes a good one and refuses a revoked one" {
    issue a DNS:a.example.internal
    check() {
        curl -sf -o crls.pem "$CHANCERY_HTTP_URL/crl/issuing-chain.pem"
        certtool --verify --load-ca-certificate "$CHANCERY_ROOT" --load-crl crls.pem --infile a.pem >out 2>&1
    }
    check || { cat out; return 1; }
    revoke_api "$(serial_of a.pem)" superseded
    within 1 crl_has "$(serial_of a.pem)"
    run ! check
    grep -qi revoked out
}

@test "the bundle has the list of every CA of the chain, the root's too" {
    fetch /crl/issuing-chain.pem
    expect 200
    same "$(grep -c 'BEGIN X509 CRL' body)" 2
    csplit -sz body '/BEGIN X509/' '{*}'
    same "$(openssl crl -in xx00 -noout -issuer; openssl crl -in xx01 -noout -issuer)" \
        "$(openssl x509 -in "$CHANCERY_ISSUER" -noout -subject | sed s/subject/issuer/; openssl x509 -in "$CHANCERY_ROOT" -noout -subject | sed s/subject/issuer/)"
    fetch_crl root
    openssl crl -inform DER -in body -CAfile "$CHANCERY_ROOT" -noout 2>&1 | grep -q 'verify OK'
}

@test "certificates of the CAs, DER and PEM, and the roots" {
    fetch /ca/issuing.crt
    expect 200
    same "$(header Content-Type)" application/pkix-cert
    same "$(sha256sum <body)" "$(openssl x509 -in "$CHANCERY_ISSUER" -outform DER | sha256sum)"
    fetch /ca/root.crt
    same "$(sha256sum <body)" "$(openssl x509 -in "$CHANCERY_ROOT" -outform DER | sha256sum)"
    fetch /ca/issuing.pem
    same "$(openssl x509 -in body -noout -fingerprint)" "$(openssl x509 -in "$CHANCERY_ISSUER" -noout -fingerprint)"
    fetch /roots.pem
    expect 200
    same "$(grep -c BEGIN body)" 1
    same "$(openssl x509 -in body -noout -fingerprint)" "$(openssl x509 -in "$CHANCERY_ROOT" -noout -fingerprint)"
    matches "$(header ETag)" '^"'
}

@test "what is not published is not found; HEAD has no body; POST is not for lists" {
    fetch /crl/nothing.crl
    expect_problem 404 not-found ''
    fetch /ca/../secret/pin
    matches "$answer" '^4'
    fetch /
    expect 404
    fetch -I /crl/issuing.crl
    expect 200
    [ "$(header Content-Length)" -gt 100 ]
    fetch -X POST -d x /crl/issuing.crl
    expect 405
    fetch -X GET /v1/certificates
    expect 404
}

@test "the books agree after all that" {
    chancery ledger verify --json | jq -e '.ok and .open == 0 and .revoked > 30'
}
