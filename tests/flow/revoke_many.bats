#!/usr/bin/env bats
# Revoking many at once, by whoever holds the key, what is on hold and let go, and what was signed in a certain time.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    mkdir "$BATS_FILE_TMPDIR/many"
    cd "$BATS_FILE_TMPDIR/many" || return 1
    local i
    for i in $(seq 1 12); do issue "m$i" "DNS:m$i.pay.example.internal"; done
    issue beside DNS:beside.example.internal
}
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

many() { echo "$BATS_FILE_TMPDIR/many/$1.pem"; }

ocsp_says() { # FILE STATUS
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$1" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" >ocsp.out 2>&1
    grep -q '^Response verify OK' ocsp.out && grep -q "^$1: $2" ocsp.out
}

crl_has() { # SERIAL
    curl -sf -o crl "$CHANCERY_HTTP_URL/crl/issuing.crl"
    openssl crl -inform DER -in crl -noout -text >crl.text
    grep -qi "Serial Number: $1" crl.text
}
crl_lacks() { crl_has "$1" && return 1 || return 0; }

@test "a dry run shows how many, whose and which were renewed, and revokes nothing" {
    issue again DNS:m1.pay.example.internal
    chancery cert revoke --under dns:pay.example.internal --dry-run --json >look.json
    jq -e '.dry_run and .state == "done" and .hit == 13 and .renewed == 1 and .already == 0 and .templates.server == 13 and .issuers.issuing == 13' look.json
    jq -e '.owners | length == 1 and (keys[0] | startswith("token:")) and .[keys[0]] == 13' look.json
    run chancery cert revoke --under dns:pay.example.internal --dry-run
    [[ "$output" == *"nothing is revoked yet"*"to go     13 of 13 chosen"*"1 of them have a newer one in force"* ]] || { echo "$output"; false; }
    ocsp_says "$(many m1)" good
    chancery cert revoke "$(serial_of again.pem)" >/dev/null
}

@test "without --yes and without a terminal nothing is revoked" {
    run -2 chancery cert revoke --under dns:pay.example.internal </dev/null
    matches "$output" 'say --yes'
    ocsp_says "$(many m1)" good
}

@test "by query: all that it finds are revoked and shown, what is beside them is not; again, it is no error" {
    chancery cert revoke --under 'dns:*.pay.example.internal' --reason cessationOfOperation --yes >out
    grep -q 'revoked 12 (cessationOfOperation)' out
    local i
    for i in 1 6 12; do within 1 ocsp_says "$(many "m$i")" revoked; done
    for i in 1 6 12; do within 2 crl_has "$(serial_of "$(many "m$i")")"; done
    ocsp_says "$(many beside)" good
    chancery cert revoke --under dns:pay.example.internal --yes --json | jq -e '.hit == 0 and .already == 13'
    chancery ledger log --json --from 1 --limit 1000 | jq -e '[.entries[] | select(.kind == "revoke-many")] | length == 1'
}

@test "by serials, of which one is on record: the rest is counted as missing" {
    issue a DNS:a.example.internal
    chancery cert revoke "$(serial_of a.pem)" 400000000000000000000000000000000000abcd --reason superseded --yes --json >out.json
    jq -e '.hit == 1 and .missing == 1' out.json
    within 1 ocsp_says a.pem revoked
}

