# ACME over the wire, with real processes: what stands over restarts and kills, and what an operator sees of it. The state
# machine itself, and the refusals, are in tests/unit/enroll/acme_test.c.

load ../lib/demo

setup_file() {
    demo_start
    chancery acme eab create --template server --name '**.example.internal' --accounts 20 --preapproved --out "$BATS_FILE_TMPDIR/eab"
}

setup() {
    demo_env "$BATS_FILE_TMPDIR/demo" # a test may have restarted it
}

teardown_file() {
    demo_stop
}

acme() { # STATE COMMAND ARGS...; says status and body
    python3 "$CHANCERY_TOP/tests/lib/acme.py" "$BATS_FILE_TMPDIR/$1.json" "${@:2}"
}

member() { jq -r ".$1" <<<"$output"; }

restart() {
    demo_stop
    demo_start "$CHANCERY_DIR"
}

register() { # STATE
    # shellcheck disable=SC1091
    . "$BATS_FILE_TMPDIR/eab"
    run -0 acme "$1" register "$KID" "$HMAC"
    [ "$(member status)" = 201 ]
}

@test "an order for a name in the namespace of its key needs no challenge" {
    register a
    run -0 acme a order a.example.internal b.example.internal
    [ "$(member body.status)" = ready ]
    run -0 acme a finalize
    [ "$(member body.status)" = valid ]
    run -0 acme a download "$BATS_TEST_TMPDIR/chain.pem"
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$BATS_TEST_TMPDIR/chain.pem" "$BATS_TEST_TMPDIR/chain.pem"
    [ "$(openssl x509 -in "$BATS_TEST_TMPDIR/chain.pem" -noout -ext subjectAltName | grep -c 'DNS:a.example.internal, DNS:b.example.internal')" = 1 ]
}

@test "an operator sees accounts, orders and authorizations, and why one has no certificate" {
    register ops
    run -0 acme ops order ops.example.internal
    order=$(jq -r .order "$BATS_FILE_TMPDIR/ops.json")
    run -0 chancery acme order list
    [[ "$output" == *"${order##*/}"* ]]
    run -0 chancery acme why "${order##*/}"
    [[ "$output" == *"every name is authorized"* ]]
    run -0 chancery --json acme order show "${order##*/}"
    account=$(jq -r .account <<<"$output")
    run -0 chancery acme account show "$account"
    [[ "$output" == *p256* ]]
    run -0 chancery acme authz list --account "$account"
    [[ "$output" == *dns:ops.example.internal* ]]
}

@test "a stranger's order waits, and why says for what" {
    run -0 acme stranger register
    run -0 acme stranger order lonely.example.internal
    [ "$(member body.status)" = pending ]
    order=$(jq -r .order "$BATS_FILE_TMPDIR/stranger.json")
    run -0 chancery acme why "${order##*/}"
    [[ "$output" == *"not yet said that a challenge is met"* ]]
}

@test "an orderly restart costs no client a badNonce, and no nonce is taken twice over it" {
    register n
    run -0 acme n nonces 3
    run -0 acme n spend 0
    [ "$(member status)" = 200 ]
    restart
    run -0 acme n spend 1
    [ "$(member status)" = 200 ]
    run -0 acme n spend 0
    [ "$(member body.type)" = urn:ietf:params:acme:error:badNonce ]
    run -0 acme n spend 1
    [ "$(member body.type)" = urn:ietf:params:acme:error:badNonce ]
}

@test "an order stands after a restart, and asked again it gives the same certificate" {
    register s
    run -0 acme s order s.example.internal
    restart
    run -0 acme s show
    [ "$(member body.status)" = ready ]
    run -0 acme s finalize
    first=$(member body.certificate)
    restart
    run -0 acme s finalize
    [ "$(member body.status)" = valid ]
    [ "$(member body.certificate)" = "$first" ]
}

@test "after a kill of the front what was given out before is refused, and none is taken twice" {
    register k
    run -0 acme k nonces 2
    run -0 acme k spend 0
    [ "$(member status)" = 200 ]
    kill -KILL "$(demo_child front)"
    within 20 demo_ready
    for i in 0 1; do
        run -0 acme k spend $i
        [ "$(member body.type)" = urn:ietf:params:acme:error:badNonce ]
    done
    run -0 acme k order k.example.internal
    [ "$(member status)" = 201 ]
}

@test "the books agree afterwards" {
    run -0 chancery ledger verify
}
