#!/usr/bin/env bats
# More than one pair of eyes: requests, approvals and denials by signature; freezes and their end; the roster's change.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    cp "$CHANCERY_DIR/roster.yaml" "$BATS_FILE_TMPDIR/roster.first"
}
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

chancery() { "$CHANCERY_BIN/chancery" "$@"; }

# Asks as the demo's administrator; the request's id.
ask_for() { # KIND OBJECT OPTION...
    chancery --json request new "$1" "$2" --reason "a test" --key "$CHANCERY_ADMIN_KEY" "${@:3}" | jq -r .id
}

approve() { chancery --json request approve "$1" --key "${2:-$CHANCERY_APPROVER_KEY}"; }

state() { chancery --json request show "$1" | jq -r .state; }

refuses() { # REGEX COMMAND...
    local regex=$1
    shift
    ! "$@" >refused 2>&1 || { echo "it was not refused"; return 1; }
    matches "$(cat refused)" "$regex"
}

issues() { # NAME; asks for a certificate and says how it went
    [ -e "$1.csr" ] || openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj / \
        -addext "subjectAltName=DNS:$1.example.internal" -out "$1.csr" 2>/dev/null
    ask_csr "$1.csr"
}

frozen() { # NAME
    issues "$1"
    [ "$answer" = 503 ] && [ "$(member .type)" = urn:chancery:error:frozen ]
}

thaw() { # WHAT
    local id
    id=$(ask_for thaw "$1")
    approve "$id" >/dev/null
    chancery --json request execute "$id" >/dev/null
}

@test "a frozen issuer issues nothing from the command's end on; revocation and status go on" {
    issues before
    expect 201
    member .certificate >before.pem
    chancery freeze --issuer issuing --reason "a laptop is gone"
    frozen during
    matches "$(member .detail)" 'issuer issuing is frozen since'
    ask_token -H 'Content-Type: application/json' -d '{"reason":"keyCompromise"}' \
        "/v1/certificates/$(openssl x509 -in before.pem -noout -serial | cut -d= -f2 | tr A-F a-f)/revoke"
    expect 200
    revoked() {
        openssl ocsp -issuer "$CHANCERY_ISSUER" -cert before.pem -CAfile "$CHANCERY_ROOT" \
            -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>&1 | grep -q '^before.pem: revoked'
    }
    within 2 revoked
}

@test "a freeze stands after a restart, and is listed with who and why" {
    demo_stop "$CHANCERY_DIR"
    demo_start "$CHANCERY_DIR"
    within 10 frozen again
    matches "$(chancery freeze list)" 'issuer +issuing .*a laptop is gone'
}

@test "nobody thaws alone: one request, one approval of another person, and once" {
    local id
    id=$(ask_for thaw issuer:issuing)
    same "$(state "$id")" pending
    refuses 'request is pending.*needs 1 approvals' chancery request execute "$id"
    refuses 'nobody approves their own request' approve "$id" "$CHANCERY_ADMIN_KEY"
    refuses 'not an administrator|acts are an administrator' approve "$id" "$CHANCERY_RECOVERY_KEY"
    openssl genpkey -algorithm ed25519 -out stranger.key
    refuses 'not on the roster' approve "$id" stranger.key
    approve "$id" >/dev/null
    same "$(state "$id")" approved
    chancery request execute "$id"
    same "$(state "$id")" "done"
    issues after
    expect 201
    refuses 'request is done' chancery request execute "$id"
    same "$(chancery --json freeze list | jq '.freezes | length')" 0
}

@test "one denial ends a request" {
    local id
    chancery freeze --template device --reason "to be looked at"
    id=$(ask_for thaw template:device)
    approve "$id" >/dev/null
    chancery --json request deny "$id" --key "$CHANCERY_ADMIN_KEY" >/dev/null # taken back
    same "$(state "$id")" denied
    refuses 'request is denied' chancery request execute "$id"
    refuses 'request is denied' approve "$id"
    thaw template:device
}

@test "a frozen asker gets nothing, others do" {
    local id
    id=$(chancery --json cert list --limit 1 --template server | jq -r '.certificates[0].owner // empty')
    [ -n "$id" ]
    chancery freeze --asker "$id" --reason "gone"
    within 2 frozen mine
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -subj / \
        -addext subjectAltName=DNS:other.example.internal -out other.csr 2>/dev/null
    chancery cert request --template server --csr other.csr >/dev/null
    thaw "asker:$id"
    within 2 issued mine
}

issued() { issues "$1" && [ "$answer" = 201 ]; }

@test "a request has a life, and a reason" {
    refuses 'expires within 30 days|within 30 days' ask_fails --expires 31d
    refuses 'reason' chancery request new thaw all --key "$CHANCERY_ADMIN_KEY"
    refuses 'kinds of acts are ca-create' chancery request new make-coffee all --reason x --key "$CHANCERY_ADMIN_KEY"
}

