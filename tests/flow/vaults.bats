#!/usr/bin/env bats
# Two tokens behind two PKCS#11 libraries: a vault for each, with a roll, a lock and a PIN of its own. Both issue under one
# root; what happens to one of them stops nothing of the other.

load ../lib/demo
load ../lib/ask

setup_file() {
    local dir="$BATS_FILE_TMPDIR/demo" port http_port
    read -r port http_port < <(demo_ports 2)
    "$CHANCERY_BUILD/release/bin/chancery" init --demo "$dir" --port "$port" --http-port "$http_port"
    sed -i 's/^quorum: 1/quorum: 1\napprovals: {ca-create: 0, ca-sign-sub: 0, ca-state: 0, thaw: 0}/' "$dir/roster.yaml"
    second_token "$dir"
    demo_start "$dir"
    second_issuer "$dir"
}
teardown_file() {
    continue_all
    demo_stop
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }
teardown() { continue_all; }

# Another library as far as the house can see: a copy of SoftHSM with a configuration of its own.
second_token() { # DIR
    local owner
    owner=$(stat -c %U "$1/roll")
    mkdir -m 755 "$1/other"
    mkdir -m 700 "$1/other/token"
    cp /usr/lib/softhsm/libsofthsm2.so "$1/other/libother.so"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$1/other/token" >"$1/other/softhsm2.conf"
    (umask 077 && printf 4711471 >"$1/secret/pin-other")
    SOFTHSM2_CONF=$1/other/softhsm2.conf softhsm2-util --init-token --free --label other --so-pin 12345678 --pin 4711471 >/dev/null
    [ "$(id -u)" != 0 ] || chown -R "$owner:" "$1/other/token" "$1/secret/pin-other"
    sed -i "s|^issuers:|  - name: other\n    module: other/libother.so\n    uri: pkcs11:token=other\n    pin_file: secret/pin-other\n    env: {SOFTHSM2_CONF: $1/other/softhsm2.conf}\n    writes: [other/token]\nissuers:|" "$1/chancery.yaml"
}

# A subordinate whose key the second vault makes and the first one's root certifies: two acts, each for its vault.
second_issuer() { # DIR
    local as=(--reason 'a second token' --key "$CHANCERY_ADMIN_KEY")
    within 20 demo_ready
    chancery ca csr second --vault other --subject 'CN=Second Issuing CA,O=Chancery' --out "$1/second.csr" "${as[@]}"
    chancery ca sign --issuer root --csr "$1/second.csr" --out "$1/second.crt" "${as[@]}"
    chancery ca import second "$1/second.crt" --csr "$1/second.csr" --chain "$CHANCERY_ROOT"
    sed -i 's|key: pkcs11:object=second|key: "pkcs11:token=other;object=second"|' "$CHANCERY_CONFIG"
    kill -HUP "$CHANCERY_PID"
    within 20 issuer_is second active
    within 20 demo_ready
}

