#!/usr/bin/env bats
# deploy/quickstart: from nothing to a running authority and a first certificate; run again, stopped, refused.

load ../lib/demo
load ../lib/ask

setup_file() {
    local port http_port began=$EPOCHSECONDS
    export DIR=$BATS_FILE_TMPDIR/demo
    read -r port http_port < <(demo_ports 2)
    export PORT=$port HTTP_PORT=$http_port
    quickstart --port "$PORT" --http-port "$HTTP_PORT" "$DIR" >"$DIR.out" 2>"$DIR.err" || { cat "$DIR.err"; return 1; }
    export TOOK=$((EPOCHSECONDS - began))
    demo_env "$DIR"
}

teardown_file() { demo_stop "$DIR"; }

quickstart() { "$CHANCERY_TOP/deploy/quickstart" --no-install --build-dir "$CHANCERY_BUILD/release" "$@" 3>&-; }

@test "it ends within 2 minutes and its progress goes to stderr" {
    [ "$TOOK" -lt 120 ]
    [ ! -s "$DIR.out" ]
    [ -s "$DIR.err" ]
}

@test "it says that chain, OCSP and CRLs hold, and what to try next" {
    grep -qF "$DIR/first/chain.pem: OK" "$DIR.err"
    grep -qF "Response verify OK" "$DIR.err"
    grep -qF "$DIR/first/chain.pem: good" "$DIR.err"
    grep -qF "CRLs of the whole chain: OK" "$DIR.err"
    grep -qF "Try next" "$DIR.err"
}

@test "what it says to try next can be tried" {
    set -a
    . "$DIR/env"
    set +a
    curl -sf --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz"
    sed -n 's/^  \(\$CHANCERY_BIN\/chancery \)/\1/p' "$DIR.err" >"$BATS_TEST_TMPDIR/lines"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/lines")" -ge 3 ]
    while read -r line; do
        eval "$line" || { echo "failed: $line"; return 1; }
    done <"$BATS_TEST_TMPDIR/lines"
}

@test "env holds every name, as plain lines" {
    local name
    for name in CHANCERY_DIR CHANCERY_CONFIG CHANCERY_PID CHANCERY_BIN CHANCERY_URL CHANCERY_HTTP_URL CHANCERY_ROOT CHANCERY_ISSUER \
        CHANCERY_TOKEN_FILE CHANCERY_ADMIN_CERT CHANCERY_ADMIN_KEY; do
        [ "$(grep -c "^$name=." "$DIR/env")" -eq 1 ] || { echo "$name: $(grep "^$name" "$DIR/env")"; return 1; }
    done
    run ! grep -vE '^[A-Z_]+=[^ ]+$' "$DIR/env"
    same "$CHANCERY_URL" "https://localhost:$PORT"
    same "$CHANCERY_HTTP_URL" "http://localhost:$HTTP_PORT"
    same "$CHANCERY_DIR" "$(realpath "$DIR")"
    [ -x "$CHANCERY_BIN/chanceryd" ]
    [ -x "$CHANCERY_BIN/chancery" ]
}

@test "the process id is the warden's" {
    [ "$(pgrep -P "$CHANCERY_PID" | wc -l)" -eq 4 ]
    same "$(cat "$DIR/run/pid")" "$CHANCERY_PID"
}

@test "root and issuing CA are what env says, and the root alone is trusted" {
    openssl verify -CAfile "$CHANCERY_ROOT" "$CHANCERY_ROOT"
    openssl verify -CAfile "$CHANCERY_ROOT" "$CHANCERY_ISSUER"
    run ! openssl verify -CAfile "$CHANCERY_ISSUER" "$CHANCERY_ISSUER"
    openssl x509 -in "$CHANCERY_ISSUER" -noout -ext basicConstraints | grep -q 'CA:TRUE, pathlen:0'
}

