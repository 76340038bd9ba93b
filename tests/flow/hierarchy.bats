#!/usr/bin/env bats
# A hierarchy of three levels: the root offline, made by a ceremony that was rehearsed before; policy and issuing CA in the
# online token. Requests and answers travel as files.

load ../lib/demo

setup_file() {
    export CHANCERY_BIN="$CHANCERY_BUILD/release/bin"
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir offline online
    read -r PORT HTTP_PORT < <(demo_ports 2)
    export PORT HTTP_PORT CHANCERY_CONFIG="$BATS_FILE_TMPDIR/online/chancery.yaml"
}

teardown_file() {
    local pid
    pid=$(cat "$BATS_FILE_TMPDIR/pid" 2>/dev/null) || return 0
    kill "$pid" && within 30 process_gone "$pid"
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

make_token() { # FOLDER LABEL
    mkdir -m 0700 "$1/token"
    printf 'directories.tokendir = %s/token\nobjectstore.backend = file\nlog.level = ERROR\n' "$PWD/$1" >"$1/softhsm2.conf"
    (umask 077 && printf 1234 >"$1/pin")
    SOFTHSM2_CONF=$PWD/$1/softhsm2.conf softhsm2-util --init-token --free --label "$2" --so-pin 5678 --pin 1234 >/dev/null
}

head_of() { # TITLE FOLDER LABEL
    cat <<EOF
ceremony: $1
participants: [{name: Maria Weber, role: administrator}, {name: Jo Lang, role: witness}]
public_url: http://localhost:$HTTP_PORT
books: .
transcript: ${1%% *}.jsonl
token: {name: $3, module: /usr/lib/softhsm/libsofthsm2.so, uri: "pkcs11:token=$3", pin_file: pin, env: {SOFTHSM2_CONF: $PWD/$2/softhsm2.conf}, writes: [token]}
steps:
EOF
}

@test "the online side asks for its policy CA" {
    make_token online main
    {
        head_of "request of the policy CA" online main
        cat <<'EOF'
  - key: {name: policy, kind: rsa-3072}
  - csr: {name: policy, subject: "CN=Example Policy CA,O=Example", out: policy.csr}
EOF
    } >online/request.yaml
    run -0 chancery ceremony online/request.yaml
    openssl req -in online/policy.csr -noout -verify
}

@test "the root is rehearsed, then made, and signs what was asked for" {
    local hash
    cp online/policy.csr offline/
    hash=$(sha256sum <online/policy.csr | cut -d' ' -f1)
    {
        head_of "root of Example" offline root
        cat <<EOF
  - say: {text: The machine has no network, by: [Maria Weber, Jo Lang]}
  - key: {name: root, kind: ec-p384}
  - root: {name: root, template: root-offline, subject: "CN=Example Root CA,O=Example", out: root.pem}
  - sign: {issuer: root, template: sub-ca-policy, csr: policy.csr, sha256: "$hash", out: policy.pem, by: [Maria Weber]}
  - crl: {issuer: root, lifetime: 180d, out: root.crl}
EOF
    } >offline/root.yaml
    run -0 chancery ceremony --rehearse offline/rehearsal offline/root.yaml
    [ -e offline/rehearsal/policy.pem ] && [ ! -e offline/policy.pem ]
    make_token offline root
    run -0 chancery ceremony offline/root.yaml < <(printf 'yes\nyes\nyes\n')
    # the same steps, and other keys
    diff <(jq -r .step offline/rehearsal/root.jsonl) <(jq -r .step offline/root.jsonl)
    ! cmp -s offline/rehearsal/root.pem offline/root.pem
    openssl verify -CAfile offline/root.pem offline/policy.pem
}

@test "the online side takes its policy CA in and makes an issuing CA below it" {
    cp offline/root.pem offline/policy.pem offline/root.crl online/
    {
        head_of "issuing CA" online main
        cat <<'EOF'
  - import: {name: policy, certificate: policy.pem, chain: [root.pem]}
  - key: {name: issuing}
  - subordinate: {name: issuing, issuer: policy, subject: "CN=Example Issuing CA,O=Example", out: issuing.pem}
EOF
    } >online/issuing.yaml
    run -0 chancery ceremony online/issuing.yaml
    openssl verify -CAfile online/root.pem -untrusted online/policy.pem online/issuing.pem
}

configuration() {
    cat <<EOF
demo: true
public_url: http://localhost:$HTTP_PORT
https_url: https://localhost:$PORT
names: [localhost]
listen: {https: ["127.0.0.1:$PORT"], http: ["127.0.0.1:$HTTP_PORT"]}
tokens:
  - name: main
    module: /usr/lib/softhsm/libsofthsm2.so
    uri: pkcs11:token=main
    pin_file: pin
    env: {SOFTHSM2_CONF: $PWD/online/softhsm2.conf}
    reads: [softhsm2.conf]
    writes: [token]
issuers:
  - {name: root, certificate: root.pem, issue: false, crl: {file: root.crl}}
  - {name: policy, key: "pkcs11:object=policy", certificate: policy.pem, issue: false, crl: {every: 1d, lifetime: 30d}}
  - {name: issuing, key: "pkcs11:object=issuing", certificate: issuing.pem}
EOF
}

@test "three issuers serve in one daemon, the root without its key" {
    local id
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out admin.key 2>/dev/null
    id=$(openssl pkey -in admin.key -pubout -outform DER | sha256sum | cut -d' ' -f1)
    printf 'quorum: 1\nroster:\n  - {name: maria, role: admin, spki_sha256: "%s"}\n' "$id" >online/roster.yaml
    configuration >"$CHANCERY_CONFIG"
    for t in self ocsp-signing server client device; do
        mkdir -p online/templates
        cp "$CHANCERY_TOP/templates/builtin/$t.yaml" online/templates/
    done
    run "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" --check
    [ "$status" = 0 ] || { echo "$output"; false; }
    "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" >log 2>&1 3>&- &
    echo $! >pid
    ready() { chancery --json doctor >doctor.json 2>/dev/null; curl -sf --cacert online/root.pem "https://localhost:$PORT/readyz" | jq -e '[.probes[].ok] | all'; }
    within 30 ready || { cat log; curl -s --cacert online/root.pem "https://localhost:$PORT/readyz"; false; }
    [ "$(chancery --json ca list | jq -r '.issuers | length')" = 3 ]
}

@test "a client that trusts the root alone gets a chain of three, and lists for all of it" {
    csr leaf DNS:web.example.internal
    chancery token create --template server --name '**.example.internal' --out leaf.token
    printf 'Authorization: Bearer %s\n' "$(cat leaf.token)" | curl -sS --fail-with-body --cacert online/root.pem -H @- -H 'Content-Type: application/pkcs10' \
        -H 'Accept: application/pem-certificate-chain' --data-binary @leaf.csr -o leaf.pem "https://localhost:$PORT/v1/certificates?template=server"
    [ "$(grep -c 'BEGIN CERTIFICATE' leaf.pem)" = 3 ]
    openssl verify -CAfile online/root.pem -untrusted leaf.pem leaf.pem
    curl -sf "http://localhost:$HTTP_PORT/crl/issuing-chain.pem" >lists.pem
    [ "$(grep -c 'BEGIN X509 CRL' lists.pem)" = 3 ]
    openssl verify -CAfile online/root.pem -untrusted leaf.pem -crl_check_all -CRLfile lists.pem leaf.pem
    curl -sf "http://localhost:$HTTP_PORT/crl/root.crl" | cmp - offline/root.crl
    curl -sf "http://localhost:$HTTP_PORT/roots.pem" | cmp - offline/root.pem
}

@test "revoked, OCSP and the list of the chain say so" {
    chancery cert revoke "$(serial_of leaf.pem)" --reason superseded
    says_revoked() { openssl ocsp -issuer online/issuing.pem -cert leaf.pem -CAfile online/root.pem -verify_other online/policy.pem -url "http://localhost:$HTTP_PORT/ocsp/issuing" 2>&1 | grep -q 'leaf.pem: revoked'; }
    within 5 says_revoked
    listed() {
        curl -sf "http://localhost:$HTTP_PORT/crl/issuing-chain.pem" >lists.pem
        ! openssl verify -CAfile online/root.pem -untrusted leaf.pem -crl_check_all -CRLfile lists.pem leaf.pem 2>/dev/null
    }
    within 5 listed
}

@test "the offline root's next list comes in as a file, with a reload" {
    {
        head_of "list of the half year" offline root
        echo '  - crl: {issuer: root, out: root-2.crl}'
        echo 'issuers: [{name: root, certificate: root.pem}]'
    } >offline/list.yaml
    chancery ceremony offline/list.yaml
    cp offline/root-2.crl online/root.crl
    kill -HUP "$(cat pid)"
    newer() { curl -sf "http://localhost:$HTTP_PORT/crl/root.crl" | cmp -s - offline/root-2.crl; }
    within 10 newer
    # another CA's list is refused whole, and what was there stays
    curl -sf "http://localhost:$HTTP_PORT/crl/policy.crl" >online/root.crl
    kill -HUP "$(cat pid)"
    refused() { grep -q "another issuer's" log; }
    within 10 refused
    newer
    cp offline/root-2.crl online/root.crl
}

@test "an import is checked, and comes into the configuration behind the others" {
    cp online/policy.csr . && cp "$CHANCERY_CONFIG" before.yaml
    run -1 chancery ca import other online/issuing.pem --csr policy.csr --chain online/policy.pem --chain online/root.pem
    [[ "$output" == *"for another key"* ]]
    run -1 chancery ca import other online/policy.pem --csr policy.csr --chain online/issuing.pem
    [[ "$output" == *"certificate 1 above it"* ]]
    cmp before.yaml "$CHANCERY_CONFIG"
    run -0 chancery ca import other online/policy.pem --csr policy.csr --chain online/root.pem --no-issue
    [[ "$output" == *"issuers line by line"* ]] || tail -5 "$CHANCERY_CONFIG" | grep -q "name: other"
    cp before.yaml "$CHANCERY_CONFIG"
    rm -f online/issuers/other.pem
}

@test "the offline transcripts come into the online ledger, and the books agree on both sides" {
    chancery --json transcript record offline/root.jsonl | jq -e '.complete and (.rehearsal | not)'
    chancery --json transcript record offline/rehearsal/root.jsonl | jq -e '.rehearsal'
    sed '3s/"root"/"toor"/' offline/root.jsonl >changed.jsonl
    run -1 chancery transcript record changed.jsonl
    [[ "$output" == *"line 4"* ]]
    [ "$(chancery --json ledger log --limit 1000 | jq '[.entries[] | select(.kind == "transcript" and .door != "ceremony")] | length')" = 2 ]
    chancery ledger verify | grep -q 'the books agree'
    chancery ledger verify --ledger offline/ledger --roll offline/roll/roll.der | grep -q 'the books agree'
}
