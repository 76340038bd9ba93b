#!/usr/bin/env bats
# CAs made, suspended, deleted and renewed in the running house, by acts that the roster must approve. Here one administrator
# is enough; how many it takes, and that the vault counts them itself, is tested where approvals are.

load ../lib/demo
load ../lib/ask

setup_file() {
    local dir="$BATS_FILE_TMPDIR/demo" port http_port
    read -r port http_port < <(demo_ports 2)
    "$CHANCERY_BUILD/release/bin/chancery" init --demo "$dir" --port "$port" --http-port "$http_port"
    sed -i 's/^quorum: 1/quorum: 1\napprovals: {ca-create: 0, ca-sign-sub: 0, ca-renew: 0, ca-state: 0, ca-delete: 0, cross-sign: 0}/' "$dir/roster.yaml"
    demo_start "$dir"
}

teardown_file() { demo_stop; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

ca() { chancery ca "$@" --reason 'a test' --key "$CHANCERY_ADMIN_KEY"; }

issue_by() { # ISSUER; leaf.pem, and what was said where it failed
    csr leaf DNS:web.example.internal
    bearer | curl -sS --max-time 30 --cacert "$CHANCERY_ROOT" -H @- -H 'Content-Type: application/pkcs10' -H 'Accept: application/pem-certificate-chain' \
        -w '%{http_code}' --data-binary @leaf.csr -o leaf.pem "$CHANCERY_URL/v1/certificates?template=server&issuer=$1"
}

state_of() { chancery --json ca list | jq -r ".issuers[] | select(.name == \"$1\") | .state"; }
is() { [ "$(state_of "$1")" = "$2" ]; }

@test "a subordinate is created, comes into the configuration, and issues after a reload" {
    run -0 ca create issuing-2 --issuer root --subject 'CN=Chancery Issuing CA 2,O=Chancery'
    openssl verify -CAfile "$CHANCERY_ROOT" "$CHANCERY_DIR/issuers/issuing-2.pem"
    grep -q 'name: issuing-2' "$CHANCERY_CONFIG"
    kill -HUP "$CHANCERY_PID"
    within 20 is issuing-2 active
    [ "$(issue_by issuing-2)" = 201 ]
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted leaf.pem leaf.pem
    openssl x509 -in leaf.pem -noout -issuer | grep -q 'Issuing CA 2'
}

@test "what does not fit is refused: a taken name, no such parent, a path length that forbids it" {
    run -1 ca create issuing --issuer root --subject 'CN=Other,O=Chancery'
    [[ "$output" == *"already"* ]]
    run -1 ca create below --issuer nobody --subject 'CN=Below,O=Chancery'
    [[ "$output" == *"issuer"* ]]
    run -1 ca create below --issuer issuing --subject 'CN=Below,O=Chancery'
    [[ "$output" == *"path length"* ]]
}

@test "disabled it issues nothing and still answers; enabled it issues again" {
    run -0 ca disable issuing-2
    within 5 is issuing-2 disabled
    [ "$(issue_by issuing-2)" = 409 ]
    grep -q "is disabled" leaf.pem
    [ "$(issue_by issuing)" = 201 ]
    run -0 ca enable issuing-2
    within 5 is issuing-2 active
    [ "$(issue_by issuing-2)" = 201 ]
}

@test "deleted it is refused by name, and comes back as disabled" {
    run -1 ca delete issuing-2
    [[ "$output" == *"disable it first"* ]]
    ca disable issuing-2
    run -1 ca delete issuing-2 --for 31d
    [[ "$output" == *"7 to 30 days"* ]]
    ca delete issuing-2 --for 7d
    within 5 is issuing-2 deleted
    [ "$(issue_by issuing-2)" = 409 ]
    grep -q "is deleted" leaf.pem
    ca restore issuing-2
    within 5 is issuing-2 disabled
    ca enable issuing-2
}

@test "a request goes out, a CA with its key elsewhere is certified, an issuer is renewed" {
    run -0 ca csr policy --subject 'CN=Policy CA,O=Chancery' --out policy.csr
    openssl req -in policy.csr -noout -verify
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout theirs.key -subj '/O=Theirs/CN=Their CA' -out theirs.csr 2>/dev/null
    run -0 ca sign --issuer root --csr theirs.csr --out theirs.pem
    openssl verify -CAfile "$CHANCERY_ROOT" theirs.pem
    run -0 ca renew issuing --issuer root --out renewed.pem
    cmp <(openssl x509 -in renewed.pem -noout -pubkey) <(openssl x509 -in "$CHANCERY_ISSUER" -noout -pubkey)
    [ "$(serial_of renewed.pem)" != "$(serial_of "$CHANCERY_ISSUER")" ]
    cat renewed.pem leaf.pem >both.pem
    [ "$(issue_by issuing)" = 201 ]
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted renewed.pem leaf.pem
    chancery ledger verify | grep -q 'the books agree'
}
