#!/usr/bin/env bats
# What stands in the zone: a record that serves all renewals, and CAA, which may forbid.

load ../lib/demo
load ../lib/ask
load ../lib/acme

setup_file() {
    acme_start
    echo 'caa: true' >>"$CHANCERY_DIR/templates/wild.yaml"
    acme_validation ", issuers: [ca.example]"
}
teardown_file() { acme_stop; }

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset ACME_TEMPLATE
}

acme() { # COMMAND ARGS...; says status and body
    python3 "$CHANCERY_TOP/tests/lib/acme.py" "$BATS_TEST_TMPDIR/state.json" "$@"
}
told() { jq -r ".$1" <<<"$output"; }
account() { jq -r .kid state.json; }
zone() { echo "$*" >>"$ZONE"; }

# An account in the wild directory, whose template asks for CAA.
register_wild() { export ACME_TEMPLATE=/wild; eab '"preapproved": true' && run -0 acme register "$KID" "$HMAC"; }

@test "one TXT that names the account serves order after order, until it is gone" {
    run -0 acme register
    zone "_validation-persist.lasting.example.internal TXT \"ca.example; accounturi=$(account)\""
    for _ in 1 2; do
        run -0 acme order lasting.example.internal
        run -0 acme prove dns-persist-01
        same "$(told body.status)" valid
        run -0 acme finalize
        same "$(told body.status)" valid
        jq 'del(.order)' state.json >next && mv next state.json
    done
}

@test "a TXT that names another account does not serve, and the finding says so" {
    run -0 acme register
    zone "_validation-persist.strange.example.internal TXT \"ca.example; accounturi=$(account)0\""
    run -0 acme order strange.example.internal
    run -0 acme prove dns-persist-01
    same "$(told body.status)" invalid
    matches "$output" 'TXT at _validation-persist.strange.example.internal names another account'
    matches "$output" 'urn:ietf:params:acme:error:unauthorized'
}

@test "a CNAME made from the account's URI serves alike" {
    run -0 acme register
    label=$(printf %s "$(account)" | openssl dgst -sha256 -binary | head -c 20 | base32 | tr 'A-Z' 'a-z')
    zone "_validation-persist.alias.example.internal CNAME $label.ca.example"
    run -0 acme order alias.example.internal
    run -0 acme prove dns-persist-01
    same "$(told body.status)" valid
}

@test "CAA that names others stops an order at finalize, and one that names us does not" {
    register_wild
    zone 'shut.example.internal CAA 0 issue other.example'
    zone 'open.example.internal CAA 0 issue ca.example'
    run -0 acme order deep.shut.example.internal
    run -0 acme finalize
    matches "$output" 'urn:ietf:params:acme:error:caa'
    matches "$output" 'the CAA records at shut.example.internal do not name this CA'
    run -0 acme order deep.open.example.internal
    run -0 acme finalize
    same "$(told body.status)" valid
}

@test "a resolver that fails is no permission" {
    register_wild
    zone 'fails.example.internal SERVFAIL'
    run -0 acme order fails.example.internal
    run -0 acme finalize
    matches "$output" 'SERVFAIL'
    run -0 acme show
    run ! jq -e '.body.status == "valid"' <<<"$output"
}
