#!/usr/bin/env bats
# Who may ask for what: bearer tokens, client certificates of this authority, administrators on the roster; TLS.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    export PORT=${CHANCERY_URL##*:}
}
teardown_file() { demo_stop; }

setup() {
    W=$BATS_TEST_TMPDIR
    cd "$W" || return 1
    csr a DNS:a.example.internal
}

token() { # FILE OPTION...
    local file=$1
    shift
    chancery token create --out "$file" "$@" 2>/dev/null
}

ask_bearer() { ask -H "Authorization: $1" /v1/issuers; }

# With the client certificate in FILE.pem and FILE.key.
ask_cert() { # FILE ASK-ARGUMENT...
    local file=$1
    shift
    ask --cert "$file.pem" --key "$file.key" "$@"
}

post_as() { # FILE CSR QUERY
    ask_cert "$1" -H 'Content-Type: application/pkcs10' --data-binary @"$2" "/v1/certificates?$3"
}

# --- bearer tokens ---

@test "a token has a recognisable prefix and 256 bits" {
    matches "$(cat "$CHANCERY_TOKEN_FILE")" '^[a-z]+_[A-Za-z0-9_-]{43,}$'
}

@test "the text of a token stands nowhere in the folder but in its file" {
    run grep -rlF "$(cat "$CHANCERY_TOKEN_FILE")" "$CHANCERY_DIR"
    same "$output" "$CHANCERY_TOKEN_FILE"
}

@test "without credentials: 401, with the challenge" {
    ask -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=server"
    expect_problem 401 unauthenticated 'bearer token'
    matches "$(header WWW-Authenticate)" '^Bearer'
}

@test "an unknown token, an empty one, a long one, another scheme: 401" {
    local wrong
    for wrong in "Bearer $(tr 'A-Za-z' 'N-ZA-Mn-za-m' <"$CHANCERY_TOKEN_FILE")" "Bearer  " "Bearer $(head -c 600 /dev/zero | tr '\0' a)" \
        "Basic ZGV2MTpwYXNz" "Bearer" "$(cat "$CHANCERY_TOKEN_FILE")"; do
        ask_bearer "$wrong"
        expect_problem 401 unauthenticated '' || { echo "for '$wrong'"; return 1; }
    done
}

@test "a token that differs in its last letter is unknown" {
    local text last
    text=$(cat "$CHANCERY_TOKEN_FILE")
    last=${text: -1}
    ask_bearer "Bearer ${text%?}$([ "$last" = A ] && echo B || echo A)"
    expect_problem 401 unauthenticated 'not known'
}

@test "the scheme's letters may be small" {
    ask_bearer "bearer $(cat "$CHANCERY_TOKEN_FILE")"
    expect 200
}

@test "two Authorization headers are refused" {
    bearer >bearer
    ask -H @bearer -H 'Authorization: Bearer other' /v1/issuers
    [ "$answer" -eq 400 ] || [ "$answer" -eq 401 ]
}

@test "a token is used up after its number of uses; refusals cost none" {
    token t --template server --name '**.example.internal' --uses 2
    csr bad DNS:a.example.com
    TOKEN=t ask_csr bad.csr
    expect_problem 403 name-forbidden ''
    TOKEN=t issue one DNS:one.example.internal
    TOKEN=t issue two DNS:two.example.internal
    TOKEN=t ask_csr a.csr
    expect_problem 403 token-used ''
    TOKEN=t ask_token /v1/certificates
    expect 200
    same "$(member '.certificates | length')" 2
}

@test "of many at once with a token for three, three come" {
    local i pids=()
    token t --template server --name '**.example.internal' --uses 3
    bearer t >bearer
    for i in $(seq 12); do csr "m$i" "DNS:m$i.example.internal"; done
    for i in $(seq 12); do
        curl -sS --max-time 20 --cacert "$CHANCERY_ROOT" -H @bearer -H 'Content-Type: application/pkcs10' --data-binary "@m$i.csr" \
            -o "out.$i" -w '%{http_code}\n' "$CHANCERY_URL/v1/certificates?template=server" >"code.$i" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    same "$(cat code.* | sort | uniq -c | awk '{ print $2 "x" $1 }' | paste -sd' ')" "201x3 403x9"
}