issuer_is() { [ "$(chancery --json ca list | jq -r ".issuers[] | select(.name == \"$1\") | .state")" = "$2" ]; }
vault() { # TOKEN; its process
    grep -o "\"child.start.*child=vault-$1 pid=[0-9]*\|child.start child=\"vault-$1\" pid=[0-9]*" "$CHANCERY_DIR/log" | tail -1 | grep -o '[0-9]*$'
}
stopped=()
hang() { # TOKEN
    stopped+=("$(vault "$1")")
    kill -STOP "${stopped[-1]}"
}
continue_all() {
    local pid
    for pid in "${stopped[@]}"; do kill -CONT "$pid" 2>/dev/null || true; done
    stopped=()
}

by() { # ISSUER FILE; the status
    csr "$2" "DNS:$2.example.internal"
    bearer | curl -sS --max-time 30 --cacert "$CHANCERY_ROOT" -H @- -H 'Content-Type: application/pkcs10' -H 'Accept: application/pem-certificate-chain' \
        -w '%{http_code}' --data-binary @"$2.csr" -o "$2.pem" "$CHANCERY_URL/v1/certificates?template=server&issuer=$1"
}
issues() { [ "$(by "$1" "$2")" = 201 ] && openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$2.pem" "$2.pem" >/dev/null; }

# By nonce, so that its vault signs now.
answers() { # ISSUER FILE good|revoked
    openssl ocsp -issuer "$CHANCERY_DIR/issuers/$1.pem" -cert "$2.pem" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/$1" 2>&1 | grep -q "$2.pem: $3"
}
listed() { # ISSUER SERIAL
    curl -sf "$CHANCERY_HTTP_URL/crl/$1.crl" | openssl crl -inform DER -noout -text | grep -qi "Serial Number: 0*$2"
}
revokes() { # ISSUER FILE
    chancery cert revoke "$(serial_of "$2.pem")" --issuer "$1" --reason superseded >/dev/null &&
        within 2 answers "$1" "$2" revoked && within 2 listed "$1" "$(serial_of "$2.pem")"
}
works() { # ISSUER FILE; all that a vault signs
    issues "$1" "$2" && within 5 answers "$1" "$2" good && revokes "$1" "$2"
}

@test "each token has a vault, a roll and a PIN of its own; both issue under one root" {
    [ -s "$CHANCERY_DIR/roll/roll.der" ] && [ -s "$CHANCERY_DIR/roll-other/roll.der" ]
    ! cmp -s "$CHANCERY_DIR/roll/roll.der" "$CHANCERY_DIR/roll-other/roll.der"
    works issuing one
    works second two
    openssl x509 -in two.pem -noout -issuer | grep -q 'Second Issuing CA'
}

@test "hsm info shows each vault, and whose keys are where" {
    chancery hsm info --json | jq -e '[.vaults[].vault] == ["demo", "other"] and all(.vaults[]; .state == "ready")'
    chancery hsm info --json --vault other | jq -e '.token.label == "other" and ([.keys[].label] | contains(["second"]) and (contains(["root"]) | not))'
    chancery hsm info | grep -q '^second '
    run -1 chancery hsm info --vault nobody
    [[ "$output" == *"no vault is called 'nobody'"* ]]
    chancery --json doctor >/dev/null || true
    curl -sf --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz" | jq -e 'tostring | test("vault-other")'
}

@test "an act is for one vault: the other does not take it, and a CA whose parent is elsewhere is refused by name" {
    run -1 chancery ca create third --issuer root --vault other --subject 'CN=Third,O=Chancery' --reason test --key "$CHANCERY_ADMIN_KEY"
    [[ "$output" == *"its key is kept elsewhere"* ]]
}

@test "one vault hangs: the other issues, answers and lists as before, and it comes back by itself" {
    issues second before
    hang other
    local start=$EPOCHSECONDS
    works issuing three
    [ $((EPOCHSECONDS - start)) -lt 9 ] # before anybody can have noticed
    within 30 issues second after # the warden has put another in its place
    hang demo
    start=$EPOCHSECONDS
    works second four
    [ $((EPOCHSECONDS - start)) -lt 9 ]
    continue_all
    within 15 issues issuing five
}

@test "one library crashes again and again: the other's certificates go on without one failure, and so does a reload" {
    local pid
    mv "$CHANCERY_DIR/other/libother.so" "$CHANCERY_DIR/other/away.so"
    pid=$(vault other)
    kill -9 "$pid"
    within 10 process_gone "$pid"
    for i in 1 2 3 4 5 6; do issues issuing "during$i"; done
    revokes issuing during1
    [ "$(by second nothing)" = 503 ]
    grep -q 'Retry\|vault' nothing.pem
    ! demo_ready
    chancery ca list >/dev/null
    sed -i 's/^log_level:.*//; $a\log_level: info' "$CHANCERY_CONFIG"
    kill -HUP "$CHANCERY_PID"
    within 20 grep -q 'reload.done.*generation=3' "$CHANCERY_DIR/log"
    issues issuing reloaded
    mv "$CHANCERY_DIR/other/away.so" "$CHANCERY_DIR/other/libother.so"
    within 40 issues second again
    works second last
    within 20 demo_ready
}

@test "a freeze of all reaches every vault, and each is thawed by an act of its own" {
    local start=${EPOCHREALTIME/./}
    chancery freeze --all --reason 'a test' >/dev/null
    [ $((${EPOCHREALTIME/./} - start)) -lt 1000000 ] || { echo "it took $(((${EPOCHREALTIME/./} - start) / 1000)) ms"; false; }
    chancery freeze list --json | jq -e '[.freezes[].vault] | sort == ["demo", "other"]'
    for issuer in issuing second; do
        [ "$(by $issuer cold)" != 201 ]
        grep -q 'issuance is frozen since' cold.pem
    done
    for vault in demo other; do
        id=$(chancery --json request new thaw all --vault "$vault" --reason test --key "$CHANCERY_ADMIN_KEY" | jq -r .id)
        chancery request execute "$id" >/dev/null
    done
    within 5 issues issuing warm
    within 5 issues second warm2
}

@test "a vault whose roll is another token's does not start" {
    local pid swapped
    cp "$CHANCERY_CONFIG" kept.yaml
    swapped=$(awk '/^tokens:/ { t = 1; print; next } /^issuers:/ { t = 0; printf "%s%s", b, a } t && /- name: demo/ { n = "a" } t && /- name: other/ { n = "b" }
        t { if (n == "a") a = a $0 "\n"; else b = b $0 "\n"; next } { print }' kept.yaml)
    demo_stop
    printf '%s\n' "$swapped" >"$CHANCERY_CONFIG"
    run "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" --check
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" >swapped.log 2>&1 3>&- &
    pid=$!
    within 20 grep -q 'is of the token .demo., not of .other.' swapped.log
    kill "$pid"
    within 30 process_gone "$pid"
    cp kept.yaml "$CHANCERY_CONFIG"
    demo_start
    within 20 issues second back
}

@test "the ledger is held against both rolls; without one of them its records have no seal" {
    within 5 chancery ledger verify
    run -1 chancery ledger verify --roll "$CHANCERY_DIR/roll/roll.der"
    [[ "$output" == *"do NOT agree"* ]]
}

@test "each PIN is changed on its own" {
    local main
    main=$(cat "$CHANCERY_DIR/secret/pin")
    chancery hsm pin change --token other
    [ "$(cat "$CHANCERY_DIR/secret/pin-other")" != 4711471 ]
    [ "$(cat "$CHANCERY_DIR/secret/pin")" = "$main" ]
    issues second repinned
}
