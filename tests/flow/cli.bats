#!/usr/bin/env bats
# The commands: what they print for people and for programs, how they end, what they refuse; chanceryd's own options.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

commands() {
    printf '%s\n' init "cert request" "cert show" "cert list" "cert revoke" "cert release" incident "token create" "token list" "token revoke" "trust fetch" "trust install" "ca list" "ca show" "ca import" "ca create" "ca csr" "ca sign" "ca cross" "ca renew" "ca disable" "ca enable" "ca delete" "ca restore" ceremony "transcript verify" "transcript record" \
        "template list" "template show" "template explain" "template shipped" "template add" "template versions" "template diff" "template rollback" "acme account" "acme authz" "acme eab" "acme order" "acme why" "audit report" "cert tag" "ledger accept-loss" "ledger backup" "ledger check-backup" "ledger export" "ledger head" "ledger proof" "ledger restore" "ledger stat" "ledger verify" "ledger log" "config check" "clock confirm" doctor \
        "request new" "request list" "request show" "request approve" "request deny" "request execute" "freeze list" "roster show" "roster sign" "roster install" "hsm info" "hsm login" "hsm pin" freeze "shelf position" "shelf receive" "shelf send"
}

# Standard output is one JSON value; nothing else is printed there.
json() { # COMMAND...
    chancery "$@" --json >out.json 2>err.txt || { cat out.json err.txt; return 1; }
    jq -e . out.json >/dev/null
}

# --- help and usage ---

@test "every command has --help with an example, and exits 0" {
    local command
    while read -r command; do
        # shellcheck disable=SC2086
        run chancery $command --help
        [ "$status" -eq 0 ]
        matches "$output" "usage: chancery .*$command" || return 1
        matches "$output" $'example:\n  chancery ' || return 1
    done < <(commands)
}

@test "chancery --help lists every command" {
    run chancery --help
    [ "$status" -eq 0 ]
    local command
    while read -r command; do
        matches "$output" "$command" || return 1
    done < <(commands)
}

@test "every command that --help lists is among those tested here" {
    same "$(chancery --help | sed -n 's/^  \([a-z][a-z-]* [a-z][a-z-]*\) *  .*/\1/p; s/^  \([a-z]*\)   .*/\1/p' | sed 's/ *$//' | sort -u)" "$(commands | sort)"
}

@test "wrong usage ends with 2 and says what is wrong" {
    local wrong
    for wrong in "" "bogus" "cert" "cert bogus" "cert show" "cert show a b" "cert list --bogus" "cert revoke" "cert release" incident "cert request" "token create" \
        "token create --template server" "token revoke" "ca show" "template show" "template explain" "template explain server" "template versions" "template diff server" "template diff server server --replay x" "cert list --limit" "-c" "token create --template server --name a --uses x"; do
        # shellcheck disable=SC2086
        run chancery $wrong
        [ "$status" -eq 2 ] || { echo "'$wrong' ended with $status: $output"; return 1; }
        [ -n "$output" ]
    done
}

@test "what is refused ends with 1, and its reason goes to stderr" {
    run --separate-stderr chancery cert show 400000000000000000000000000000000000abcd
    [ "$status" -eq 1 ]
    same "$output" ""
    matches "$stderr" '^chancery: .*on record'
}

@test "with --json a refusal is a problem document on stdout" {
    run -1 --separate-stderr chancery cert show 400000000000000000000000000000000000abcd --json
    same "$(jq -r .type <<<"$output")" urn:chancery:error:not-found
    same "$(jq -r 'has("title") and has("detail") and has("retryable")' <<<"$output")" true
}

@test "without a daemon the online commands say so, and end with 1" {
    sed "s|^listen:|listen:\n  control: nothing.sock|" "$CHANCERY_CONFIG" >"$CHANCERY_DIR/x.yaml"
    run chancery -c "$CHANCERY_DIR/x.yaml" cert list
    rm "$CHANCERY_DIR/x.yaml"
    [ "$status" -eq 1 ]
    matches "$output" 'no daemon answers.*chanceryd'
}

@test "the configuration comes from -c, then CHANCERY_CONFIG, then /etc" {
    chancery -c "$CHANCERY_CONFIG" ca list
    env -u CHANCERY_CONFIG "$CHANCERY_BIN/chancery" -c "$CHANCERY_CONFIG" ca list
    CHANCERY_CONFIG=/nonexistent chancery -c "$CHANCERY_CONFIG" ca list
    CHANCERY_CONFIG=/nonexistent.yaml run -1 chancery ca list
    matches "$output" '/nonexistent\.yaml'
    [ -e /etc/chancery/chancery.yaml ] || {
        run -1 env -u CHANCERY_CONFIG "$CHANCERY_BIN/chancery" ca list
        matches "$output" '/etc/chancery/chancery\.yaml'
    }
}