@test "a token holds until its time is over" {
    token t --template server --name '**.example.internal' --ttl 2s
    TOKEN=t ask_csr a.csr
    expect 201
    over() { TOKEN=t ask_token /v1/issuers && [ "$answer" = 401 ]; }
    within 5 over
    expect_problem 401 token-expired 'expired'
    TOKEN=t ask_csr a.csr
    expect_problem 401 token-expired 'expired'
}

@test "a revoked token ends at once" {
    token t --template server --name '**.example.internal' --label short
    TOKEN=t ask_csr a.csr
    expect 201
    chancery token revoke "$(chancery token list --json | jq -r '.tokens[] | select(.label == "short").id')"
    TOKEN=t ask_csr a.csr
    expect_problem 401 unauthenticated 'revoked'
}

@test "a token's templates are its only ones" {
    token t --template client --name '**.example.internal'
    TOKEN=t ask_csr a.csr template=server
    expect_problem 403 forbidden "template 'server'" /template
    TOKEN=t ask_csr a.csr template=client
    expect 201
}

@test "a token's names are its only ones: one label for *, any depth for **" {
    token one --template server --name '*.one.example.internal'
    csr b DNS:x.one.example.internal
    csr c DNS:y.x.one.example.internal
    csr d DNS:one.example.internal
    TOKEN=one ask_csr b.csr
    expect 201
    TOKEN=one ask_csr c.csr
    expect_problem 403 name-forbidden 'y\.x\.one\.example\.internal'
    TOKEN=one ask_csr d.csr
    expect_problem 403 name-forbidden 'one\.example\.internal'
}

@test "a token that may have one of two names gets neither" {
    csr b DNS:a.example.internal DNS:a.example.com
    ask_csr b.csr
    expect_problem 403 name-forbidden 'a\.example\.com'
    csr c DNS:aexample.internal
    ask_csr c.csr
    expect_problem 403 name-forbidden ''
}

@test "a requester sees, searches and revokes only its own" {
    token other --template server --name '**.example.internal'
    issue mine DNS:mine.example.internal
    ask_token "/v1/certificates/$(serial_of mine.pem)"
    expect 200
    TOKEN=other ask_token "/v1/certificates/$(serial_of mine.pem)"
    expect_problem 404 not-found ''
    TOKEN=other ask_token "/v1/certificates?name=dns:mine.example.internal"
    expect 200
    same "$(member '.certificates | length')" 0
    TOKEN=other ask_token "/v1/certificates?owner=$(chancery cert show "$(serial_of mine.pem)" --json | jq -r .owner)"
    same "$(member '.certificates | length')" 0
    TOKEN=other ask_token -H 'Content-Type: application/json' -d '{"reason":"superseded"}' "/v1/certificates/$(serial_of mine.pem)/revoke"
    expect_problem 404 not-found ''
    same "$(chancery cert show "$(serial_of mine.pem)" --json | jq -r .status)" valid
}

@test "another asker's serial is refused in the same words as one never issued" {
    token other --template server --name '**.example.internal'
    issue mine DNS:mine.example.internal
    TOKEN=other ask_token "/v1/certificates/$(serial_of mine.pem)"
    member .detail >first
    TOKEN=other ask_token /v1/certificates/400000000000000000000000000000000000abcd
    same "$(member .detail)" "$(cat first)"
    TOKEN=other ask_token -X POST "/v1/certificates/$(serial_of mine.pem)/revoke"
    expect_problem 404 not-found ''
    member .detail >first
    TOKEN=other ask_token -X POST /v1/certificates/400000000000000000000000000000000000abcd/revoke
    same "$(member .detail)" "$(cat first)"
}

@test "requesters may not make, see or end tokens, nor confirm the clock" {
    ask_token /v1/tokens
    expect_problem 403 forbidden ''
    ask_token -H 'Content-Type: application/json' -d '{"templates":["server"],"names":["**"]}' /v1/tokens
    expect_problem 403 forbidden ''
    ask_token -X DELETE /v1/tokens/0123456789abcdef
    expect_problem 403 forbidden ''
    ask_token -X POST /v1/clock/confirm
    expect_problem 403 forbidden 'role admin'
}

