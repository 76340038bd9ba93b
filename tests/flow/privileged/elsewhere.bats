#!/usr/bin/env bats
# A responder on another host: a network namespace with a shelf, a user and the responders alone, fed by a stream over a wire
# between the two. No vault, no front, no token there.

load ../../lib/demo
load ../../lib/ask


setup_file() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    export CA=chancery-ca-$$ EDGE=chancery-edge-$$
    ip netns add "$CA" 2>/dev/null || skip "no network namespaces here"
    ip netns add "$EDGE"
    ip -n "$CA" link add wire type veth peer name wire netns "$EDGE"
    ip -n "$CA" addr add 10.77.0.1/24 dev wire
    ip -n "$EDGE" addr add 10.77.0.2/24 dev wire
    local ns
    for ns in "$CA" "$EDGE"; do
        ip -n "$ns" link set lo up
        ip -n "$ns" link set wire up
    done
    export HOME_DIR
    HOME_DIR=$(mktemp -d /var/tmp/chancery-elsewhere.XXXXXX)
    chmod 755 "$HOME_DIR"
    demo_start "$HOME_DIR/demo"
    sed -i "/^ *- name: issuing$/a\\    ocsp: {ready: true}" "$CHANCERY_CONFIG"
    kill -HUP "$CHANCERY_PID"
    edge_make
    wire_up
    edge_start
}

teardown_file() {
    [ -n "${HOME_DIR:-}" ] || return 0
    edge_stop
    wire_down
    demo_stop "$HOME_DIR/demo"
    ip netns del "$EDGE" 2>/dev/null
    ip netns del "$CA" 2>/dev/null
    rm -rf "$HOME_DIR"
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    demo_env "$HOME_DIR/demo"
    OCSP=http://10.77.0.2:8080/ocsp/issuing
}

# What the other host is given: configuration, templates, roster and certificates, all of it public.
edge_make() {
    mkdir "$HOME_DIR/edge"
    cp -r "$CHANCERY_DIR/templates" "$CHANCERY_DIR/roster.yaml" "$CHANCERY_DIR/issuers" "$HOME_DIR/edge/"
    sed -e 's/^demo: true/responders_only: true/' -e 's/^  http: .*/  http: ["10.77.0.2:8080"]/' "$CHANCERY_CONFIG" >"$HOME_DIR/edge/chancery.yaml"
    install -d -o chancery-responder -g chancery-responder -m 2770 "$HOME_DIR/edge/shelf"
}

# Both ends of the stream, until one of them is ended.
wire_up() {
    ip netns exec "$CA" socat -U TCP-LISTEN:7777,bind=10.77.0.1,reuseaddr,fork \
        "EXEC:$CHANCERY_BIN/chancery shelf send --follow --shelf $CHANCERY_DIR/shelf" >"$HOME_DIR/send.log" 2>&1 3>&- &
    echo $! >"$HOME_DIR/send.pid"
    within 5 wire_listens
    take_up
}

wire_listens() { ip netns exec "$CA" ss -ltn | grep -q 10.77.0.1:7777; }

take_up() {
    ip netns exec "$EDGE" runuser -u chancery-responder -- \
        bash -c "socat -u TCP:10.77.0.1:7777 - | '$CHANCERY_BIN/chancery' shelf receive --shelf '$HOME_DIR/edge/shelf'" \
        >"$HOME_DIR/receive.log" 2>&1 3>&- &
    echo $! >"$HOME_DIR/receive.pid"
}