@test "by fingerprint, key, network and subject" {
    issue a DNS:f.example.internal
    local fingerprint key
    fingerprint=$(openssl x509 -in a.pem -outform DER | sha256sum | cut -d' ' -f1)
    key=$(openssl x509 -in a.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
    found() { chancery cert list --json "$@" | jq -e --arg s "$(serial_of a.pem)" '[.certificates[].serial] == [$s]'; }
    found --fingerprint "$fingerprint"
    found --spki-sha256 "$key"
    found --subject CN=f.example.internal
    found --name dns:f.example.internal --template server --status valid
    chancery token create --template server --name 'ip:10.0.0.0/8' --out net 2>/dev/null
    TOKEN=net issue n IP:10.1.2.3
    chancery cert list --json --net 10.1.0.0/16 | jq -e --arg s "$(serial_of n.pem)" '[.certificates[].serial] == [$s]'
    chancery cert list --json --net 10.2.0.0/16 | jq -e '.certificates == []'
    run -1 chancery cert list --net 10.2.0.0/33
    matches "$output" 'network'
    chancery cert revoke --fingerprint "$fingerprint" --yes >/dev/null
    within 1 ocsp_says a.pem revoked
}

@test "a list as CSV and as lines of JSON has all of it, over pages" {
    local i
    for i in $(seq 1 5); do issue "c$i" "DNS:c$i.csv.example.internal"; done
    chancery cert list --under dns:csv.example.internal --all csv >list.csv
    same "$(head -1 list.csv | cut -d, -f1-3)" serial,issuer,status
    same "$(wc -l <list.csv)" 6
    grep -q "^$(serial_of c3.pem),issuing,valid," list.csv
    chancery cert list --under dns:csv.example.internal --all jsonl | jq -es 'length == 5 and all(.[]; .template == "server")'
    ask_admin -H 'Accept: application/x-ndjson' "/v1/certificates?under=dns:csv.example.internal&limit=2"
    expect 200
    same "$(wc -l <body)" 2
    [ -n "$(header X-Next-Cursor)" ]
}

@test "a requester reaches its own alone; an auditor's look is no revocation" {
    issue a DNS:own.example.internal
    chancery token create --template server --name '**.example.internal' --out other 2>/dev/null
    TOKEN=other issue b DNS:other.example.internal
    TOKEN=other ask_token -H 'Content-Type: application/json' -d '{"select":{"under":"dns:example.internal"}}' /v1/revocations
    expect 202
    local path
    path=$(header Location)
    finished() { TOKEN=other ask_token "$path" && [ "$(member .state)" = done ]; }
    within 5 finished
    same "$(member .hit)" 1
    ocsp_says a.pem good
    within 1 ocsp_says b.pem revoked
    ask_token "$path"
    expect_problem 404 not-found ''
}

@test "what cannot be: no choice, two choices, no condition, a wrong reason, a day to come, the roll for a requester" {
    local body
    for body in '{}' '{"select":{"name":"dns:a"},"serials":["400000000000000000000000000000000000abcd"]}' '{"select":{}}' '{"select":{"nam":"x"}}' \
        '{"serials":["xyz"]}' '{"select":{"name":"a"},"reason":"whim"}' '{"select":{"name":"dns:a"},"invalidity_date":"2999-01-01T00:00:00Z"}' \
        '{"sealed":{}}' '{"sealed":{"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}}'; do
        ask_admin -H 'Content-Type: application/json' -d "$body" /v1/revocations
        expect_problem 422 bad-field '' || { echo "for $body"; return 1; }
    done
    ask_token -H 'Content-Type: application/json' -d '{"sealed":{"since":"2026-01-01T00:00:00Z"}}' /v1/revocations
    expect_problem 403 forbidden ''
    ask_admin /v1/revocations/0123
    expect_problem 404 not-found ''
}

@test "no more than was looked at: it stops" {
    local i
    for i in 1 2 3; do issue "x$i" "DNS:x$i.stop.example.internal"; done
    ask_admin -H 'Content-Type: application/json' -d '{"select":{"under":"dns:stop.example.internal"},"at_most":2}' /v1/revocations
    local path
    path=$(header Location)
    stopped() { ask_admin "$path" && [ "$(member .state)" = stopped ]; }
    within 5 stopped
    same "$(member .hit)" 2
    matches "$(member .why)" 'more are chosen'
}

@test "slowly, and told to stop: what was revoked stands, asking again goes on" {
    local i path
    for i in 1 2 3 4 5 6; do issue "y$i" "DNS:y$i.slow.example.internal"; done
    ask_admin -H 'Content-Type: application/json' -d '{"select":{"under":"dns:slow.example.internal"},"per_second":2}' /v1/revocations
    path=$(header Location)
    some() { ask_admin "$path" && [ "$(member .hit)" -gt 0 ]; }
    within 5 some
    ask_admin -X DELETE "$path"
    same "$(member .state)" stopped
    [ "$(member .hit)" -lt 6 ]
    chancery cert revoke --under dns:slow.example.internal --yes --json | jq -e '.hit + .already == 6 and .already > 0'
}

@test "a CA's certificate is not among many" {
    chancery cert revoke --issuer root --dry-run --json | jq -e '.hit == 0 or (.templates | has("sub-ca") or has("root") | not)'
    chancery cert revoke --template sub-ca --yes --json | jq -e '.hit == 0 and .refused > 0'
    openssl ocsp -issuer "$CHANCERY_ROOT" -cert "$CHANCERY_ISSUER" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/root" 2>&1 | grep -q ': good'
}

# --- on hold ---

@test "a hold is seen, ends, and is good again in OCSP and gone from the CRL" {
    issue a DNS:hold.example.internal
    chancery cert revoke "$(serial_of a.pem)" --reason certificateHold >/dev/null
    within 1 ocsp_says a.pem revoked
    within 1 crl_has "$(serial_of a.pem)"
    chancery cert release "$(serial_of a.pem)" --why found | grep -q 'is on hold no more'
    within 1 ocsp_says a.pem good
    within 1 crl_lacks "$(serial_of a.pem)"
    chancery cert release "$(serial_of a.pem)" | grep -q 'was not on hold'
    ask_token -X POST "/v1/certificates/$(serial_of a.pem)/release"
    expect_problem 403 forbidden ''
    chancery cert revoke "$(serial_of a.pem)" --reason superseded >/dev/null
    run -1 chancery cert release "$(serial_of a.pem)"
    matches "$output" 'only certificateHold'
}

@test "the invalidity date stands in the CRL" {
    issue a DNS:inv.example.internal
    chancery cert revoke "$(serial_of a.pem)" --reason keyCompromise --invalidity-date 2026-01-02T03:04:05Z >/dev/null
    within 1 crl_has "$(serial_of a.pem)"
    grep -A8 -i "$(serial_of a.pem)" crl.text | grep -q 'Jan  2 03:04:05 2026'
}

@test "a key that was given up: its siblings are named, and nobody has it certified again" {
    issue a DNS:s1.example.internal
    cp a.key b.key
    issue b DNS:s2.example.internal
    ask_token -H 'Content-Type: application/json' -d '{"reason":"keyCompromise"}' "/v1/certificates/$(serial_of a.pem)/revoke"
    expect 200
    same "$(member '.siblings | join(" ")')" "$(serial_of b.pem)"
    run ! issue b DNS:s2.example.internal
    matches "$output" compromised
    chancery token create --template server --name '**.example.internal' --out other 2>/dev/null
    run ! env TOKEN=other bash -c '. "$CHANCERY_TOP/tests/lib/demo.bash"; issue b DNS:s2.example.internal'
}

# --- by the key ---

by_key() { # FILE REASON KEY-FILE; as ask
    ask -X POST /v1/nonces
    local nonce signature serial
    nonce=$(member .nonce) serial=$(serial_of "$1")
    printf 'chancery revoke by key\nissuer issuing\nserial %s\nreason %s\nnonce %s\n' "$serial" "$2" "$nonce" >text
    signature=$(openssl dgst -sha256 -sign "$3" text | base64 -w0)
    printf '{"issuer":"issuing","reason":"%s","nonce":"%s","signature":"%s"}' "$2" "$nonce" "$signature" >by_key.json
    ask -H 'Content-Type: application/json' -d @by_key.json "/v1/certificates/$serial/revoke-by-key"
}

@test "who holds the key revokes without any credentials; a nonce is good once" {
    issue a DNS:holder.example.internal
    by_key a.pem keyCompromise a.key
    expect 200
    same "$(member '.reason + " " + (.already | tostring)')" "keyCompromise false"
    within 1 ocsp_says a.pem revoked
    ask -H 'Content-Type: application/json' -d @by_key.json "/v1/certificates/$(serial_of a.pem)/revoke-by-key"
    expect_problem 422 bad-field 'used before' /nonce
    ask_token "/v1/certificates/$(serial_of a.pem)"
    same "$(member .status)" revoked
}

@test "another key, another reason, an old CSR and a made-up nonce prove nothing" {
    issue a DNS:holder2.example.internal
    key_make other.key P-256
    by_key a.pem keyCompromise other.key
    expect_problem 400 bad-signature '' /signature
    by_key a.pem superseded other.key
    sed -i 's/superseded/keyCompromise/' by_key.json
    ask -H 'Content-Type: application/json' -d @by_key.json "/v1/certificates/$(serial_of a.pem)/revoke-by-key"
    expect_problem 400 bad-signature '' /signature
    jq --arg csr "$(openssl req -in a.csr -outform DER | base64 -w0)" '.signature = ($csr[0:400])' by_key.json >csr.json
    ask -H 'Content-Type: application/json' -d @csr.json "/v1/certificates/$(serial_of a.pem)/revoke-by-key"
    expect_problem 400 bad-signature '' /signature || expect_problem 422 bad-field '' /signature
    jq '.nonce = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"' by_key.json >made.json
    ask -H 'Content-Type: application/json' -d @made.json "/v1/certificates/$(serial_of a.pem)/revoke-by-key"
    expect_problem 422 bad-field '' /nonce
    ocsp_says a.pem good
    chancery ledger log --json --from 1 --limit 1000 | jq -e '[.entries[] | select(.kind == "deny")] | length > 2'
}

# --- the house's own ---

@test "the front's own certificate: revoked, it is another within seconds" {
    served() { openssl s_client -connect "${CHANCERY_URL#https://}" -servername localhost </dev/null 2>/dev/null | openssl x509 -noout -serial; }
    local before serial
    before=$(served)
    serial=$(cut -d= -f2 <<<"$before" | tr 'A-F' 'a-f')
    chancery cert revoke "$serial" --reason superseded >/dev/null
    other() { [ "$(served)" != "$before" ]; }
    within 5 other
    ask_token "/v1/certificates?limit=1"
    expect 200
    demo_ready
}

# --- an incident ---

@test "incident: what was signed in a time, by the seal roll; shown, then revoked" {
    issue before DNS:before.example.internal
    sleep 1.1
    local since until
    since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    issue in1 DNS:in1.example.internal
    issue in2 DNS:in2.example.internal
    until=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    sleep 1.1
    issue after DNS:after.example.internal
    chancery incident --since "$since" --until "$until" --json >look.json
    jq -e '.dry_run and .hit == 2 and .strays == 0' look.json
    ocsp_says in1.pem good
    chancery incident --since "$since" --until "$until" --revoke --yes --per-second 50 --json | jq -e '.hit == 2 and .state == "done"'
    within 1 ocsp_says in1.pem revoked
    within 1 ocsp_says in2.pem revoked
    ocsp_says before.pem good
    ocsp_says after.pem good
}

@test "the books agree after all that" {
    chancery ledger verify --json >books || true
    jq -e '.ok' books || { cat books; false; }
}

@test "a restored ledger: what the roll alone knows is found by the incident, revoked and on the lists" {
    local dir=$BATS_TEST_TMPDIR/back since
    demo_start "$dir"
    issue known DNS:known.example.internal
    chancery ledger backup "$PWD/backup"
    sleep 1.1 # past the second in which the house sealed its own certificates: the responder's stays
    since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    issue lost DNS:lost.example.internal
    curl -sfo issuing.crl "$CHANCERY_HTTP_URL/crl/issuing.crl"
    curl -sfo root.crl "$CHANCERY_HTTP_URL/crl/root.crl"
    demo_stop "$dir"
    mv "$dir/ledger" ledger.lost
    mv "$dir/shelf" shelf.lost
    chancery ledger restore "$PWD/backup" --crl issuing.crl --crl root.crl
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" >>"$dir/log" 2>&1 3>&- & # waits for the loss to be accepted
    sed -i "s/^CHANCERY_PID=.*/CHANCERY_PID=$!/" "$dir/env"
    answers() { curl -s --max-time 2 --cacert "$CHANCERY_ROOT" -o /dev/null "$CHANCERY_URL/readyz"; }
    within 20 answers
    chancery incident --since "$since" --revoke --yes --json >out.json
    jq -e '.state == "done"' out.json
    within 2 ocsp_says lost.pem revoked
    within 2 crl_has "$(serial_of lost.pem)"
    chancery cert show "$(serial_of lost.pem)" | grep -q revoked
    demo_stop "$dir"
}