# --- certificates ---

@test "cert request prints the chain; with --out it writes it and says the serial" {
    csr a DNS:a.example.internal
    chancery cert request --template server --csr a.csr >chain.pem
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted chain.pem chain.pem
    run chancery cert request --template server --csr a.csr --out out.pem
    [ "$status" -eq 0 ]
    matches "$output" "out.pem: serial $(serial_of out.pem), until 20"
    same "$(grep -c BEGIN out.pem)" 2
}

@test "cert request takes names, validity and issuer" {
    csr a DNS:a.example.internal
    json cert request --template server --csr a.csr --san dns:b.example.internal --san dns:c.example.internal --validity 1h --issuer issuing
    jq -r .certificate out.json >a.pem
    same "$(openssl x509 -in a.pem -noout -ext subjectAltName | tail -1 | tr -d ' ')" "DNS:b.example.internal,DNS:c.example.internal"
    [ "$(date -d "$(jq -r .not_after out.json)" +%s)" -le "$(($(date +%s) + 3600))" ]
    run -1 chancery cert request --template server --csr a.csr --issuer nothing
    run -1 chancery cert request --template server --csr missing.csr
    matches "$output" 'missing\.csr'
}

@test "cert show, for people and programs" {
    issue a DNS:a.example.internal
    run chancery cert show "$(serial_of a.pem)"
    matches "$output" "serial +$(serial_of a.pem)"
    matches "$output" 'status +valid'
    matches "$output" 'names +dns:a\.example\.internal'
    matches "$output" 'BEGIN CERTIFICATE'
    json cert show "$(serial_of a.pem)"
    same "$(jq -r '.serial + " " + .status + " " + .door' out.json)" "$(serial_of a.pem) valid rest"
}

@test "cert list, filtered and in pages" {
    issue a DNS:a.list.example.internal
    issue b DNS:b.list.example.internal
    run chancery cert list --under dns:list.example.internal
    [ "$status" -eq 0 ]
    same "${#lines[@]}" 3
    matches "${lines[0]}" '^SERIAL +STATUS'
    json cert list --name dns:a.list.example.internal
    same "$(jq -r '.certificates | map(.serial) | join(" ")' out.json)" "$(serial_of a.pem)"
    run chancery cert list --under dns:list.example.internal --limit 1
    matches "$output" 'more: --cursor'
    json cert list --under dns:list.example.internal --limit 1
    json cert list --under dns:list.example.internal --limit 1 --cursor "$(jq -r .next out.json)"
    same "$(jq -r '.certificates[0].serial' out.json)" "$(serial_of a.pem)"
}

@test "cert revoke, for people and programs" {
    issue a DNS:a.example.internal
    run chancery cert revoke "$(serial_of a.pem)" --reason=superseded
    matches "$output" "^$(serial_of a.pem) revoked at 20.*\(superseded\)$"
    json cert revoke "$(serial_of a.pem)"
    same "$(jq -r .already out.json)" true
    run -1 chancery cert revoke "$(serial_of a.pem)" --reason whim
    matches "$output" 'keyCompromise'
}

@test "a serial that would be a path is one serial" {
    run -1 chancery cert show '../../v1/log'
    run -1 chancery cert show 'x?y=z#a b'
    run -1 chancery cert show $'a\r\nX: y'
}

# --- tokens ---

@test "token create writes the token to a file of its own, 0600, and says its id" {
    run --separate-stderr chancery token create --template server --name '**.example.internal' --uses 3 --ttl 1h --label mine --out t
    [ "$status" -eq 0 ]
    same "$output" ""
    same "$(stat -c %a t)" 600
    matches "$stderr" 'token [0-9a-f]{8} until 20'
    TOKEN=t issue a DNS:a.example.internal
    chancery token list | grep -E '^[0-9a-f]{8} +valid +1 +3 +20.* mine '
}

@test "token create without --out prints the token alone to stdout" {
    run --separate-stderr chancery token create --template server --name '**.example.internal'
    matches "$output" '^[a-z]+_[A-Za-z0-9_-]+$'
    printf '%s\n' "$output" >t
    TOKEN=t issue a DNS:a.example.internal
}

