#!/usr/bin/env bats
# The issuing CA gives way to a successor while certificates are being asked for: no issuance fails, and every client gets a
# chain that leads to the root it has.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }

teardown_file() {
    load_stop
    demo_stop
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# --- load: several clients ask on and on, each answer is kept ---

load_start() {
    local i
    mkdir -p load
    csr load/client DNS:load.example.internal
    bearer >load/auth
    for i in 1 2 3; do client "$i" 3>&- & done
    jobs -p >load/pids
}

client() { # NUMBER
    local n=0
    until [ -e load/stop ]; do
        n=$((n + 1))
        curl -s -o "load/$1.$n.pem" -w '%{http_code}\n' --max-time 30 --cacert "$CHANCERY_ROOT" -H @load/auth -H 'Content-Type: application/pkcs10' \
            -H 'Accept: application/pem-certificate-chain' --data-binary @load/client.csr "$CHANCERY_URL/v1/certificates?template=server" >>"load/$1.codes" || echo failed >>"load/$1.codes"
    done
}

load_stop() {
    local pid
    touch "$BATS_FILE_TMPDIR/load/stop" 2>/dev/null || return 0
    for pid in $(cat "$BATS_FILE_TMPDIR/load/pids" 2>/dev/null); do within 40 process_gone "$pid" || kill "$pid"; done
}

answers() { cat load/*.codes 2>/dev/null | wc -l; }
more_answers() { [ "$(answers)" -gt "$1" ]; }

# Waits until some more were given by whoever is the default now.
let_load_run() {
    local now
    now=$(answers)
    within 60 more_answers $((now + 12))
}

issuers_in_order() { chancery --json ca list | jq -r '[.issuers[].name] | join(" ")'; }

reload() { # the names in the order that is to come into force
    kill -HUP "$(cat "$CHANCERY_DIR/run/pid")"
    in_order() { [ "$(issuers_in_order)" = "$1" ]; }
    within 20 in_order "$1"
}

configure() { # ISSUER LINES
    awk '/^issuers:/ { exit } { print }' chancery.yaml.first >"$CHANCERY_CONFIG"
    cat >>"$CHANCERY_CONFIG"
}

root_lines() { printf 'issuers:\n  - {name: root, key: "pkcs11:object=root", certificate: issuers/root.pem, issue: false, crl: {every: 1d, lifetime: 7d}}\n'; }
old_lines() { echo "  - {name: issuing, key: \"pkcs11:object=issuing\", certificate: issuers/issuing.pem, issue: ${1:-true}}"; }
new_lines() { echo "  - {name: issuing-2, key: \"pkcs11:object=issuing-2\", certificate: issuers/issuing-2.pem}"; }

issued_by_last() { # the newest answer's issuer
    chancery --json cert list --limit 1 | jq -r '.certificates[0].issuer'
}

@test "a successor is made in a ceremony, beside the daemon's own keys" {
    cp "$CHANCERY_CONFIG" chancery.yaml.first
    demo_stop
    cat >"$CHANCERY_DIR/successor.yaml" <<EOF
ceremony: A successor for the issuing CA
participants: [{name: Maria Weber, role: administrator}]
public_url: $CHANCERY_HTTP_URL
books: .
token: {name: demo, module: /usr/lib/softhsm/libsofthsm2.so, uri: "pkcs11:token=chancery", pin_file: secret/pin, env: {SOFTHSM2_CONF: $CHANCERY_DIR/softhsm2.conf}, writes: [token]}
issuers: [{name: root, certificate: issuers/root.pem}]
steps:
  - key: {name: issuing-2}
  - subordinate: {name: issuing-2, issuer: root, subject: "CN=Chancery Issuing CA 2,O=Chancery", out: issuers/issuing-2.pem}
EOF
    run -0 chancery ceremony "$CHANCERY_DIR/successor.yaml"
    demo_start
    within 30 demo_ready
}

@test "under load: added, switched, the old one retired, and not one issuance fails" {
    load_start
    let_load_run
    { root_lines; old_lines; new_lines; } | configure
    reload "root issuing issuing-2"
    let_load_run
    [ "$(issued_by_last)" = issuing ]
    { root_lines; new_lines; old_lines; } | configure
    reload "root issuing-2 issuing"
    let_load_run
    [ "$(issued_by_last)" = issuing-2 ]
    { root_lines; new_lines; old_lines false; } | configure
    reload "root issuing-2 issuing"
    let_load_run
    load_stop
    [ "$(sort -u load/*.codes)" = 201 ]
}

@test "every client's chain leads to the root it had from the beginning" {
    local f n=0
    for f in load/*.pem; do
        [ "$(grep -c 'BEGIN CERTIFICATE' "$f")" = 2 ]
        openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$f" "$f" >/dev/null
        n=$((n + 1))
    done
    [ "$n" = "$(answers)" ]
    grep -l "$(sed -n 2p "$CHANCERY_DIR/issuers/issuing-2.pem")" load/*.pem >/dev/null
}

@test "what hangs on the old one is counted, live, until it is safe to retire" {
    local old new
    counted() { [ "$(chancery --json ca list | jq '[.issuers[].unexpired // 0] | add')" -ge "$(answers)" ]; }
    within 40 counted
    old=$(chancery --json ca list | jq '.issuers[] | select(.name == "issuing") | .unexpired')
    new=$(chancery --json ca list | jq '.issuers[] | select(.name == "issuing-2") | .unexpired')
    [ "$old" -gt 0 ] && [ "$new" -gt 0 ]
    curl -sf "$CHANCERY_URL/metrics" --cacert "$CHANCERY_ROOT" | grep -q "^chancery_issuer_unexpired_certificates{issuer=\"issuing\"} $old\$"
}

@test "the old one still answers, lists and revokes; asked to issue, it says no" {
    local f serial
    f=$(grep -L "$(sed -n 2p "$CHANCERY_DIR/issuers/issuing-2.pem")" load/*.pem | head -1)
    serial=$(serial_of "$f")
    chancery cert revoke "$serial" --issuer issuing --reason superseded
    says() { openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$f" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>&1 | grep -q ': revoked'; }
    within 10 says
    curl -s --max-time 30 --cacert "$CHANCERY_ROOT" -H @load/auth -H 'Content-Type: application/pkcs10' --data-binary @load/client.csr \
        "$CHANCERY_URL/v1/certificates?template=server&issuer=issuing" | jq -e '.detail | contains("does not issue to askers")'
}