wire_down() {
    local pid
    for pid in $(cat "$HOME_DIR"/*.pid 2>/dev/null); do
        # shellcheck disable=SC2046
        kill $(pgrep -P "$pid") "$pid" 2>/dev/null || true
    done
}

edge_start() {
    ip netns exec "$EDGE" "$CHANCERY_BIN/chanceryd" -c "$HOME_DIR/edge/chancery.yaml" >"$HOME_DIR/edge/log" 2>&1 3>&- &
    within 10 test -s "$HOME_DIR/edge/run/pid"
}

edge_pid() { cat "$HOME_DIR/edge/run/pid"; }

edge_stop() {
    local pid
    pid=$(edge_pid 2>/dev/null) || return 0
    kill "$pid"
    within 20 process_gone "$pid"
}

says() { # FILE STATUS OPTION...; asked over the wire
    ip netns exec "$CA" openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$1" -CAfile "$CHANCERY_ROOT" -url "$OCSP" "${@:3}" >out 2>&1 &&
        grep -q '^Response verify OK' out && grep -q "^$1: $2" out
}

@test "only responders run there, as their own user, and nothing of the house is there" {
    local pid
    within 10 grep -q 'serving' "$HOME_DIR/edge/log"
    same "$(pgrep -P "$(edge_pid)" | wc -l)" 1
    pid=$(pgrep -P "$(edge_pid)")
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- '--role responder'
    same "$(ps -o user:32= -p "$pid" | tr -d ' ')" chancery-responder
    run ! ls -d "$HOME_DIR"/edge/{ledger,roll,front,lock,token,secret}
}

@test "what was issued is answered for there, though nobody asked before" {
    issue a DNS:a.example.internal
    within 5 says a.pem good -no_nonce || { cat out; return 1; }
    says a.pem good # the nonce is left out: there is no vault
}

@test "a revocation shows there within a second" {
    issue a DNS:a.example.internal
    within 5 says a.pem good -no_nonce
    chancery cert revoke "$(serial_of a.pem)" --reason keyCompromise >/dev/null
    within 1 says a.pem revoked -no_nonce
}

@test "lists and certificates are there too" {
    local name
    for name in crl/issuing.crl crl/root.crl ca/issuing.pem roots.pem; do
        ip netns exec "$CA" curl -sf --max-time 10 -o there "http://10.77.0.2:8080/$name" || { echo "$name"; return 1; }
        curl -sf -o here "$CHANCERY_HTTP_URL/$name"
        cmp here there
    done
}

@test "what is not on record: later, for it cannot be known there" {
    ip netns exec "$CA" openssl ocsp -issuer "$CHANCERY_ISSUER" -serial 0x400000000000000000000000000000000000abcd -no_nonce -url "$OCSP" \
        -CAfile "$CHANCERY_ROOT" >out 2>&1 || true
    grep -q 'trylater (3)' out
}

@test "with the wire cut it goes on; taken up again it catches up" {
    issue a DNS:a.example.internal
    issue b DNS:b.example.internal
    within 5 says b.pem good -no_nonce
    ip -n "$EDGE" link set wire down
    # shellcheck disable=SC2046
    kill $(pgrep -P "$(cat "$HOME_DIR/receive.pid")") 2>/dev/null || true
    chancery cert revoke "$(serial_of b.pem)" --reason superseded >/dev/null
    ip netns exec "$EDGE" openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -CAfile "$CHANCERY_ROOT" -no_nonce -url "$OCSP" >out 2>&1
    grep -q '^a.pem: good' out
    ip -n "$EDGE" link set wire up
    take_up
    within 5 says b.pem revoked -no_nonce
    says a.pem good -no_nonce
}

@test "with the CA's host dead it answers on" {
    issue a DNS:a.example.internal
    within 5 says a.pem good -no_nonce
    demo_stop "$HOME_DIR/demo"
    says a.pem good -no_nonce
    demo_start "$HOME_DIR/demo"
    within 10 demo_ready
}

@test "a stream that is none is refused, and harms nothing" {
    issue a DNS:a.example.internal
    within 5 says a.pem good -no_nonce
    run ! runuser -u chancery-responder -- "$CHANCERY_BIN/chancery" shelf receive --shelf "$HOME_DIR/edge/shelf" <<<"no stream at all, but long enough for one header"
    matches "$output" 'version'
    run ! "$CHANCERY_BIN/chancery" shelf receive --shelf "$CHANCERY_DIR/shelf" </dev/null
    matches "$output" 'kept by a front'
    says a.pem good -no_nonce
}