@test "an existing file of others' reading becomes 0600 with the token" {
    echo old >t
    chmod 644 t
    chancery token create --template server --name '**.example.internal' --out t 2>/dev/null
    same "$(stat -c %a t)" 600
    matches "$(cat t)" '^[a-z]+_'
}

@test "tokens for what may not be granted are refused" {
    run -1 chancery token create --template self --name '**'
    run -1 chancery token create --template nothing --name '**'
    run -1 chancery token create --template server --name 'a..b'
    run -1 chancery token create --template server --name '*a.example.internal'
    run -1 chancery token create --template server --name a.example --ttl 0d
    run -1 chancery token create --template server --name a.example --uses -1
}

@test "token list never shows a token's text, token revoke ends it" {
    json token create --template server --name '**.example.internal' --label ending
    jq -r .token out.json >t
    json token list
    run ! grep -F "$(cat t)" out.json
    local id
    id=$(jq -r '.tokens[] | select(.label == "ending").id' out.json)
    matches "$id" '^[0-9a-f]{64}$'
    run chancery token revoke "${id:0:8}"
    [ "$status" -eq 0 ]
    matches "$output" "token ${id:0:8} revoked"
    TOKEN=t ask_token /v1/issuers
    expect_problem 401 unauthenticated 'revoked'
    run -1 chancery token revoke "00000000"
    run -1 chancery token revoke "${id:0:4}"
}

# --- what there is ---

@test "ca list and show" {
    run chancery ca list
    same "${#lines[@]}" 3
    json ca list
    same "$(jq -r '.issuers | map(.name) | sort | join(" ")' out.json)" "issuing root"
    chancery ca show issuing | sed -n '/BEGIN/,/END/p' | diff -B - "$CHANCERY_ISSUER"
    json ca show root
    same "$(jq -r .issues out.json)" false
    run -1 chancery ca show nothing
}

@test "template list and show: every effective value" {
    run chancery template list
    matches "$output" 'server .*no .*TLS server'
    json template list
    local t
    for t in server client device code-signing self ocsp-signing sub-ca admin; do
        jq -e --arg t "$t" '.templates | any(.name == $t)' out.json >/dev/null || { echo "$t"; return 1; }
    done
    json template show server
    same "$(jq -r '.name' out.json)" server
    same "$(jq -r '[.. | scalars | tostring | select(. == "398d")] | length > 0' out.json)" true
    run -1 chancery template show nothing
    matches "$output" "nothing"
}

@test "template shipped: what came with the program, each as its file" {
    json template shipped
    same "$(jq '[.templates[] | select(.name | startswith("aws/"))] | length' out.json)" 61
    jq -e '.templates | any(.name == "server") and any(.name == "short-lived")' out.json
    run chancery template shipped server
    cmp <(chancery template shipped server) "$CHANCERY_DIR/templates/server.yaml"
    run -1 chancery template shipped nothing
    matches "$output" "no template 'nothing' came with this program"
}

@test "template add: never over what is there, never what would not load" {
    run -1 chancery template add server
    matches "$output" "server.yaml is there already"
    cp "$CHANCERY_DIR/templates/server.yaml" server.yaml
    sed -i 's/^validity:/validty:/' "$CHANCERY_DIR/templates/server.yaml"
    run -1 chancery template add aws/EndEntityCertificate/V1
    cp server.yaml "$CHANCERY_DIR/templates/server.yaml"
    matches "$output" "server.yaml:[0-9]+:1: "
    run ! test -e "$CHANCERY_DIR/templates/endentitycertificate-v1.yaml"
    json template add aws/EndEntityCertificate/V1
    cmp <(chancery template shipped aws/EndEntityCertificate/V1) "$(jq -r .file out.json)"
    rm "$(jq -r .file out.json)"
}

@test "ledger log shows entries as they stand" {
    run chancery ledger log --limit 5
    same "${#lines[@]}" 6
    json ledger log --from 1 --limit 3
    same "$(jq -r '.entries | map(.entry) | join(" ")' out.json)" "1 2 3"
    jq -e '.entries | all(has("time") and has("kind") and has("actor") and (.leaf | test("^[0-9a-f]{64}$")))' out.json
    same "$(jq -r .next out.json)" 4
}

