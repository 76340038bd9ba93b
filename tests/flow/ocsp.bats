#!/usr/bin/env bats
# OCSP beyond one question and one answer: queries about several certificates, requests that are signed, what is configured for
# an issuer, staplers, clients that check, and a responder whose front and vault are dead.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    cp "$CHANCERY_CONFIG" "$BATS_FILE_TMPDIR/chancery.good"
}

teardown_file() {
    [ ! -s "$BATS_FILE_TMPDIR/haproxy.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/haproxy.pid")"
    demo_stop
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    demo_env "$BATS_FILE_TMPDIR/demo"
    OCSP=$CHANCERY_HTTP_URL/ocsp/issuing
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
}

ask_ocsp() { # OPTION...; what openssl makes of the answer
    openssl ocsp -issuer "$CHANCERY_ISSUER" -CAfile "$CHANCERY_ROOT" -url "$OCSP" "$@" 2>&1
}

says() { ask_ocsp -cert "$1" "${@:3}" >out && grep -q '^Response verify OK' out && grep -q "^$1: $2" out; }

post() { # FILE; ./body, ./head, $answer
    answer=$(curl -sS --max-time 20 -o body -D head -w '%{http_code}' -H 'Content-Type: application/ocsp-request' --data-binary @"$1" "$OCSP")
}

logged() { tail -n "+$((LOGGED + 1))" "$CHANCERY_DIR/log"; }
logged_reload() { logged | grep -q 'reload\.done'; }

# The issuing CA's OCSP with these settings, in force.
configure() { # "signer: issuer"
    sed "/^ *- name: issuing$/a\\    ocsp: {$1}" "$BATS_FILE_TMPDIR/chancery.good" >"$CHANCERY_CONFIG"
    kill -HUP "$CHANCERY_PID"
    within 10 logged_reload || { logged; return 1; }
}

as_it_was() {
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
    cp "$BATS_FILE_TMPDIR/chancery.good" "$CHANCERY_CONFIG"
    kill -HUP "$CHANCERY_PID"
    within 10 logged_reload
}

# --- queries ---

@test "several certificates in one query: one answer about all of them" {
    issue a DNS:a.example.internal
    issue b DNS:b.example.internal
    issue c DNS:c.example.internal
    chancery cert revoke "$(serial_of b.pem)" --reason superseded >/dev/null
    within 1 says b.pem revoked
    local how
    for how in "" -no_nonce -sha256; do
        # shellcheck disable=SC2086
        ask_ocsp $how -cert a.pem -cert b.pem -cert c.pem >out
        grep -q '^Response verify OK' out
        same "$(grep -cE '^[abc].pem: ' out)" 3
        grep -q '^a.pem: good' out
        grep -q '^b.pem: revoked' out
        grep -q '^c.pem: good' out
        run ! grep -qi 'nonce' out
    done
}

@test "one of several that is not on record: unauthorized for the query" {
    issue a DNS:a.example.internal
    ask_ocsp -cert a.pem -serial 0x400000000000000000000000000000000000abcd >out || true
    grep -q 'unauthorized (6)' out
}

@test "33 certificates in one query are too many, 32 are not" {
    issue a DNS:a.example.internal
    local args=() i
    for i in $(seq 32); do args+=(-cert a.pem); done
    openssl ocsp -issuer "$CHANCERY_ISSUER" "${args[@]}" -no_nonce -reqout q 2>/dev/null
    post q
    openssl ocsp -respin body -issuer "$CHANCERY_ISSUER" -cert a.pem -CAfile "$CHANCERY_ROOT" 2>&1 | grep -q 'a.pem: good'
    openssl ocsp -issuer "$CHANCERY_ISSUER" "${args[@]}" -cert a.pem -no_nonce -reqout q 2>/dev/null
    post q
    openssl ocsp -respin body -noverify 2>&1 | grep -q 'malformedrequest (1)'
}

@test "a signed request is answered as if it were not" {
    issue a DNS:a.example.internal
    ask_ocsp -cert a.pem -signer a.pem -signkey a.key >out
    grep -q '^Response verify OK' out
    grep -q '^a.pem: good' out
}

