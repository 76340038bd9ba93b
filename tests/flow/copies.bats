#!/usr/bin/env bats
# One key in two tokens: either signs, and where one token goes away the other goes on at once, for certificates, lists and
# answers, until it is back. A key of the same name that is another is no copy.

load ../lib/demo
load ../lib/ask

setup_file() {
    local dir="$BATS_FILE_TMPDIR/demo" port http_port
    read -r port http_port < <(demo_ports 2)
    "$CHANCERY_BUILD/release/bin/chancery" init --demo "$dir" --port "$port" --http-port "$http_port"
    demo_start "$dir"
    within 20 demo_ready
    demo_stop "$dir"
    clone_token "$dir"
    demo_start "$dir"
    within 20 demo_ready
}
teardown_file() { demo_stop; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# As a maker's own cloning does: the token with all its keys and what they say of themselves, under another label and serial
# number. SoftHSM keeps a token in a folder, both in its token.object.
clone_token() { # DIR
    local from owner
    from=$(find "$1/token" -mindepth 1 -maxdepth 1 -type d)
    owner=$(stat -c %U:%G "$from")
    cp -a "$from" "$1/token/00000000-0000-0000-0000-00000000c10e"
    python3 - "$1/token/00000000-0000-0000-0000-00000000c10e/token.object" <<'PY'
import re, sys
path = sys.argv[1]
data = open(path, "rb").read()
serial, = re.findall(rb"[0-9a-f]{16}", data) # from which SoftHSM makes the slot's number
other = serial[:-1] + (b"0" if serial[-1:] != b"0" else b"1")
assert data.count(b"chancery".ljust(32)) == 1
open(path, "wb").write(data.replace(b"chancery".ljust(32), b"the-copy".ljust(32)).replace(serial, other))
PY
    cp -a "$1/secret/pin" "$1/secret/pin-copy"
    [ "$(id -u)" != 0 ] || chown -R "$owner" "$1/token"
    sed -i "s|^issuers:|  - name: copy\n    module: /usr/lib/softhsm/libsofthsm2.so\n    uri: pkcs11:token=the-copy\n    pin_file: secret/pin-copy\n    env: {SOFTHSM2_CONF: $1/softhsm2.conf}\n    writes: [token]\nissuers:|" "$1/chancery.yaml"
}

token_folder() { echo "$CHANCERY_DIR"/token/*-*; }
original() { find "$CHANCERY_DIR/token" -mindepth 1 -maxdepth 1 -type d ! -name '*c10e'; }
pull() { mv "$1" "$CHANCERY_DIR/$(basename "$1").pulled"; }
put_back() { mv "$CHANCERY_DIR/$(basename "$1").pulled" "$1"; }
token_is() { [ "$(chancery hsm info --json | jq -r ".states[] | select(.token == \"$1\") | .state")" = "$2" ]; }

issues() { issue "$1" "DNS:$1.example.internal" >/dev/null && openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$1.pem" "$1.pem" >/dev/null; }
answers() {
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$1.pem" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>&1 | grep -q "$1.pem: $2"
}
listed() { curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -text | grep -qi "Serial Number: 0*$1"; }
works() { # FILE; all that the issuer's key signs
    issues "$1" && within 5 answers "$1" good || return
    chancery cert revoke "$(serial_of "$1.pem")" --reason superseded >/dev/null
    within 5 answers "$1" revoked && within 3 listed "$(serial_of "$1.pem")"
}

@test "both tokens are there, one vault opens them, and each issuer has its copy" {
    token_is demo ready
    token_is copy ready
    chancery hsm info --json | jq -e '.vaults | length == 1'
    chancery hsm info --json | jq -e '[.keys[] | select(.label == "issuing") | .token] | sort == ["chancery", "the-copy"]'
    grep -q 'issuer.copy.*issuing' "$CHANCERY_DIR/log"
    works first
}

@test "the first token is pulled under load: not one request fails, and all goes on by the copy" {
    local from failed=0
    from=$(original)
    (while [ ! -e stop ]; do issues "load$RANDOM" || echo failed; done >load.out 2>&1) 3>&- &
    local loop=$!
    within 5 issues before
    pull "$from"
    for i in 1 2 3 4 5 6 7 8; do issues "pulled$i" || failed=$((failed + 1)); done
    touch stop
    wait "$loop"
    [ "$failed" = 0 ]
    ! grep . load.out
    grep -q 'seal.elsewhere' "$CHANCERY_DIR/log"
    within 15 token_is demo away
    works without
    ! demo_ready
    put_back "$from"
    within 60 token_is demo ready
    within 20 demo_ready
    works again
}

@test "the copy is pulled: nobody notices but who looks" {
    local copy=$CHANCERY_DIR/token/00000000-0000-0000-0000-00000000c10e
    pull "$copy"
    for i in 1 2 3; do issues "single$i"; done
    works original
    put_back "$copy"
    within 60 token_is copy ready
}

@test "a start with one of the two tokens only" {
    local from
    from=$(original)
    demo_stop
    pull "$from"
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" >>"$CHANCERY_DIR/log" 2>&1 3>&- &
    within 20 issues alone
    put_back "$from"
    within 60 token_is demo ready
    works both
}

@test "the books agree whichever copy has signed" {
    within 5 chancery ledger verify
}