@test "doctor says what is unsafe in plain words, and ends with 0 where nothing is bad" {
    run chancery doctor
    [ "$status" -eq 0 ]
    matches "$output" 'demo'
    matches "$output" 'PIN file is its owner'
    json doctor
    same "$(jq -r .ok out.json)" true
    jq -e '.findings | length > 5 and all(.level == "ok" or .level == "warn")' out.json
}

@test "doctor finds what others can read, and ends with 1" {
    chmod 644 "$CHANCERY_DIR/secret/pin"
    run chancery doctor
    chmod 600 "$CHANCERY_DIR/secret/pin"
    [ "$status" -eq 1 ]
    matches "$output" 'bad +the PIN file .*can be read by others'
    matches "$output" 'chmod go= '
}

@test "clock confirm answers with the time" {
    run chancery clock confirm
    [ "$status" -eq 0 ]
    matches "$output" "it is 20"
    json clock confirm
}

# --- the books, on copies too ---

@test "ledger verify: the books agree, both counts are printed" {
    run chancery ledger verify
    [ "$status" -eq 0 ]
    matches "$output" 'ledger: [0-9]+ entries, root [0-9a-f]{64}'
    matches "$output" 'roll: +[0-9]+ seals'
    matches "$output" 'recorded [0-9]+ <= sealed [0-9]+ <= recorded \+ closed [0-9]+'
    matches "$output" 'the books agree'
    json ledger verify
    same "$(jq -r '.ok and .findings == [] and .records <= .seals_cert and .seals_cert <= .records + .closed' out.json)" true
}

copy_books() {
    rm -rf copy
    mkdir -p copy/ledger
    mdb_copy "$CHANCERY_DIR/ledger" copy/ledger
    cp "$CHANCERY_DIR/roll/roll.der" copy/roll.der
}

# copy/roll.der from ./roll, its entries (DER, the first is a header) changed by a line of Python on the list e.
edit_roll() { # CODE
    python3 - "$1" <<'PY'
import sys
d = open("roll", "rb").read()
e, at = [], 0
while at < len(d):
    n, k = d[at + 1], 2
    if n & 0x80:
        k = 2 + (n & 0x7f)
        n = int.from_bytes(d[at + 2:at + k], "big")
    e.append(d[at:at + k + n])
    at += k + n
exec(sys.argv[1])
open("copy/roll.der", "wb").write(b"".join(e))
PY
}

@test "ledger verify of a copy, without a daemon" {
    copy_books
    run chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    [ "$status" -eq 0 ]
    matches "$output" 'the books agree'
}

@test "ledger verify finds a ledger of which one letter was changed" {
    issue a DNS:findme.example.internal
    copy_books
    python3 - <<'PY'
data = bytearray(open("copy/ledger/data.mdb", "rb").read())
at, n = 0, 0
while (at := data.find(b"findme", at)) >= 0:
    data[at] ^= 1
    n += 1
    at += 6
assert n
open("copy/ledger/data.mdb", "wb").write(data)
PY
    run chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    [ "$status" -eq 1 ]
    matches "$output" 'entry [0-9]+: '
}

@test "ledger verify finds each letter of an entry, wherever it is changed" {
    issue a DNS:every.example.internal
    copy_books
    cp copy/ledger/data.mdb whole
    local at n=0
    for at in $(grep -abo every whole | cut -d: -f1); do
        cp whole copy/ledger/data.mdb
        printf 'E' | dd of=copy/ledger/data.mdb bs=1 seek="$at" conv=notrunc status=none
        n=$((n + 1))
        run chancery ledger verify --ledger copy/ledger --roll copy/roll.der
        [ "$status" -eq 1 ] || free_page "$at" || { echo "changed at $at, not found: $output"; return 1; }
    done
    [ "$n" -ge 3 ] # entry, tbs, index
}

# Is this offset of ./whole on a page that LMDB does not use any more? Then a fresh copy has the text nowhere there.
free_page() { # OFFSET
    mdb_copy -c copy/ledger compact.d 2>/dev/null || { mkdir -p compact.d && mdb_copy -c copy/ledger compact.d; }
    ! grep -aq Every compact.d/data.mdb
}

