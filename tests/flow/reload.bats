#!/usr/bin/env bats
# SIGHUP: what changes over, whole or not at all; what only a restart can change; the roster and its quorum.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    cp -r "$CHANCERY_DIR/templates" "$BATS_FILE_TMPDIR/templates.good"
    cp "$CHANCERY_CONFIG" "$BATS_FILE_TMPDIR/chancery.good"
    cp "$CHANCERY_DIR/roster.yaml" "$BATS_FILE_TMPDIR/roster.good"
}
teardown_file() { demo_stop; }

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    demo_env "$BATS_FILE_TMPDIR/demo" # a test may have restarted it
    T=$CHANCERY_DIR/templates
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
    GENERATION=$(generation)
}

# Files as they were, in force.
teardown() {
    rm -rf "$CHANCERY_DIR/templates"
    cp -r "$BATS_FILE_TMPDIR/templates.good" "$CHANCERY_DIR/templates"
    cp "$BATS_FILE_TMPDIR/chancery.good" "$CHANCERY_CONFIG"
    [ -e keep-roster ] || cp "$BATS_FILE_TMPDIR/roster.good" "$CHANCERY_DIR/roster.yaml"
    demo_env "$BATS_FILE_TMPDIR/demo"
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
    reload "done"
}

generation() { curl -s --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz" | jq .generation; }

logged() { tail -n "+$((LOGGED + 1))" "$CHANCERY_DIR/log"; }

logged_reload() { logged | grep -E "reload\.(done|refused)" >reload.log; }

# Sends SIGHUP and waits for how it ended: done or refused, with a reason that matches.
reload() { # done | refused [REGEX]
    kill -HUP "$CHANCERY_PID"
    within 10 logged_reload || { logged; return 1; }
    matches "$(cat reload.log)" "reload\.$1" || return 1
    matches "$(cat reload.log)" "${2:-}"
}

days_of_new() {
    rm -f new.key
    issue new DNS:new.example.internal >&2 || return 1
    echo $((($(date -d "$(openssl x509 -in new.pem -noout -enddate | cut -d= -f2)" +%s) - EPOCHSECONDS + 600) / 86400))
}

@test "a changed template is in force after SIGHUP, under the next generation" {
    same "$(days_of_new)" 90
    sed -i 's/default: 90d/default: 30d/' "$T/server.yaml"
    same "$(days_of_new)" 90
    reload "done"
    same "$(days_of_new)" 30
    same "$(generation)" "$((GENERATION + 1))"
}

@test "no process has been started anew for it, and nobody was turned away meanwhile" {
    local children i pid
    children=$(pgrep -P "$CHANCERY_PID" | sort | paste -sd' ')
    bearer >bearer
    csr a DNS:a.example.internal
    (for i in $(seq 60); do
        curl -sS --max-time 10 --cacert "$CHANCERY_ROOT" -H @bearer -H 'Content-Type: application/pkcs10' --data-binary @a.csr -o /dev/null \
            -w '%{http_code}\n' "$CHANCERY_URL/v1/certificates?template=server"
    done) >codes 3>&- &
    pid=$!
    for i in 1 2 3 4; do
        sed -i "s/default: .*d /default: 3${i}d /" "$T/server.yaml"
        LOGGED=$(wc -l <"$CHANCERY_DIR/log")
        reload "done"
    done
    wait "$pid"
    same "$(sort codes | uniq -c | awk '{ print $2 "x" $1 }')" 201x60
    same "$(pgrep -P "$CHANCERY_PID" | sort | paste -sd' ')" "$children"
}

@test "a new template can be asked for after SIGHUP, one that is gone cannot" {
    sed 's/^description:.*/description: Short-lived/; s/default: 90d/default: 1d/' "$T/server.yaml" >"$T/short.yaml"
    rm "$T/device.yaml"
    csr a DNS:a.example.internal
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=short"
    expect_problem 404 template-unknown short
    reload "done"
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=short"
    expect 201
    ask_csr a.csr template=device
    expect_problem 404 template-unknown device
}

@test "with one bad template nothing changes, and the log says where it is" {
    sed -i 's/default: 90d/default: 20d/' "$T/server.yaml"
    sed -i 's/^validity:/validty:/' "$T/client.yaml"
    local line
    line=$(grep -n validty "$T/client.yaml" | cut -d: -f1)
    reload refused "templates/client\.yaml:$line:1: .*validty.*validity"
    same "$(days_of_new)" 90
    same "$(generation)" "$GENERATION"
    cp "$BATS_FILE_TMPDIR/templates.good/client.yaml" "$T/client.yaml"
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
    reload "done"
    same "$(days_of_new)" 20
}

@test "conditions and computed values are in force after SIGHUP; one that costs too much changes nothing" {
    cat >>"$T/server.yaml" <<'YAML'

conditions:
  - that: cert.sans.all(n, n.endsWith('.pay.example.internal')) || asker.role == 'operator'
    else: only names of pay
  - {that: size(cert.sans) < 3, else: at most two names}
YAML
    sed -i "s/^  cn: san .*/  cn: san\n  computed: {UID: asker.role}/" "$T/server.yaml"
    reload "done"
    csr a DNS:a.example.internal
    ask_csr a.csr
    expect_problem 422 policy "^template 'server': conditions: only names of pay$"
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=server"
    expect 201
    member .certificate >a.pem
    matches "$(openssl x509 -in a.pem -noout -subject -nameopt RFC2253)" 'UID=operator'
    csr b DNS:a.pay.example.internal,DNS:b.pay.example.internal,DNS:c.pay.example.internal
    ask_csr b.csr
    expect_problem 422 policy 'at most two names'
    csr c DNS:a.pay.example.internal
    ask_csr c.csr
    expect 201
    local line
    sed -i 's/that: size(cert.sans) < 3/that: "cert.sans.all(n, cert.sans.coveredBy(asker.names))"/' "$T/server.yaml"
    line=$(grep -n coveredBy "$T/server.yaml" | cut -d: -f1)
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
    reload refused "templates/server\.yaml:$line:12: character 1: the expression can cost [0-9]+ steps"
    csr d DNS:a.pay.example.internal
    ask_csr d.csr
    expect 201
}

@test "one of AWS's templates, added: extensions beside the CSR stand in the certificate" {
    local name=aws/BlankEndEntityCertificate_CriticalBasicConstraints_APICSRPassthrough/V1
    chancery template add "$name"
    reload "done"
    csr a DNS:a.example.internal
    TEMPLATE=$name with_csr a.csr '"extensions": [{"oid": "keyUsage", "value": ["digitalSignature"]}, {"oid": "extKeyUsage", "value": ["timeStamping"]},
        {"oid": "1.3.6.1.4.1.99999.1", "value": "utf8:hello"}, {"oid": "keyUsage", "value": ["keyCertSign"]}]' >twice.json
    ask_operator -H 'Content-Type: application/json' --data-binary @twice.json /v1/certificates
    expect_problem 400 bad-extension 'keyUsage: asked for twice' /extensions/3
    jq 'del(.extensions[3]) | .extensions[1].critical = true' twice.json >once.json
    ask_operator -H 'Content-Type: application/json' --data-binary @once.json /v1/certificates
    expect 201
    member .certificate >a.pem
    openssl x509 -in a.pem -noout -text >a.txt
    grep -A1 'X509v3 Key Usage: critical' a.txt | grep -q 'Digital Signature$'
    grep -A1 'X509v3 Extended Key Usage: critical' a.txt | grep -q 'Time Stamping$'
    grep -q '1.3.6.1.4.1.99999.1' a.txt
    grep -A1 'X509v3 Basic Constraints: critical' a.txt | grep -q 'CA:FALSE'
    openssl verify -purpose timestampsign -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" a.pem
}

