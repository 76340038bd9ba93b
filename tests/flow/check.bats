#!/usr/bin/env bats
# chanceryd --check: every wrong key, path, PIN and template is found before anything starts, and nothing is started or changed.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    demo_stop
    export GOOD=$BATS_FILE_TMPDIR/good
    cp -a "$CHANCERY_DIR" "$GOOD"
}

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# The folder as it was.
teardown() {
    rm -rf "$CHANCERY_DIR"
    cp -a "$GOOD" "$CHANCERY_DIR"
}

check() { run timeout 30 "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" --check; }

finds() { # REGEX
    check
    [ "$status" -eq 1 ] || { echo "ended with $status: $output"; return 1; }
    matches "$output" "$1"
}

@test "an installation that is well: 0, and nothing has changed" {
    local before # SoftHSM notes each login in token.object
    before=$(cd "$CHANCERY_DIR" && find . -type f ! -name lock.mdb ! -name token.object -exec sha256sum {} + | sort | sha256sum)
    check
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    same "$(cd "$CHANCERY_DIR" && find . -type f ! -name lock.mdb ! -name token.object -exec sha256sum {} + | sort | sha256sum)" "$before"
    [ ! -e "$CHANCERY_DIR/run/pid" ]
}

@test "a wrong PIN, asked of the token once" {
    printf 00000000 >"$CHANCERY_DIR/secret/pin"
    finds 'PIN'
    check
    [ "$status" -eq 1 ]
    matches "$output" 'PIN.*(before|not tried again)|not tried'
}

@test "a PIN file that is not there, is empty, or others can read" {
    mv "$CHANCERY_DIR/secret/pin" pin
    finds 'secret/pin'
    : >"$CHANCERY_DIR/secret/pin"
    finds 'PIN|secret/pin'
    cp pin "$CHANCERY_DIR/secret/pin"
    chmod 644 "$CHANCERY_DIR/secret/pin"
    finds 'secret/pin.*(mode|read)|others'
}

@test "a PKCS#11 library that is not there, or is none" {
    sed -i 's|module: .*|module: /nonexistent/pkcs11.so|' "$CHANCERY_CONFIG"
    finds '/nonexistent/pkcs11\.so'
    sed -i 's|module: .*|module: /bin/true|' "$CHANCERY_CONFIG"
    finds '/bin/true'
}

@test "a token that is not there" {
    sed -i 's|uri: pkcs11:token=chancery|uri: pkcs11:token=other|' "$CHANCERY_CONFIG"
    finds 'token'
}

@test "a key that is not there" {
    sed -i 's|key: pkcs11:object=issuing|key: pkcs11:object=other|' "$CHANCERY_CONFIG"
    finds 'issuing'
}

@test "a key that is not the certificate's" {
    cp "$CHANCERY_DIR/issuers/root.pem" x.pem
    cp "$CHANCERY_DIR/issuers/issuing.pem" "$CHANCERY_DIR/issuers/root.pem"
    cp x.pem "$CHANCERY_DIR/issuers/issuing.pem"
    finds 'issuing|root'
}

@test "a certificate that is not there, or is none" {
    rm "$CHANCERY_DIR/issuers/issuing.pem"
    finds 'issuing\.pem'
    echo hello >"$CHANCERY_DIR/issuers/issuing.pem"
    finds 'issuing'
}

@test "templates: none, one that is wrong, one the house needs that is gone" {
    sed -i 's/^validity:/validty:/' "$CHANCERY_DIR/templates/client.yaml"
    finds 'templates/client\.yaml:[0-9]+:[0-9]+.*validty.*validity'
    rm "$CHANCERY_DIR/templates/client.yaml" "$CHANCERY_DIR/templates/self.yaml"
    finds 'templates/self\.yaml is missing'
    cp "$GOOD"/templates/* "$CHANCERY_DIR/templates/"
    sed -i 's/^internal: true//' "$CHANCERY_DIR/templates/ocsp-signing.yaml"
    finds 'ocsp-signing'
    rm "$CHANCERY_DIR"/templates/*
    finds 'template'
}

@test "a roster that is wrong, or not the pinned one" {
    sed -i 's/role: admin/role: king/' "$CHANCERY_DIR/roster.yaml"
    finds 'roster\.yaml:[0-9]+.*king'
    sed -i 's/role: king/role: auditor/' "$CHANCERY_DIR/roster.yaml"
    finds 'roster'
}

@test "a roll whose chain is broken, a ledger that is none" {
    python3 -c "
p = '$CHANCERY_DIR/roll/roll.der'
d = bytearray(open(p, 'rb').read())
d[len(d) // 2] ^= 1
open(p, 'wb').write(d)"
    finds 'roll'
    cp "$GOOD/roll/roll.der" "$CHANCERY_DIR/roll/roll.der"
    head -c 8192 /dev/urandom >"$CHANCERY_DIR/ledger/data.mdb"
    finds 'ledger'
}

# Holds a port as long as a test needs it; $pid is who holds it.
hold_port() { # PORT
    rm -f up
    python3 -c "
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', $1))
s.listen()
open('up', 'w')
time.sleep(20)" 3>&- &
    pid=$!
    within 5 test -e up
}

@test "a port that is taken is named by --check and at the start" {
    local port=${CHANCERY_URL##*:} pid
    hold_port "$port"
    check
    local checked=$status found=$output
    run timeout 20 "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG"
    kill "$pid"
    [ "$checked" -eq 1 ]
    matches "$found" "WRONG.*127\.0\.0\.1:$port"
    [ "$status" -eq 1 ]
    matches "$output" "127\.0\.0\.1:$port"
}

@test "the daemon's own ports are no fault while it runs" {
    demo_start "$CHANCERY_DIR"
    check
    demo_stop
    matches "$output" "ok .*addresses to listen on"
}

@test "several wrong things are all named" {
    sed -i 's|key: pkcs11:object=issuing|key: pkcs11:object=other|; s|key: pkcs11:object=root|key: pkcs11:object=none|' "$CHANCERY_CONFIG"
    sed -i 's/name: admin/name: chief/' "$CHANCERY_DIR/roster.yaml"
    chmod 755 "$CHANCERY_DIR/roll"
    check
    [ "$status" -eq 1 ]
    grep -q 'WRONG.*issuing' <<<"$output"
    grep -q 'WRONG.*root' <<<"$output"
    grep -q 'WRONG.*roster' <<<"$output"
    grep -q 'WRONG.*/roll: mode' <<<"$output"
}

@test "what --check refuses does not start either" {
    sed -i 's/^validity:/validty:/' "$CHANCERY_DIR/templates/client.yaml"
    run timeout 20 "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG"
    [ "$status" -eq 1 ]
    matches "$output" 'validty'
    [ ! -e "$CHANCERY_DIR/run/pid" ]
}
