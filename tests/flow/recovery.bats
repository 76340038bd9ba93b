#!/usr/bin/env bats
# doc/RECOVERY.md, typed as it is printed: what is lost comes back, and until a loss is accepted nothing is issued and nobody is told `good`.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    cd "$BATS_FILE_TMPDIR" || return 1
    issue before DNS:before.example.internal
    issue revoked DNS:revoked.example.internal
}
teardown() { [ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 8 "$CHANCERY_DIR/log"; }
teardown_file() { demo_stop; }

setup() {
    demo_env "$BATS_FILE_TMPDIR/demo"
    cd "$BATS_FILE_TMPDIR" || return 1 # certificates and lists of the tests before
    export CONF=$CHANCERY_DIR LEDGER=$CHANCERY_DIR/ledger ROLL=$CHANCERY_DIR/roll SHELF=$CHANCERY_DIR/shelf \
        TOKEN_DIR=$CHANCERY_DIR/token BACKUP=$BATS_FILE_TMPDIR/backup PIN_FILE=$CHANCERY_DIR/secret/pin SO_PIN_FILE=$CHANCERY_DIR/secret/so-pin \
        SOFTHSM2_CONF=$CHANCERY_DIR/softhsm2.conf
    mkdir -p "$BACKUP"
    process_alive "$CHANCERY_PID" || start_chancery
}

# --- the document's own names ---

start_chancery() {
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" >>"$CHANCERY_DIR/log" 2>&1 3>&- &
    CHANCERY_PID=$!
    sed -i "s/^CHANCERY_PID=.*/CHANCERY_PID=$CHANCERY_PID/" "$CHANCERY_DIR/env"
    within 20 answers
}
stop_chancery() {
    kill "$CHANCERY_PID"
    within 30 process_gone "$CHANCERY_PID"
}
answers() { curl -s --max-time 2 --cacert "$CHANCERY_ROOT" -o "$BATS_FILE_TMPDIR/readyz" "$CHANCERY_URL/readyz"; }

# What stands in the document under this name.
typed() { # NAME
    awk -v start="\`\`\`sh $1" '$0 == start { on = 1; next } /^```/ { on = 0 } on' "$CHANCERY_TOP/doc/RECOVERY.md" >"$BATS_TEST_TMPDIR/$1.sh"
    [ -s "$BATS_TEST_TMPDIR/$1.sh" ] || { echo "the document has no '$1'"; return 1; }
    set -e
    # shellcheck disable=SC1090
    . "$BATS_TEST_TMPDIR/$1.sh"
}

status_of() { # FILE; good, revoked, or the responder's error
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$1.pem" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>/dev/null |
        sed -nE "s/^$1.pem: //p; s/^Responder Error: ([a-z]+).*/\1/p"
}
says() { same "$(status_of "$1")" "$2"; }

refused_as_restored() {
    csr new DNS:new.example.internal
    ask_csr new.csr
    expect_problem 503 restored 'accept-loss'
}

# --- keeping ---

@test "a backup runs beside the daemon, adds what has come since, and is checked" {
    typed backup
    typed check
    issue later DNS:later.example.internal
    typed backup
    run -0 typed check
    [[ $output == *'are whole'* ]]
    same "$(find "$BACKUP/ledger" -name '*.entries' | wc -l)" 2
    run -0 chancery ledger backup "$BACKUP/ledger"
    [[ $output == *'nothing new'* ]]
    typed keep
}

@test "one flipped bit of a backup is found, with its place" {
    cp -r "$BACKUP/ledger" "$BATS_TEST_TMPDIR/flipped"
    local file
    file=$(find "$BATS_TEST_TMPDIR/flipped" -name '*.entries' | sort | tail -1)
    python3 - "$file" <<'PY'
import sys
f = open(sys.argv[1], "r+b"); b = bytearray(f.read()); b[len(b) // 2] ^= 4; f.seek(0); f.write(b)
PY
    run -1 chancery ledger check-backup "$BATS_TEST_TMPDIR/flipped"
    [[ $output =~ 'entry '[0-9]+', at octet '[0-9]+ ]]
}

# --- losing the ledger ---

@test "the ledger is lost: it comes back, with what the roll and the lists know beyond the backup" {
    issue unknown DNS:unknown.example.internal
    issue both DNS:both.example.internal
    chancery cert revoke "$(serial_of revoked.pem)" --reason keyCompromise
    chancery cert revoke "$(serial_of both.pem)" --reason superseded
    listed() { curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER -noout -text | grep -qi "$(serial_of both.pem)"; }
    within 5 listed
    says before good
    typed lists
    typed ledger-lost
    same "$(chancery --json ledger stat | jq .restored_by)" "$(chancery --json ledger log --limit 1000 | jq '.entries[] | select(.kind == "restored") | .entry')"
    same "$(chancery --json cert list --status unrecorded | jq -r '.certificates[].serial')" "$(serial_of unknown.pem)"
    [[ $(cat "$CHANCERY_DIR/log") == *restored* ]] || true
}

@test "in maintenance: nothing is issued, nobody is told good, revocations go on" {
    refused_as_restored
    answers
    jq -e '.ready == false and any(.probes[]; .name == "issuing" and (.why | test("accept-loss")))' readyz
    says before trylater
    says revoked revoked
    says both revoked
    says unknown unauthorized
    chancery cert revoke "$(serial_of later.pem)" --reason superseded
    within 5 says later revoked
}

@test "a list after the restoration has a higher number, and lets nobody go" {
    local number
    number=$(openssl crl -inform DER -in issuing.crl -noout -crlnumber | cut -d= -f2)
    curl -sfo now.crl "$CHANCERY_HTTP_URL/crl/issuing.crl"
    [ "$((16#$(openssl crl -inform DER -in now.crl -noout -crlnumber | cut -d= -f2 | sed 's/^0x//')))" -gt "$((16#${number#0x}))" ]
    for was in revoked both; do
        openssl crl -inform DER -in now.crl -noout -text | grep -qi "$(serial_of $was.pem)"
    done
}

@test "what the roll alone knows is looked at, revoked, and the loss accepted by the roster" {
    typed look
    typed revoke
    within 5 says unknown revoked
    typed accept
    within 5 says before good
    issue after DNS:after.example.internal
    within 5 says after good
    chancery ledger verify --json | jq -e .ok
}

@test "an approval for one restoration is none for another, and none without one" {
    run -1 chancery ledger accept-loss --reason again --key "$CHANCERY_ADMIN_KEY"
    [[ $output == *'does not wait'* ]]
}

# --- losing the rest ---

@test "the host is lost: the same from the backup alone, on an empty folder" {
    typed backup
    typed keep
    typed lists
    stop_chancery
    mv "$CHANCERY_DIR" "$CHANCERY_DIR.lost"
    mkdir -p "$CHANCERY_DIR/secret" # what the new host has of its own: its PIN, SoftHSM's configuration, the demo's names
    cp -a "$CHANCERY_DIR.lost"/{env,softhsm2.conf,token.txt,admin.*,approver.key,recovery.key,operator.*} "$CHANCERY_DIR/"
    cp -a "$CHANCERY_DIR.lost/secret/." "$CHANCERY_DIR/secret/"
    typed host-lost
    refused_as_restored
    typed accept
    within 5 says after good
    says revoked revoked
    issue host DNS:host.example.internal
    chancery ledger verify --json | jq -e .ok
}

@test "the token is lost: from its backup the keys sign again" {
    typed keep
    mv "$TOKEN_DIR" "$TOKEN_DIR.lost"
    typed token-lost
    within 10 demo_ready
    issue token DNS:token.example.internal
}

@test "the PIN is lost: a new one, and nothing is restarted" {
    echo 7391-new >new.pin
    typed pin-lost
    within 10 demo_ready
    issue pin DNS:pin.example.internal
}

@test "the front was not ours: frozen, looked at by the seal roll, revoked, thawed" {
    export SINCE
    SINCE=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    issue stolen DNS:stolen.example.internal
    typed stolen-front
    csr new DNS:new.example.internal
    ask_csr new.csr
    expect_problem 503 frozen .
    typed stolen-revoke
    within 5 says stolen revoked
    typed thaw
    within 5 issue thawed DNS:thawed.example.internal
}
