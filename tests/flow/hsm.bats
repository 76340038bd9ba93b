#!/usr/bin/env bats
# chancery hsm: what the token says of itself, another PIN given and proven, a refused PIN tried once more when a person says so;
# and a token whose folder is exchanged under a running vault.

load ../lib/demo
load ../lib/ask

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

setup_file() { demo_start; }
teardown_file() { demo_stop; }

state() { chancery hsm info --json | jq -r .state; }
is_state() { [ "$(state)" = "$1" ]; }
child() { ps -o pid=,args= --ppid "$CHANCERY_PID" | awk -v n="$1" '$0 ~ "--role " n { print $1; exit }'; }
new_vault() { local now; now=$(child vault); [ -n "$now" ] && [ "$now" != "$1" ]; }
issues() {
    [ -e "$BATS_FILE_TMPDIR/csr" ] || openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$BATS_FILE_TMPDIR/key" -subj / \
        -addext subjectAltName=DNS:a.example.internal -out "$BATS_FILE_TMPDIR/csr" 2>/dev/null
    ask_csr "$BATS_FILE_TMPDIR/csr" && expect 201
}

@test "hsm info: the token, its mechanisms, every key and how it is kept, the lanes" {
    chancery hsm info --json >info
    jq -e '.state == "ready" and .token.label == "chancery" and .token.pin_max >= 4 and .token.sessions_max == "unbounded" and (.module.description | length > 0)' info
    jq -e '[.keys[].label] | contains(["root", "issuing"])' info
    jq -e '[.keys[] | .sensitive and .always_sensitive and .never_extractable and .local and (.extractable | not)] | all' info
    jq -e '[.mechanisms[] | select(.name == "CKM_ECDSA" and (.uses | test("sign")))] | length == 1' info
    jq -e '[.lanes[].name] == ["issue", "revoke", "crl", "nonce", "bulk"]' info
    chancery hsm info | grep -q '^issuing .*yes'
    run grep -c "$(cat "$CHANCERY_DIR/secret/pin")" info
    [ "$output" = 0 ]
}

@test "hsm info is for staff" {
    ask_token /v1/hsm
    expect 403
    ask_admin /v1/hsm
    expect 200
}

@test "pin change: the token has the new one, the file too, and the vault never stopped" {
    local vault old
    vault=$(child vault) old=$(cat "$CHANCERY_DIR/secret/pin")
    issues
    chancery hsm pin change
    [ "$(child vault)" = "$vault" ]
    [ "$(cat "$CHANCERY_DIR/secret/pin")" != "$old" ]
    [ "$(stat -c %a "$CHANCERY_DIR/secret/pin")" = 600 ]
    [ ! -e "$CHANCERY_DIR/secret/pin.new" ]
    issues
    kill -9 "$vault" # the next one starts with what the file has
    within 20 new_vault "$vault"
    within 20 is_state ready
    issues
    printf 24681357 >chosen
    chancery hsm pin change --new chosen
    [ "$(cat "$CHANCERY_DIR/secret/pin")" = 24681357 ]
    ! grep -q 24681357 "$CHANCERY_DIR/log"
}

@test "pin change: what the token does not take changes nothing" {
    local old
    old=$(cat "$CHANCERY_DIR/secret/pin")
    printf 123 >short
    run chancery hsm pin change --new short
    [ "$status" -eq 1 ]
    matches "$output" 'as it was: .*octets'
    [ "$(cat "$CHANCERY_DIR/secret/pin")" = "$old" ]
    [ ! -e "$CHANCERY_DIR/secret/pin.new" ]
    cp "$CHANCERY_DIR/secret/pin" same
    run chancery hsm pin change --new same
    [ "$status" -eq 1 ]
    issues
}

@test "hsm login: a refused PIN is tried again only when a person says so, and with what the file has then" {
    local right vault
    right=$(cat "$CHANCERY_DIR/secret/pin") vault=$(child vault)
    printf 99999999 >"$CHANCERY_DIR/secret/pin"
    kill -9 "$vault"
    within 20 new_vault "$vault"
    within 20 is_state pin-refused
    printf %s "$right" >"$CHANCERY_DIR/secret/pin.new" # as a change that was cut off leaves it
    chancery hsm login
    is_state ready
    [ "$(cat "$CHANCERY_DIR/secret/pin")" = "$right" ]
    issues
    run chancery hsm login
    [ "$status" -eq 0 ]
    matches "$output" 'no PIN was tried'
}

@test "the token's folder is exchanged for a copy: a new vault opens it" {
    local vault
    vault=$(child vault)
    cp -a "$CHANCERY_DIR/token" copy
    mv "$CHANCERY_DIR/token" away
    within 30 is_state away || { issues || true; within 20 is_state away; }
    cp -a copy "$CHANCERY_DIR/token"
    within 60 new_vault "$vault"
    within 20 is_state ready
    grep -q token.folder.replaced "$CHANCERY_DIR/log"
    issues
}
