#!/usr/bin/env bats
# What dies is started again and loses nothing; what stops, stops cleanly; a token that is away or refuses its PIN stops issuance alone.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    demo_env "$BATS_FILE_TMPDIR/demo" # a test may have restarted it, or left it down
    process_alive "$CHANCERY_PID" || demo_start
    within 10 demo_ready
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
}

# Whatever a test came to: token and PIN as they were.
teardown() {
    token_back
    [ ! -e pin ] || cat pin >"$CHANCERY_DIR/secret/pin"
}

token_back() {
    [ -d "$CHANCERY_DIR/token.away" ] || return 0
    mv "$CHANCERY_DIR"/token.away/* "$CHANCERY_DIR/token/"
    rmdir "$CHANCERY_DIR/token.away"
}

logged() { tail -n "+$((LOGGED + 1))" "$CHANCERY_DIR/log"; }
has_logged() { logged | grep -qE "$1"; }

kill_child() { # ROLE; waits for the next one
    local old
    old=$(demo_child "$1")
    [ -n "$old" ]
    kill -9 "$old"
    another() { local now; now=$(demo_child "$1") && [ -n "$now" ] && [ "$now" != "$2" ]; }
    within 5 another "$1" "$old"
}

tls_serial() {
    openssl s_client -connect "127.0.0.1:${CHANCERY_URL##*:}" </dev/null 2>/dev/null | openssl x509 -noout -serial
}

ocsp_good() { openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$1" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>/dev/null | grep -q "$1: good"; }

can_issue() { issue "$1" DNS:a.example.internal >/dev/null 2>&1; }

books_agree() { chancery ledger verify --json | jq -e '.ok and .open == 0' >/dev/null; }

# --- killed ---

@test "kill -9 of the front: another serves within 2 seconds, with the same certificate" {
    local before
    before=$(tls_serial)
    issue a DNS:a.example.internal
    kill_child front
    within 2 demo_ready
    same "$(tls_serial)" "$before"
    ask_token "/v1/certificates/$(serial_of a.pem)"
    expect 200
    issue b DNS:b.example.internal
    within 3 books_agree
}

@test "kill -9 of the vault: issuance goes on within 2 seconds" {
    issue a DNS:a.example.internal
    kill_child vault
    within 2 can_issue b
    within 2 demo_ready
    ocsp_good a.pem
    within 3 books_agree
}

@test "kill -9 of the vault: a request on its way gets its certificate, or 503 with Retry-After" {
    local i old
    bearer >bearer
    csr a DNS:a.example.internal
    for i in 1 2 3 4 5 6; do
        old=$(demo_child vault)
        kill -9 "$old"
        ask -H @bearer -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=server"
        if [ "$answer" != 201 ]; then
            expect 503
            matches "$(header Retry-After)" '^[0-9]+$'
            same "$(member .retryable)" true
        fi
        within 5 demo_ready
    done
    within 3 books_agree
}

@test "kill -9 of the responder: OCSP and lists are served within 2 seconds" {
    issue a DNS:a.example.internal
    ocsp_good a.pem
    kill_child responder
    within 2 ocsp_good a.pem
    curl -sf -o /dev/null "$CHANCERY_HTTP_URL/crl/issuing.crl"
}

@test "no connection is refused while a front or responder starts anew" {
    local i
    for i in 1 2 3; do
        kill -9 "$(demo_child front)" "$(demo_child responder)"
        curl -sf --max-time 10 --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/healthz"
        curl -sf --max-time 10 -o /dev/null "$CHANCERY_HTTP_URL/crl/issuing.crl"
        within 5 demo_ready
    done
}

@test "kill -9 of all three at once" {
    issue a DNS:a.example.internal
    kill -9 "$(demo_child front)" "$(demo_child vault)" "$(demo_child responder)"
    within 5 demo_ready
    issue b DNS:b.example.internal
    ocsp_good a.pem
    ocsp_good b.pem
    within 3 books_agree
}

@test "a revocation that was answered stands after kill -9 of all" {
    issue a DNS:a.example.internal
    ocsp_good a.pem
    chancery cert revoke "$(serial_of a.pem)"
    kill -9 "$(demo_child front)" "$(demo_child vault)" "$(demo_child responder)"
    within 5 demo_ready
    revoked() {
        openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>/dev/null | grep -q 'a.pem: revoked'
    }
    within 2 revoked
    listed() { curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -text | grep -qi "$(serial_of a.pem)"; }
    within 2 listed
}

@test "an Idempotency-Key holds across kill -9 of the front" {
    csr a DNS:a.example.internal
    idempotent() { ask_token -H 'Content-Type: application/pkcs10' -H "Idempotency-Key: across" --data-binary @a.csr "/v1/certificates?template=server"; }
    idempotent
    expect 201
    cp body first
    kill_child front
    within 5 demo_ready
    idempotent
    expect 200
    cmp body first
}

@test "a vault that hangs is ended and replaced; requests meanwhile are answered" {
    local old
    old=$(demo_child vault)
    kill -STOP "$old"
    csr a DNS:a.example.internal
    ask_csr a.csr # parked until the warden sees that the vault does not answer
    if [ "$answer" != 201 ]; then
        expect 503
        matches "$(header Retry-After)" '^[0-9]+$'
    fi
    within 15 process_gone "$old"
    within 5 demo_ready
    issue b DNS:b.example.internal
    within 3 books_agree
}

# --- ended ---

@test "kill -9 of the warden: every child ends, and the folder starts again" {
    local children pid before
    before=$(tls_serial)
    children=$(pgrep -P "$CHANCERY_PID")
    kill -9 "$CHANCERY_PID"
    for pid in $children; do within 10 process_gone "$pid"; done
    demo_start
    demo_ready
    same "$(tls_serial)" "$before"
    issue a DNS:a.example.internal
    within 3 books_agree
}

@test "SIGTERM ends it with 0 within seconds, and leaves no process, lock or pid" {
    local pid children child rc=0
    demo_stop
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" 2>>"$CHANCERY_DIR/log" 3>&- &
    pid=$!
    within 10 demo_ready
    children=$(pgrep -P "$pid")
    kill "$pid"
    wait "$pid" || rc=$?
    same "$rc" 0
    for child in $children; do process_gone "$child"; done
    [ ! -e "$CHANCERY_DIR/run/pid" ]
    run ! curl -s "$CHANCERY_HTTP_URL/roots.pem"
    books_agree
    demo_start
    demo_ready
}

@test "SIGTERM finishes what is under way: who was answered is on record, nobody gets half an answer" {
    local i pids=()
    bearer >bearer
    for i in $(seq 20); do csr "c$i" "DNS:h$i.example.internal" & pids+=($!); done
    wait "${pids[@]}"
    pids=()
    for i in $(seq 20); do
        curl -s --max-time 20 --cacert "$CHANCERY_ROOT" -H @bearer -H 'Content-Type: application/pkcs10' --data-binary @"c$i.csr" -o "out.$i" \
            -w '%{http_code} %{exitcode}\n' "$CHANCERY_URL/v1/certificates?template=server" >"code.$i" 3>&- &
        pids+=($!)
    done
    sleep 0.05
    demo_stop
    wait "${pids[@]}" || true
    run ! grep -hvE '^(201 0|503 0|000 (7|35|52|55|56))$' code.* # served, turned away, or not let in
    books_agree
    demo_start
    for i in $(seq 20); do
        grep -q '^201' "code.$i" || continue
        ask_token "/v1/certificates/$(jq -r .serial "out.$i")"
        expect 200
    done
}

@test "a restart keeps the front's certificate, the lists, and what was revoked" {
    local before
    issue a DNS:a.example.internal
    chancery cert revoke "$(serial_of a.pem)"
    before=$(tls_serial)
    demo_stop
    demo_start
    same "$(tls_serial)" "$before"
    curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -text | grep -qi "$(serial_of a.pem)"
    ask_token "/v1/certificates/$(serial_of a.pem)"
    same "$(member .status)" revoked
}

@test "the logs of each process say how it ended, none of it panicked" {
    run ! grep -iE 'panic|assert|sanitizer' "$CHANCERY_DIR/log"
    grep -q 'child.ended' "$CHANCERY_DIR/log"
}

# --- the token ---

@test "while the token is away: 503 with Retry-After, /readyz says why, OCSP, lists and HTTPS go on; then issuance again" {
    issue a DNS:a.example.internal
    ocsp_good a.pem
    mkdir -m 700 "$CHANCERY_DIR/token.away"
    mv "$CHANCERY_DIR"/token/* "$CHANCERY_DIR/token.away/"
    kill_child vault
    away() { ask /readyz && [ "$answer" = 503 ]; }
    within 10 away
    matches "$(member '.probes[] | select(.name == "issuing").why')" '.'
    matches "$(header Retry-After)" '^[0-9]+$'
    csr b DNS:b.example.internal
    ask_csr b.csr
    expect_problem 503 token-away ''
    same "$(member .retryable)" true
    curl -sf -o /dev/null "$CHANCERY_HTTP_URL/crl/issuing.crl"
    openssl ocsp -no_nonce -issuer "$CHANCERY_ISSUER" -cert a.pem -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>&1 | grep -q 'a.pem: good'
    ask_token "/v1/certificates/$(serial_of a.pem)"
    expect 200
    chancery cert revoke "$(serial_of a.pem)" # needs no key to be on record
    token_back
    within 40 demo_ready
    issue b DNS:b.example.internal
    listed() { curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -text | grep -qi "$(serial_of a.pem)"; }
    within 5 listed
}

@test "a refused PIN is tried once, said by /readyz, and tried again when the file changes" {
    cp "$CHANCERY_DIR/secret/pin" pin
    printf 00000000 >"$CHANCERY_DIR/secret/pin"
    kill_child vault
    refused() { ask /readyz && matches "$(member '.probes[] | select(.name == "issuing").why')" PIN >/dev/null; }
    within 10 refused || { logged; return 1; }
    expect 503
    kill_child vault # across restarts too
    within 10 refused
    csr b DNS:b.example.internal
    ask_csr b.csr
    expect_problem 503 pin-refused ''
    same "$(logged | grep -c 'token\.pin\.refused')" 1 # asked of the token once
    cat pin >"$CHANCERY_DIR/secret/pin"
    within 40 demo_ready
    issue b DNS:b.example.internal
}