# --- client certificates ---

@test "an operator's certificate may ask for any name of an open template" {
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=server"
    expect 201
    csr b DNS:anything.example.com
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @b.csr "/v1/certificates?template=server"
    expect 201
    SUBJECT=/O=Example/CN=Builds KEY=P-384 csr c
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @c.csr "/v1/certificates?template=code-signing"
    expect 201
    member .certificate >c.pem
    openssl verify -purpose codesign -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" c.pem || openssl x509 -in c.pem -noout -text | grep 'Code Signing'
}

@test "an operator's certificate may not have what is internal, an administrator's none at all" {
    local t
    for t in self ocsp-signing sub-ca admin root; do
        ask_operator -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=$t"
        [ "$answer" -ge 400 ]
        [ "$answer" -lt 500 ]
    done
    ask_admin -H 'Content-Type: application/pkcs10' --data-binary @a.csr "/v1/certificates?template=server"
    expect_problem 403 forbidden 'this needs the role requester or enroll-agent or operator; yours is admin'
}

@test "the administrator makes and ends tokens over HTTPS" {
    ask_admin -H 'Content-Type: application/json' -d '{"templates":["server"],"names":["**.example.internal"],"uses":1,"ttl":"1h","label":"by https"}' \
        /v1/tokens
    expect 201
    member .token >t
    local id
    id=$(member .id)
    TOKEN=t ask_csr a.csr
    expect 201
    ask_admin -X DELETE "/v1/tokens/$id"
    expect 200
    TOKEN=t ask_token /v1/issuers
    expect_problem 401 unauthenticated 'revoked'
}

@test "a client certificate asks again for its own template and names" {
    TEMPLATE=client issue me DNS:me.example.internal
    csr new DNS:me.example.internal
    post_as me new.csr template=client
    expect 201
    member .certificate >new.pem
    openssl verify -purpose sslclient -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" new.pem
    csr newer DNS:me.example.internal
    post_as new newer.csr template=client
    expect 201
}

@test "a client certificate asks for no other name and no other template" {
    TEMPLATE=client issue me DNS:me.example.internal
    csr b DNS:you.example.internal
    post_as me b.csr template=client
    expect_problem 403 name-forbidden 'you\.example\.internal'
    csr c DNS:me.example.internal
    post_as me c.csr template=server
    expect_problem 403 forbidden 'server'
    csr d DNS:sub.me.example.internal
    post_as me d.csr template=client
    expect_problem 403 name-forbidden ''
}

@test "a client certificate may renew with the same key" {
    TEMPLATE=client issue me DNS:me.example.internal
    post_as me me.csr template=client
    expect 201
    same "$(member .certificate | openssl x509 -noout -pubkey)" "$(openssl pkey -in me.key -pubout)"
}

@test "a client certificate sees and revokes what it asked for" {
    TEMPLATE=client issue me DNS:me.example.internal
    csr new DNS:me.example.internal
    post_as me new.csr template=client
    expect 201
    local serial
    serial=$(member .serial)
    ask_cert me "/v1/certificates/$serial"
    expect 200
    ask_cert me -X POST "/v1/certificates/$serial/revoke"
    expect 200
}

@test "a revoked client certificate is refused at once, in words" {
    TEMPLATE=client issue me DNS:me.example.internal
    ask_cert me /v1/issuers
    expect 200
    chancery cert revoke "$(serial_of me.pem)" --reason keyCompromise
    ask_cert me /v1/issuers
    expect_problem 401 unauthenticated 'revoked'
    csr new DNS:me.example.internal
    post_as me new.csr template=client
    expect_problem 401 unauthenticated 'revoked'
}