@test "a template with wildcard: true gives *, to those whose grant covers it" {
    csr a 'DNS:*.example.internal'
    ask_csr a.csr
    expect_problem 422 policy 'wildcard'
    sed -i 's/wildcard: false/wildcard: true/' "$T/server.yaml"
    reload "done"
    ask_csr a.csr
    expect 201
    member .certificate >a.pem
    openssl verify -verify_hostname any.example.internal -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" a.pem
    run ! openssl verify -verify_hostname a.b.example.internal -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" a.pem
    chancery token create --template server --name a.example.internal --out t 2>/dev/null
    csr b 'DNS:*.example.internal'
    TOKEN=t ask_csr b.csr
    expect_problem 403 name-forbidden ''
    csr c 'DNS:a.*.example.internal'
    ask_csr c.csr
    expect_problem 400 bad-name 'RFC 9525'
    csr d 'DNS:*.com'
    ask_csr d.csr
    expect_problem 403 name-forbidden ''
}

@test "a template that allows more than its issuer's life gives no more than that" {
    sed -i 's/max: 398d/max: 3652d/; s/allow: \[rsa, .*/allow: [p256]/; /rsa_min/d; /^  rsa: /d' "$T/server.yaml"
    reload "done"
    csr a DNS:a.example.internal
    ask_csr a.csr "template=server&validity=3000d"
    expect 201
    ask_csr a.csr "template=server&validity=3651d"
    expect_problem 422 policy 'issuer'
}

@test "an open template with CA:TRUE, keyCertSign or OCSPSigning is refused, or signs nothing" {
    local change
    for change in '$ a basic_constraints: {ca: true}' 's/usages: \[digitalSignature\]/usages: [digitalSignature, keyCertSign]/' \
        's/usages: \[serverAuth\]/usages: [serverAuth, OCSPSigning]/'; do
        cp "$BATS_FILE_TMPDIR/templates.good/server.yaml" "$T/server.yaml"
        sed -i "$change" "$T/server.yaml"
        run ! cmp -s "$BATS_FILE_TMPDIR/templates.good/server.yaml" "$T/server.yaml"
        LOGGED=$(wc -l <"$CHANCERY_DIR/log")
        kill -HUP "$CHANCERY_PID"
        within 10 logged_reload
        cat reload.log
        grep -q reload.refused reload.log || {
            csr a DNS:a.example.internal
            ask_csr a.csr
            expect 403
        }
    done
}