@test "secrets can be read by their owner alone" {
    local file
    for file in "$CHANCERY_TOKEN_FILE" "$CHANCERY_ADMIN_KEY" "$DIR/secret/pin" "$DIR/front/tls.key"; do
        same "$(stat -c %a "$file")" 600
    done
    for file in secret token roll ledger front; do
        same "$(stat -c %a "$DIR/$file")" 700
    done
}

@test "the keys of the CAs are in the token, and no file holds one" {
    same "$(grep -rlE 'PRIVATE KEY' "$DIR" | xargs -n1 basename | sort | paste -sd' ')" "admin.key approver.key key.pem operator.key recovery.key tls.key"
    same "$(openssl pkey -in "$DIR/first/key.pem" -pubout)" "$(openssl x509 -in "$DIR/first/chain.pem" -noout -pubkey)"
}

@test "the token asks for server, client and device, names under example.internal and localhost, 30 days" {
    chancery token list --json >"$BATS_TEST_TMPDIR/tokens"
    jq -e '.tokens | length == 1' "$BATS_TEST_TMPDIR/tokens"
    same "$(jq -rc '.tokens[0].templates | sort' "$BATS_TEST_TMPDIR/tokens")" '["client","device","server"]'
    local hours=$((($(date -d "$(jq -r '.tokens[0].expires' "$BATS_TEST_TMPDIR/tokens")" +%s) - EPOCHSECONDS) / 3600))
    [ "$hours" -ge 717 ]
    [ "$hours" -le 720 ]
    issue "$BATS_TEST_TMPDIR/a" DNS:a.example.internal
    issue "$BATS_TEST_TMPDIR/b" DNS:a.deep.example.internal
    issue "$BATS_TEST_TMPDIR/c" DNS:localhost
    TEMPLATE=client issue "$BATS_TEST_TMPDIR/d" DNS:me.example.internal
    TEMPLATE=device issue "$BATS_TEST_TMPDIR/e" DNS:printer.example.internal
    csr "$BATS_TEST_TMPDIR/f" DNS:a.example.com
    ask_csr "$BATS_TEST_TMPDIR/f.csr"
    expect_problem 403 name-forbidden 'a\.example\.com'
}

@test "it listens on loopback alone, on IPv4 and IPv6" {
    local hex
    for hex in "$(printf %04X "$PORT")" "$(printf %04X "$HTTP_PORT")"; do
        same "$(awk -v p=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == p { print $2 }' /proc/net/tcp /proc/net/tcp6 | sort | paste -sd' ')" \
            "00000000000000000000000001000000:$hex 0100007F:$hex"
    done
    curl -sf --cacert "$CHANCERY_ROOT" "https://127.0.0.1:$PORT/healthz"
    curl -sf --cacert "$CHANCERY_ROOT" "https://[::1]:$PORT/healthz"
}