ask_fails() { chancery request new thaw all --reason x --key "$CHANCERY_ADMIN_KEY" "$@"; }

@test "an operator's statement counts for nothing, a requester may not even look" {
    ask_token /v1/requests
    expect 403
    ask /v1/requests
    expect 401
}

# --- the roster ---

reload() { # EVENT
    local seen
    seen=$(wc -l <"$CHANCERY_DIR/log")
    kill -HUP "$(cat "$CHANCERY_DIR/run/pid")"
    said() { tail -n "+$((seen + 1))" "$CHANCERY_DIR/log" | grep -q "reload\.$1"; }
    within 10 said "$1"
}

new_entry() { # NAME ROLE KEY
    printf '  - name: %s\n    role: %s\n    spki_sha256: "%s"\n' "$1" "$2" \
        "$(openssl pkey -in "$3" -pubout -outform DER | sha256sum | cut -d' ' -f1)"
}

@test "a roster changes by signatures that chancery makes; a revoked approver no longer counts" {
    local id
    openssl genpkey -algorithm ed25519 -out nils.key
    cp "$CHANCERY_DIR/roster.yaml" new.yaml
    new_entry nils admin nils.key >>new.yaml
    touch none
    refuses '1 administrators of the present one must sign' chancery roster install new.yaml --sigs none
    chancery roster sign new.yaml --sigs sigs --key "$CHANCERY_ADMIN_KEY"
    chancery roster install new.yaml --sigs sigs
    reload "done"
    chancery freeze --all --reason "a drill"
    id=$(ask_for thaw all)
    approve "$id" nils.key >/dev/null
    same "$(state "$id")" approved
    # nils leaves: what he approved no longer counts
    awk '1; /name: nils/ { print "    revoked: true" }' new.yaml >newer.yaml
    rm sigs
    chancery roster sign newer.yaml --sigs sigs --key "$CHANCERY_APPROVER_KEY"
    chancery roster install newer.yaml --sigs sigs
    reload "done"
    same "$(state "$id")" pending
    refuses 'revoked' approve "$id" nils.key
    refuses 'pending' chancery request execute "$id"
    approve "$id" >/dev/null
    chancery --json request execute "$id" >/dev/null
}

@test "the recovery key alone changes the roster, and nothing else" {
    openssl genpkey -algorithm ed25519 -out olga.key
    cp "$CHANCERY_DIR/roster.yaml" new.yaml
    new_entry olga admin olga.key >>new.yaml
    chancery roster sign new.yaml --sigs sigs --key "$CHANCERY_RECOVERY_KEY"
    chancery roster install new.yaml --sigs sigs
    reload "done"
    matches "$(chancery roster show)" 'olga +admin'
    grep -q 'roster\.recovery' "$CHANCERY_DIR/log"
}

# --- root, and no front ---

@test "root freezes and revokes with the front stopped, and the books show it" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    issues last
    expect 201
    member .certificate >last.pem
    demo_stop "$CHANCERY_DIR" # the ledger is nobody's; the order waits for the vault
    chancery freeze --all --reason "the front is dead"
    chancery cert revoke "$(openssl x509 -in last.pem -noout -serial | cut -d= -f2 | tr A-F a-f)" --reason keyCompromise
    [ -e "$CHANCERY_DIR/roll/order.der" ]
    demo_start "$CHANCERY_DIR"
    within 5 frozen later
    [ ! -e "$CHANCERY_DIR/roll/order.der" ]
    gone() {
        openssl ocsp -issuer "$CHANCERY_ISSUER" -cert last.pem -CAfile "$CHANCERY_ROOT" \
            -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>&1 | grep -q '^last.pem: revoked'
    }
    within 5 gone
    same "$(chancery --json ledger log --limit 1000 | jq '[.entries[] | select(.kind == "break-glass")] | length')" 2
    grep -q 'error.*break-glass' "$CHANCERY_DIR/log"
    thaw all
}

@test "a vault takes root's order while the front hangs" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    local front
    front=$(demo_child front "$(cat "$CHANCERY_DIR/run/pid")")
    kill -STOP "$front"
    chancery freeze --template client --reason "the front hangs" || true # the ledger is held: said, and the freeze stands
    [ ! -e "$CHANCERY_DIR/roll/order.der" ]
    kill -CONT "$front"
    listed() { chancery freeze list | grep -q 'template  *client'; }
    within 5 listed
    thaw template:client
}

@test "the books hold, and every act was approved" {
    matches "$(chancery ledger verify)" 'acts: +[1-9][0-9]* done'
}