@test "YAML that is none changes nothing" {
    printf 'x: [\n' >>"$T/server.yaml"
    reload refused 'templates/server\.yaml:[0-9]+:.*YAML'
    same "$(generation)" "$GENERATION"
    demo_ready
}

@test "what only a restart can change is refused by name" {
    local change
    for change in 's/^demo: true/demo: true\nlog: json/;log' 's/"127.0.0.1:[0-9]*", "\[::1\]/"127.0.0.1:9", "[::1]/;listen.https' \
        's/^tokens:/responders: 2\ntokens:/;responders' 's/pin_file: secret\/pin/pin_file: secret\/other/;tokens' \
        's/^tokens:/limits: {idle: 5s}\ntokens:/;limits' 's/^tokens:/paths: {ledger: other}\ntokens:/;paths|ledger'; do
        cp "$BATS_FILE_TMPDIR/chancery.good" "$CHANCERY_CONFIG"
        sed -i "${change%;*}" "$CHANCERY_CONFIG"
        LOGGED=$(wc -l <"$CHANCERY_DIR/log")
        reload refused "(${change##*;}).*only a restart can change it" || { diff "$BATS_FILE_TMPDIR/chancery.good" "$CHANCERY_CONFIG"; return 1; }
    done
    same "$(generation)" "$GENERATION"
}

@test "a configuration that is wrong is refused with its line" {
    sed -i 's/^public_url:/public_ulr:/' "$CHANCERY_CONFIG"
    reload refused 'chancery\.yaml:3:1: .*public_url'
    same "$(generation)" "$GENERATION"
}

@test "the front's certificate follows its names" {
    sed -i 's/"dns:localhost",/"dns:localhost", "dns:ca.example.internal",/' "$CHANCERY_CONFIG"
    reload "done"
    named() { openssl s_client -connect "127.0.0.1:${CHANCERY_URL##*:}" </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName | grep -q ca.example.internal; }
    within 5 named
    demo_ready
}

# --- the roster ---

roster_with_second() {
    key_make second.key P-256
    cat >>"$CHANCERY_DIR/roster.yaml" <<ENTRY
  - name: second
    role: admin
    spki_sha256: "$(openssl pkey -in second.key -pubout -outform DER | sha256sum | cut -d' ' -f1)"
ENTRY
    openssl req -x509 -key second.key -subj /CN=second -days 2 -out second.pem
}

ask_second() { ask --cert second.pem --key second.key "/v1/log?limit=1"; }

@test "a roster that its administrators have not signed is refused; the old one stands" {
    roster_with_second
    reload refused 'roster has changed: 1 administrators .* must sign'
    same "$(generation)" "$GENERATION"
    ask_second
    expect_problem 401 unauthenticated ''
    ask_admin "/v1/log?limit=1"
    expect 200
}

@test "a roster with a signature of somebody else is refused" {
    roster_with_second
    printf 'ecdsa-sha256 %s %s\n' "$(openssl pkey -in second.key -pubout -outform DER | base64 -w0)" \
        "$(printf x | openssl dgst -sha256 -sign second.key | base64 -w0)" >"$CHANCERY_DIR/roster.sigs"
    kill -HUP "$CHANCERY_PID"
    within 10 logged_reload
    rm "$CHANCERY_DIR/roster.sigs"
    matches "$(cat reload.log)" 'reload\.refused.*roster\.sigs:1.*no administrator'
}

@test "after a restart an unsigned roster is refused too" {
    roster_with_second
    demo_stop
    run "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" --check
    [ "$status" -eq 1 ]
    matches "$output" 'roster'
    cp "$BATS_FILE_TMPDIR/roster.good" "$CHANCERY_DIR/roster.yaml"
    demo_start
    ask_admin "/v1/log?limit=1"
    expect 200
}

@test "a change that the quorum has signed is taken, and pinned" {
    python3 - "$CHANCERY_DIR/roll/roster.der" <<'PY'
import sys
d = open(sys.argv[1], "rb").read()
assert d.count(b"admin") >= 1
open("new.der", "wb").write(d.replace(b"admin", b"chief", 1))
PY
    sed -i 's/name: admin/name: chief/' "$CHANCERY_DIR/roster.yaml"
    local old new
    old=$(sha256sum <"$CHANCERY_DIR/roll/roster.der" | cut -d' ' -f1)
    new=$(sha256sum <new.der | cut -d' ' -f1)
    printf 'chancery roster change\nold %s\nnew %s\n' "$old" "$new" | openssl dgst -sha256 -sign "$CHANCERY_ADMIN_KEY" -out sig
    printf 'ecdsa-sha256 %s %s\n' "$(openssl pkey -in "$CHANCERY_ADMIN_KEY" -pubout -outform DER | base64 -w0)" "$(base64 -w0 sig)" >"$CHANCERY_DIR/roster.sigs"
    reload "done"
    logged | grep -q "roster.pinned sha256=\"$new\""
    ask_admin "/v1/log?limit=1"
    expect 200
    touch keep-roster
    cp "$CHANCERY_DIR/roster.yaml" "$BATS_FILE_TMPDIR/roster.good"
}