@test "run again, it makes nothing twice" {
    local before after
    before=$(cd "$DIR" && cat env issuers/*.pem admin.crt token.txt roster.yaml first/chain.pem secret/pin front/tls.pem; entries)
    run --separate-stderr quickstart --port "$PORT" --http-port "$HTTP_PORT" "$DIR"
    [ "$status" -eq 0 ]
    matches "$stderr" 'runs already'
    after=$(cd "$DIR" && cat env issuers/*.pem admin.crt token.txt roster.yaml first/chain.pem secret/pin front/tls.pem; entries)
    same "$after" "$before"
}

@test "a second demo stands beside it" {
    local a b
    read -r a b < <(demo_ports 2)
    quickstart --port "$a" --http-port "$b" "$DIR-2"
    (
        demo_env "$DIR-2"
        issue "$BATS_TEST_TMPDIR/a" DNS:a.example.internal
        openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$BATS_TEST_TMPDIR/a.pem"
    )
    run ! openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$BATS_TEST_TMPDIR/a.pem"
    demo_ready
    quickstart --stop "$DIR-2"
    demo_ready
}

@test "a folder with something else in it is refused and left as it is" {
    local a b
    read -r a b < <(demo_ports 2)
    mkdir "$BATS_TEST_TMPDIR/mine"
    echo mine >"$BATS_TEST_TMPDIR/mine/file"
    run quickstart --port "$a" --http-port "$b" "$BATS_TEST_TMPDIR/mine"
    [ "$status" -eq 1 ]
    matches "$output" 'not empty'
    same "$(ls "$BATS_TEST_TMPDIR/mine")" file
}

@test "a file in the folder's place is refused" {
    local a b
    read -r a b < <(demo_ports 2)
    echo mine >"$BATS_TEST_TMPDIR/mine"
    run quickstart --port "$a" --http-port "$b" "$BATS_TEST_TMPDIR/mine"
    [ "$status" -eq 1 ]
    same "$(cat "$BATS_TEST_TMPDIR/mine")" mine
}

@test "a port that is taken is named, before anything is made" {
    local free
    read -r free < <(demo_ports 1)
    run quickstart --port "$PORT" --http-port "$free" "$BATS_TEST_TMPDIR/late"
    [ "$status" -ne 0 ]
    matches "$output" "$PORT"
    [ ! -e "$BATS_TEST_TMPDIR/late" ]
}

@test "other ports for a folder that has its own are refused" {
    local a b
    read -r a b < <(demo_ports 2)
    run quickstart --port "$a" --http-port "$b" "$DIR"
    [ "$status" -ne 0 ]
    matches "$output" "$PORT"
    demo_ready
}

@test "wrong options end with 2 and make nothing" {
    local wrong
    for wrong in "--port x" "--port 0" "--port 65536" "--port" "--http-port -1" "--build-dir" "--bogus" "one two" "--port 8443x"; do
        # shellcheck disable=SC2086
        (cd "$BATS_TEST_TMPDIR" && run -2 quickstart $wrong)
    done
    [ ! -e "$BATS_TEST_TMPDIR/chancery-demo" ]
    [ ! -e "$BATS_TEST_TMPDIR/one" ]
}

@test "--help has every option and an example" {
    run quickstart --help
    [ "$status" -eq 0 ]
    local word
    for word in --port --http-port --stop --no-install --build-dir example; do
        matches "$output" "$word"
    done
}

@test "a folder whose name a shell or YAML would misread is refused, or serves" {
    local a b dir=$BATS_TEST_TMPDIR/'with space, and #'
    read -r a b < <(demo_ports 2)
    if quickstart --port "$a" --http-port "$b" "$dir" 2>"$BATS_TEST_TMPDIR/err"; then
        (
            demo_env "$dir"
            demo_ready
        )
        quickstart --stop "$dir"
    else
        grep -qi folder "$BATS_TEST_TMPDIR/err"
        [ ! -e "$dir" ]
    fi
}

@test "demo settings on another address are refused at start" {
    sed "s/\"127.0.0.1:$PORT\"/\"0.0.0.0:$PORT\"/" "$CHANCERY_CONFIG" >"$DIR/open.yaml"
    run "$CHANCERY_BIN/chanceryd" -c "$DIR/open.yaml"
    rm "$DIR/open.yaml"
    [ "$status" -eq 1 ]
    matches "$output" 'open.yaml:[0-9]+.*0\.0\.0\.0:'"$PORT"'.*loopback'
}

@test "--stop stops it, and again says that nothing runs" {
    local pid=$CHANCERY_PID
    run quickstart --stop "$DIR"
    [ "$status" -eq 0 ]
    process_gone "$pid"
    run quickstart --stop "$DIR"
    [ "$status" -eq 0 ]
    matches "$output" 'nothing runs'
}

@test "run after a stop, it starts what is there, with the same root, token and certificates" {
    local root serial
    root=$(cat "$CHANCERY_ROOT")
    serial=$(serial_of "$DIR/first/chain.pem")
    quickstart "$DIR"
    demo_env "$DIR"
    demo_ready
    same "$(cat "$CHANCERY_ROOT")" "$root"
    ask_admin "/v1/certificates/$serial"
    expect 200
    issue "$BATS_TEST_TMPDIR/a" DNS:a.example.internal
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$BATS_TEST_TMPDIR/a.pem"
}
