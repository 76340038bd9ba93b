#!/usr/bin/env bats
# Certificates that people approve first: asked for with a real client, looked at and signed with the command, fetched by
# whoever asked, and seen again by `ledger verify`.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    cat >"$CHANCERY_DIR/templates/careful.yaml" <<'YAML'
extends: server
description: servers that somebody has looked at
approval: {needed: 2}
YAML
    openssl genpkey -algorithm ed25519 -out "$BATS_FILE_TMPDIR/stranger.key"
    local seen
    seen=$(wc -l <"$CHANCERY_DIR/log")
    kill -HUP "$(cat "$CHANCERY_DIR/run/pid")"
    said() { tail -n "+$((seen + 1))" "$CHANCERY_DIR/log" | grep -q 'reload\.done'; }
    within 10 said
    "$CHANCERY_BIN/chancery" --json token create --template careful --name 'dns:**.example.internal' | jq -r .token >"$BATS_FILE_TMPDIR/token"
}
teardown_file() { demo_stop; }

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    export TOKEN=$BATS_FILE_TMPDIR/token
}

ask_careful() { ask_csr "$1.csr" template=careful; }

@test "it waits: 202, where to look and when" {
    csr web DNS:web.example.internal
    ask_careful web
    expect 202
    same "$(member .state)" pending
    same "$(member '.needed, .have' | paste -sd' ')" "2 0"
    matches "$(header Location)" "^/v1/requests/[0-9a-f]{32}/certificate\$"
    same "$(header Retry-After)" 60
    member .request >web.id
    ask_careful web # the same request is the same
    same "$(member .request)" "$(cat web.id)"
    ask_token "$(header Location)"
    expect 202
}

@test "who approves reads what is to be certified from the bytes that are signed" {
    run -0 chancery request show "$(cat web.id)"
    matches "$output" 'template: careful'
    matches "$output" 'subjectAltName.*dns:web\.example\.internal'
    matches "$output" 'asker: token:'
    matches "$(chancery request list)" 'certificate'
    run -0 chancery request approve "$(cat web.id)" --key "$CHANCERY_ADMIN_KEY"
    matches "$output" 'subjectAltName.*dns:web\.example\.internal'
}

@test "one of two is not enough, whoever signs twice" {
    chancery request approve "$(cat web.id)" --key "$CHANCERY_ADMIN_KEY" >/dev/null
    ask_careful web
    expect 202
    same "$(member .have)" 1
    ! chancery request approve "$(cat web.id)" --key stranger.key 2>refused
    matches "$(cat refused)" 'not on the roster'
}

@test "approved by two it is made, once, and can be fetched by whoever asked alone" {
    chancery request approve "$(cat web.id)" --key "$CHANCERY_APPROVER_KEY" >/dev/null
    same "$(chancery --json request show "$(cat web.id)" | jq -r .state)" approved
    TOKEN= ask_token "/v1/requests/$(cat web.id)/certificate" # another's token
    expect_problem 404 not-found 'no request'
    ask_careful web
    expect 201
    member .certificate >web.pem
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" web.pem
    ask_token "/v1/requests/$(cat web.id)/certificate"
    expect 200
    same "$(member .serial)" "$(openssl x509 -in web.pem -noout -serial | cut -d= -f2 | tr A-F a-f)"
    state_is() { [ "$(chancery --json request show "$(cat web.id)" | jq -r .state)" = "$1" ]; }
    within 5 state_is "done"
    ! chancery request execute "$(cat web.id)" 2>refused
    matches "$(cat refused)" 'whoever asked for it fetches it'
}

@test "denied, it says by whom" {
    csr no DNS:no.example.internal
    ask_careful no
    expect 202
    chancery request deny "$(member .request)" --key "$CHANCERY_APPROVER_KEY" >/dev/null
    ask_careful no
    expect_problem 403 forbidden 'was denied by roster:'
}

@test "the template without approvals goes on as before" {
    TOKEN= ask_csr web.csr template=server
    expect_problem 400 bad-key 'in use by another asker'
    csr plain DNS:plain.example.internal
    TOKEN= ask_csr plain.csr template=server
    expect 201
}

@test "the books agree about it" {
    demo_stop
    run -0 chancery ledger verify
    matches "$output" '1 act|acts'
}