@test "nonces of 1 and 128 octets come back, of 129 and none are malformed" {
    issue a DNS:a.example.internal
    local n
    for n in 1 128 0 129; do
        openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -no_nonce -reqout plain 2>/dev/null
        python3 - "$n" <<'PY'
import sys
def tlv(tag, body):
    n = len(body)
    return bytes([tag]) + (bytes([n]) if n < 128 else b"\x81" + bytes([n]) if n < 256 else b"\x82" + n.to_bytes(2, "big")) + body
def inner(der):
    n = 2 if der[1] < 128 else 2 + der[1] - 128
    return der[n:]
n = int(sys.argv[1])
tbs = inner(inner(open("plain", "rb").read()))
nonce = tlv(0x30, tlv(0x30, tlv(0x06, bytes.fromhex("2b0601050507300102")) + tlv(0x04, tlv(0x04, b"\xab" * n))))
open("q", "wb").write(tlv(0x30, tlv(0x30, tbs + tlv(0xa2, nonce))))
PY
        post q
        if [ "$n" = 0 ] || [ "$n" = 129 ]; then
            openssl ocsp -respin body -noverify 2>&1 | grep -q 'malformedrequest' || { echo "of $n"; return 1; }
        else
            openssl ocsp -respin body -noverify -resp_text >text 2>&1
            grep -q 'OCSP Nonce' text || { echo "of $n"; cat text; return 1; }
            od -An -tx1 -v body | tr -d ' \n' | grep -qE "04$(printf %02x "$n" | sed 's/^80$/8180/')(ab){$n}" || { echo "of $n"; cat text; return 1; }
        fi
    done
}

# --- what is configured ---

@test "unknown: signed, for who asked alone, where it is configured" {
    issue a DNS:a.example.internal
    configure "unknown: signed"
    ask_ocsp -serial 0x400000000000000000000000000000000000abcd >out
    grep -q '^Response verify OK' out
    grep -q ': unknown' out
    ask_ocsp -cert a.pem -serial 0x400000000000000000000000000000000000abcd >out
    grep -q '^a.pem: good' out
    grep -q '0x400000000000000000000000000000000000abcd: unknown' out
    as_it_was
    ask_ocsp -serial 0x400000000000000000000000000000000000abcd >out || true
    grep -q 'unauthorized (6)' out
}

@test "signer: issuer: its own key answers, and the responder's again when that is taken back" {
    issue a DNS:a.example.internal
    says a.pem good
    configure "signer: issuer"
    issue b DNS:b.example.internal
    says b.pem good
    says b.pem good -no_nonce
    ask_ocsp -cert b.pem -no_nonce -resp_text >text
    run ! grep -q 'BEGIN CERTIFICATE' text
    same "$(sed -n 's/ *Responder Id: //p' text)" \
        "$(openssl x509 -in "$CHANCERY_ISSUER" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :')"
    says a.pem good # sealed before by the responder, joined with the other
    ask_ocsp -cert a.pem -cert b.pem >out
    grep -q '^Response verify OK' out
    same "$(grep -c ': good' out)" 2
    chancery cert revoke "$(serial_of b.pem)" --reason superseded >/dev/null
    within 1 says b.pem revoked
    as_it_was
    issue c DNS:c.example.internal
    by_responder() { says c.pem good -no_nonce -resp_text && grep -q 'BEGIN CERTIFICATE' out; }
    within 10 by_responder
}

@test "a lifetime that answers may not have, a signer that is none: refused by name" {
    local bad
    for bad in "lifetime: 30d" "signer: somebody" "unknown: perhaps"; do
        sed "/^ *- name: issuing$/a\\    ocsp: {$bad}" "$BATS_FILE_TMPDIR/chancery.good" >bad.yaml
        cp bad.yaml "$CHANCERY_DIR/bad.yaml"
        run ! chancery config check -c "$CHANCERY_DIR/bad.yaml"
        matches "$output" "${bad%%:*}"
        rm "$CHANCERY_DIR/bad.yaml"
    done
}

# --- staplers and clients ---