@test "ledger verify finds a roll of which an octet was changed" {
    copy_books
    cp copy/roll.der roll
    local i size
    size=$(stat -c %s roll)
    for i in 1 2 3 4 5 6 7 8 9; do
        python3 -c "
d = bytearray(open('roll', 'rb').read())
d[$size * $i // 10] ^= 1
open('copy/roll.der', 'wb').write(d)"
        run chancery ledger verify --ledger copy/ledger --roll copy/roll.der
        [ "$status" -eq 1 ] || { echo "changed at $i tenths: $output"; return 1; }
    done
}

@test "ledger verify finds a roll without its last entry, without one in between, with two in another order, without any" {
    issue a DNS:a.example.internal
    copy_books
    cp copy/roll.der roll
    edit_roll 'pass'
    chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    edit_roll 'e.pop()'
    run -1 chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    matches "$output" 'NOT agree|roll'
    edit_roll 'e.pop(len(e) // 2)'
    run -1 chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    edit_roll 'e[3], e[4] = e[4], e[3]'
    run -1 chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    edit_roll 'del e[1:]'
    run -1 chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    : >copy/roll.der
    run -1 chancery ledger verify --ledger copy/ledger --roll copy/roll.der
    run -1 chancery ledger verify --ledger copy/ledger --roll missing
    run -1 chancery ledger verify --ledger missing --roll roll
}

@test "ledger verify finds an older ledger beside a newer roll, and a newer beside an older" {
    copy_books
    mv copy older
    issue a DNS:a.example.internal
    copy_books
    run -1 chancery ledger verify --ledger older/ledger --roll copy/roll.der
    run chancery ledger verify --ledger copy/ledger --roll older/roll.der --json
    [ "$status" -eq 1 ] || [ "$(jq .newer <<<"$output")" -ge 1 ] # what came after is told apart from what is wrong
}

# --- configurations ---

@test "config check of the demo's own" {
    run chancery config check
    [ "$status" -eq 0 ]
    matches "$output" '2 issuers, [0-9]+ templates, 4 on the roster'
    json config check "$CHANCERY_CONFIG"
    same "$(jq -r .ok out.json)" true
    env -u CHANCERY_CONFIG "$CHANCERY_BIN/chancery" config check "$CHANCERY_CONFIG"
}

# A copy of the configuration and what it names, changed by a sed expression on chancery.yaml.
broken() { # REGEX SED
    rm -rf conf
    mkdir conf
    cp -r "$CHANCERY_DIR"/{chancery.yaml,templates,issuers,roster.yaml,softhsm2.conf,secret} conf/
    sed -i "$2" conf/chancery.yaml
    run chancery config check conf/chancery.yaml
    [ "$status" -eq 1 ] || { echo "ended with $status: $output"; return 1; }
    matches "$output" "$1" || { echo "for: $2"; return 1; }
}

@test "config check names file, line and what was meant" {
    broken 'chancery\.yaml:3:1:.*public_url' 's/^public_url:/public_ulr:/'
    broken 'chancery\.yaml:[0-9]+:.*demo' 's/^demo: true/demo: yes please/'
    broken 'chancery\.yaml:[0-9]+:.*http' 's|^public_url: http:|public_url: https:|'
    broken 'chancery\.yaml:[0-9]+:.*ADDRESS' 's/"127.0.0.1:/"localhost:/'
    broken 'chancery\.yaml:[0-9]+:.*loopback' 's/"127.0.0.1:/"0.0.0.0:/'
    broken 'chancery\.yaml:[0-9]+:.*pkcs11' 's/uri: pkcs11:token=chancery/uri: file:x/'
    broken 'chancery\.yaml:[0-9]+:.*issue: true' 's/^  - name: issuing/  - name: issuing\n    issue: false/'
    broken 'chancery\.yaml:[0-9]+:.*second issuer' 's/^  - name: issuing/  - name: root/'
    broken 'chancery\.yaml:[0-9]+:.*LD_PRELOAD' 's/env: {/env: {LD_PRELOAD: x, /'
    broken 'chancery\.yaml:[0-9]+:[0-9]*:?.*YAML' '1i\	x: ['
    broken 'chancery\.yaml:[0-9]+' '1i demo: true'
}

@test "config check looks into templates and roster" {
    mkdir conf
    cp -r "$CHANCERY_DIR"/{chancery.yaml,templates,issuers,roster.yaml,softhsm2.conf,secret} conf/
    sed -i 's/^validity:/validty:/' conf/templates/server.yaml
    run -1 chancery config check conf/chancery.yaml
    matches "$output" 'templates/server\.yaml:[0-9]+:[0-9]+.*validty.*validity'
    cp "$CHANCERY_DIR/templates/server.yaml" conf/templates/
    sed -i 's/backdate: 5m/backdate: 500d/' conf/templates/server.yaml
    run -1 chancery config check conf/chancery.yaml
    matches "$output" 'templates/server\.yaml:[0-9]+:[0-9]+.*backdate'
    cp "$CHANCERY_DIR/templates/server.yaml" conf/templates/
    sed -i 's/\(spki_sha256: "\)..../\1zzzz/' conf/roster.yaml
    run -1 chancery config check conf/chancery.yaml
    matches "$output" 'roster\.yaml:[0-9]+'
    rm conf/roster.yaml
    run -1 chancery config check conf/chancery.yaml
    matches "$output" 'roster\.yaml'
}

@test "config check names a file that is not there" {
    run -1 chancery config check nothing.yaml
    matches "$output" 'nothing\.yaml'
}

@test "init refuses a folder that holds an installation, and beside a running vault" {
    run -1 chancery init --demo "$CHANCERY_DIR"
    matches "$output" 'holds an installation already'
    SUBJECT=/CN=me csr me
    run -1 chancery -c "$CHANCERY_CONFIG" init --admin-csr me.csr
    matches "$output" 'exist|running|already'
    demo_ready
}

@test "init --admin-csr takes an administrator's own key and prints the roster's hash" {
    KEY=P-384 SUBJECT=/CN=maria csr maria
    read -r a b < <(demo_ports 2)
    run chancery init --demo demo --port "$a" --http-port "$b" --admin-csr maria.csr --admin-name maria --organization 'Example GmbH'
    [ "$status" -eq 0 ]
    local hash
    hash=$(grep -oE '[0-9a-f]{64}$' <<<"$output" | head -1)
    [ ! -e demo/admin.key ]
    same "$(openssl x509 -in demo/maria.crt -noout -pubkey)" "$(openssl pkey -in maria.key -pubout)"
    grep -q "$(openssl pkey -in maria.key -pubout -outform DER | sha256sum | cut -d' ' -f1)" demo/roster.yaml
    openssl x509 -in demo/issuers/root.pem -noout -subject | grep -q 'Example GmbH'
    run chancery -c demo/chancery.yaml ledger verify
    [ "$status" -eq 0 ]
    "$CHANCERY_BIN/chanceryd" -c demo/chancery.yaml --check
    demo_start "$PWD/demo"
    demo_stop "$PWD/demo"
    grep -q "roster.pinned sha256=\"$hash\"" demo/log # the vault pins the same
}

@test "init that is refused leaves nothing behind" {
    run -1 chancery init --demo demo --admin-csr missing.csr
    [ ! -e demo ] || [ -z "$(ls -A demo)" ]
    echo no >bad.csr
    run -1 chancery init --demo demo --admin-csr bad.csr
    [ ! -e demo ] || [ -z "$(ls -A demo)" ]
}

# --- chanceryd ---

@test "chanceryd --help, --keys, --version; wrong usage ends with 2" {
    run "$CHANCERY_BIN/chanceryd" --help
    [ "$status" -eq 0 ]
    matches "$output" 'example:'
    run "$CHANCERY_BIN/chanceryd" --keys
    [ "$status" -eq 0 ]
    matches "$output" 'pin_file'
    "$CHANCERY_BIN/chanceryd" --version
    run -2 "$CHANCERY_BIN/chanceryd"
    run -2 "$CHANCERY_BIN/chanceryd" --bogus
    run -2 "$CHANCERY_BIN/chanceryd" -c x y
    run -1 "$CHANCERY_BIN/chanceryd" -c nothing.yaml
    matches "$output" 'nothing\.yaml'
}

@test "chanceryd --check beside a running daemon says that it cannot try the PIN" {
    run "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" --check
    matches "$output" 'PIN|lock|running'
    demo_ready
}

@test "a second chanceryd on the same folder ends, and harms nothing" {
    run -1 timeout 20 "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG"
    demo_ready
    same "$(cat "$CHANCERY_DIR/run/pid")" "$CHANCERY_PID"
}

@test "the log goes to stderr, text or json, ts level proc req event first" {
    matches "$(head -1 "$CHANCERY_DIR/log")" '^20[0-9-]+T[0-9:.]+Z (debug|info|warn|error) [a-z]+ [^ ]+ [a-z.-]+'
    run ! grep -F "$(cat "$CHANCERY_TOKEN_FILE")" "$CHANCERY_DIR/log"
    run ! grep -F "$(cat "$CHANCERY_DIR/secret/pin")" "$CHANCERY_DIR/log"
}