@test "an open connection does not outlive its client certificate" {
    TEMPLATE=client issue me DNS:me.example.internal
    mkfifo in
    # one TLS connection, a request before and one after the revocation
    openssl s_client -quiet -connect "127.0.0.1:$PORT" -CAfile "$CHANCERY_ROOT" -cert me.pem -key me.key <in >out 2>/dev/null 3>&- &
    local pid=$!
    exec 9>in
    printf 'GET /v1/issuers HTTP/1.1\r\nHost: localhost\r\n\r\n' >&9
    within 5 grep -q '^HTTP/1.1 200' out
    chancery cert revoke "$(serial_of me.pem)"
    printf 'GET /v1/issuers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&9
    within 5 grep -aq 'HTTP/1.1 401' out
    exec 9>&-
    wait "$pid" || true
}

@test "a server certificate is no credential" {
    issue web DNS:web.example.internal
    ask_cert web /v1/issuers
    expect_problem 401 unauthenticated '4\.2\.1\.12'
}

@test "a certificate of another authority is let in by TLS and refused in words" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.pem -subj /CN=me -days 2 \
        -addext extendedKeyUsage=clientAuth 2>/dev/null
    ask_cert x /v1/issuers
    expect_problem 401 unauthenticated 'not chain|RFC 5280'
}

@test "a certificate that only names our issuing CA is refused" {
    local subject
    subject=$(openssl x509 -in "$CHANCERY_ISSUER" -noout -subject -nameopt compat | sed 's/^subject= *//')
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj "/${subject#/}" -days 2 2>/dev/null
    TEMPLATE=client issue me DNS:me.example.internal
    openssl x509 -req -in me.csr -CA ca.pem -CAkey ca.key -set_serial "0x$(serial_of me.pem)" -days 2 \
        -extfile <(echo extendedKeyUsage=clientAuth) -out forged.pem
    same "$(openssl x509 -in forged.pem -noout -issuer)" "$(openssl x509 -in me.pem -noout -issuer)"
    cp me.key forged.key
    ask_cert forged /v1/issuers
    expect_problem 401 unauthenticated ''
}

@test "with a token and a certificate, the token counts" {
    TEMPLATE=client issue me DNS:me.example.internal
    bearer >bearer
    ask_cert me -H @bearer /v1/templates
    expect 200
    same "$(member '[.templates[].name] | length')" 3
    ask_cert me -H 'Authorization: Bearer nonsense' /v1/templates
    expect_problem 401 unauthenticated ''
}

# --- TLS ---

@test "TLS 1.2 and 1.3 serve, TLS 1.1 does not" {
    bearer >bearer
    ask -H @bearer --tlsv1.2 --tls-max 1.2 /v1/issuers
    expect 200
    ask -H @bearer --tlsv1.3 /v1/issuers
    expect 200
    run ! openssl s_client -connect "127.0.0.1:$PORT" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null
}

@test "TLS 1.2 serves with forward secrecy and AEAD alone" {
    local suite
    for suite in ECDHE-ECDSA-AES128-SHA256 ECDHE-ECDSA-AES256-SHA AES128-GCM-SHA256; do
        run ! openssl s_client -connect "127.0.0.1:$PORT" -tls1_2 -cipher "$suite" </dev/null
    done
    openssl s_client -connect "127.0.0.1:$PORT" -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 </dev/null
    openssl s_client -connect "127.0.0.1:$PORT" -tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305 </dev/null
}

@test "client certificates work with TLS 1.2 too" {
    ask_admin --tlsv1.2 --tls-max 1.2 "/v1/log?limit=1"
    expect 200
}

@test "the front's own certificate chains to the root and has the configured names alone" {
    openssl s_client -connect "127.0.0.1:$PORT" -showcerts -CAfile "$CHANCERY_ROOT" -verify_return_error </dev/null >out
    sed -n '/BEGIN/,/END/p' out >chain.pem
    same "$(grep -c BEGIN chain.pem)" 2
    openssl verify -purpose sslserver -CAfile "$CHANCERY_ROOT" -untrusted chain.pem chain.pem
    same "$(openssl x509 -in chain.pem -noout -ext subjectAltName | tail -1 | tr -d ' ')" "DNS:localhost,IPAddress:127.0.0.1,IPAddress:0:0:0:0:0:0:0:1"
}