@test "haproxy staples: curl --cert-status is content, then sees the revocation" {
    local port
    read -r port < <(demo_ports 1)
    issue web DNS:web.example.internal
    mkdir -p certs
    cat web.pem web.key >certs/web.pem
    staple() { ask_ocsp -cert web.pem -no_nonce -respout certs/web.pem.ocsp >/dev/null; }
    staple
    openssl x509 -in "$CHANCERY_ISSUER" -out certs/web.pem.issuer
    cat >haproxy.cfg <<CONF
global
    stats socket $PWD/haproxy.sock level admin
defaults
    mode http
    timeout client 10s
    timeout connect 5s
    timeout server 10s
frontend web
    bind 127.0.0.1:$port ssl crt $PWD/certs/web.pem
    http-request return status 200 content-type text/plain string served
CONF
    haproxy -D -f haproxy.cfg -p "$BATS_FILE_TMPDIR/haproxy.pid" 3>&-
    status() { curl -sS --max-time 10 --cert-status --cacert "$CHANCERY_ROOT" --resolve "web.example.internal:$port:127.0.0.1" "https://web.example.internal:$port/"; }
    # curl with OpenSSL wants the issuer in the chain to check the staple: haproxy sends leaf and issuing CA
    within 5 status >served 2>&1
    grep -q served served
    chancery cert revoke "$(serial_of web.pem)" --reason keyCompromise >/dev/null
    within 1 says web.pem revoked
    staple
    printf 'set ssl ocsp-response %s\n' "$(base64 -w0 certs/web.pem.ocsp)" | socat - "UNIX-CONNECT:$PWD/haproxy.sock" | grep -q 'updated'
    run ! status
    matches "$output" 'revocation reason: keyCompromise'
    kill "$(cat "$BATS_FILE_TMPDIR/haproxy.pid")"
    rm "$BATS_FILE_TMPDIR/haproxy.pid"
}

@test "strongSwan's pki checks online: good, then revoked" {
    issue a DNS:a.example.internal
    openssl x509 -in a.pem -outform DER -out a.der
    online() { pki --verify --in a.der --cacert "$CHANCERY_ISSUER" --cacert "$CHANCERY_ROOT" --online >out 2>&1; }
    online || { cat out; return 1; }
    grep -q 'ocsp response is valid' out
    grep -q 'certificate status is good' out
    chancery cert revoke "$(serial_of a.pem)" --reason superseded >/dev/null
    within 1 says a.pem revoked
    run ! online
    grep -q 'was revoked' out
}

# --- alone ---

@test "with front and vault stopped the responder answers what is ready, and tryLater for the rest" {
    issue a DNS:a.example.internal
    issue b DNS:b.example.internal
    says a.pem good -no_nonce
    local front vault
    front=$(demo_child front) vault=$(demo_child vault)
    kill -STOP "$CHANCERY_PID" "$front" "$vault" # the warden too: it would start others
    kill -KILL "$front" "$vault"
    says a.pem good -no_nonce || { cat out; kill -CONT "$CHANCERY_PID"; return 1; }
    says a.pem good # the nonce is left out: openssl only warns
    ask_ocsp -cert b.pem -no_nonce >b.out || true
    ask_ocsp -cert a.pem -cert b.pem >ab.out || true
    kill -CONT "$CHANCERY_PID"
    grep -q 'trylater (3)' b.out
    grep -q 'trylater (3)' ab.out
    within 10 demo_ready
    within 5 says b.pem good
}

@test "with the responder killed another answers at once" {
    issue a DNS:a.example.internal
    says a.pem good
    kill -KILL "$(demo_child responder)"
    within 5 says a.pem good
}

@test "responders alone, fed by a stream: --check is content without token and ledger, and they answer" {
    issue a DNS:a.example.internal
    says a.pem good -no_nonce
    read -r port < <(demo_ports 1)
    mkdir edge
    cp -r "$CHANCERY_DIR/templates" "$CHANCERY_DIR/roster.yaml" "$CHANCERY_DIR/issuers" edge/
    sed -e "s/^  http: .*/  http: [\"127.0.0.1:$port\"]/" -e '/^users:/d' "$CHANCERY_CONFIG" >edge/chancery.yaml
    echo 'responders_only: true' >>edge/chancery.yaml
    "$CHANCERY_BIN/chancery" shelf send --shelf "$CHANCERY_DIR/shelf" | "$CHANCERY_BIN/chancery" shelf receive --shelf edge/shelf
    same "$(stat -c %a edge/shelf)" 700
    "$CHANCERY_BIN/chanceryd" -c edge/chancery.yaml --check >check || { cat check; return 1; }
    [ ! -e edge/ledger ]
    "$CHANCERY_BIN/chanceryd" -c edge/chancery.yaml 3>&- 2>edge/log &
    within 10 test -s edge/run/pid
    OCSP=http://127.0.0.1:$port/ocsp/issuing within 5 says a.pem good -no_nonce || { cat out edge/log; kill "$(cat edge/run/pid)"; return 1; }
    curl -sf -o there "http://127.0.0.1:$port/crl/issuing.crl"
    curl -sf -o here "$CHANCERY_HTTP_URL/crl/issuing.crl"
    pid=$(cat edge/run/pid)
    kill "$pid"
    within 10 process_gone "$pid"
    cmp here there
}

@test "the books agree after all that" {
    run chancery ledger verify
    [ "$status" -eq 0 ]
    matches "$output" 'the books agree'
}
