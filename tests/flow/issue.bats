#!/usr/bin/env bats
# Certificates as clients get them: the forms of request and answer, what is in them, and what TLS clients make of them.

load ../lib/demo
load ../lib/ask

setup_file() { demo_start; }
teardown_file() { demo_stop; }

setup() {
    W=$BATS_TEST_TMPDIR
    cd "$W" || return 1
}

# --- forms ---

@test "a CSR as PKCS#10 in PEM gives 201 and JSON" {
    csr a DNS:web.example.internal
    ask_csr a.csr
    expect 201
    same "$(header Content-Type)" application/json
    same "$(member 'keys | sort | join(" ")')" "certificate chain issuer not_after not_before renew_after serial template"
    same "$(member .template)" server
    same "$(member .issuer)" issuing
}

@test "the same in DER" {
    csr a DNS:web.example.internal
    openssl req -in a.csr -outform DER -out a.der
    ask_csr a.der
    expect 201
    member .certificate >a.pem
    same "$(openssl x509 -in a.pem -noout -pubkey)" "$(openssl pkey -in a.key -pubout)"
}

@test "the same in JSON" {
    csr a DNS:web.example.internal
    ask_json "$(with_csr a.csr)"
    expect 201
    member .certificate >a.pem
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" a.pem
}

@test "a certificate names the one it replaces, and that one the new one" {
    csr a DNS:web.example.internal
    ask_json "$(with_csr a.csr)"
    expect 201
    local old
    old=$(member .serial)
    ask_json "$(with_csr a.csr "replaces:\"$old\"")"
    expect 201
    local new
    new=$(member .serial)
    ask_token "/v1/certificates/$old"
    same "$(member .renewed_by)" "$new"
    same "$(member .replaces)" null
    ask_token "/v1/certificates/$new"
    same "$(member .replaces)" "$old"
    ask_token "/v1/certificates?replaces=$old"
    same "$(member '.certificates | map(.serial) | join(" ")')" "$new"
    ask_json "$(with_csr a.csr "replaces:\"${old/%????/0000}\"")"
    expect_problem 404 not-found 'no certificate of this serial' /replaces
}

@test "tags come with the request, change, and are searched by" {
    csr a DNS:web.example.internal
    ask_json "$(with_csr a.csr '"tags":{"team":"pay","stage":"prod"}')"
    expect 201
    local serial
    serial=$(member .serial)
    ask_token "/v1/certificates?tag=team%3Dpay"
    same "$(member '.certificates | map(.serial) | join(" ")')" "$serial"
    same "$(member '.certificates[0].tags.stage')" prod
    chancery cert tag "$serial" team=shop --remove stage
    same "$(chancery --json cert list --tag team=shop | jq -r '.certificates[].serial')" "$serial"
    same "$(chancery --json cert list --tag team=pay | jq '.certificates | length')" 0
    ask_json "$(with_csr a.csr '"tags":{"te=am":"pay"}')"
    expect_problem 422 bad-field "a tag's key" /tags
    ask -X PUT -H 'Content-Type: application/json' --data '{"tags":{}}' "/v1/certificates/$serial/tags"
    expect 401
}

@test "the audit report has every certificate, as CSV and as JSON" {
    csr a DNS:audit.example.internal
    ask_csr a.csr
    expect 201
    local serial
    serial=$(member .serial)
    chancery audit report --name dns:audit.example.internal >report.csv
    same "$(wc -l <report.csv)" 2
    [[ $(head -1 report.csv) == issuer,requestedBy,certificate,serial,subject,names,notBefore,notAfter,requestedAt,issuedAt,revokedAt,revocationReason,template,* ]]
    [[ $(tail -1 report.csv) == issuing,token:*,"/v1/certificates/$serial?issuer=issuing,$serial,"* ]]
    chancery audit report --format json >report.json
    jq -e --arg s "$serial" '.entries > 0 and (.root | length == 64) and ([.certificates[].serial] | index($s))' report.json
    same "$(jq '.certificates | length' report.json)" "$(chancery --json cert list --limit 1000 | jq '.certificates | length')"
}

@test "a serial is lower-case hex without colons, positive, 20 octets, the certificate's own" {
    csr a DNS:web.example.internal
    ask_csr a.csr
    member .certificate >a.pem
    matches "$(member .serial)" '^[4-7][0-9a-f]{39}$'
    same "$(member .serial)" "$(serial_of a.pem)"
}

@test "times are RFC 3339 in UTC with Z, the certificate's own" {
    csr a DNS:web.example.internal
    ask_csr a.csr
    member .certificate >a.pem
    matches "$(member .not_before)" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'
    same "$(date -d "$(member .not_before)" +%s)" "$(date -d "$(openssl x509 -in a.pem -noout -startdate | cut -d= -f2)" +%s)"
    same "$(date -d "$(member .not_after)" +%s)" "$(date -d "$(openssl x509 -in a.pem -noout -enddate | cut -d= -f2)" +%s)"
}

@test "Accept: application/pem-certificate-chain gives leaf and issuing CA, the root left out" {
    csr a DNS:web.example.internal
    bearer >bearer
    ask -H @bearer -H 'Content-Type: application/pkcs10' -H 'Accept: application/pem-certificate-chain' --data-binary @a.csr \
        "/v1/certificates?template=server"
    expect 201
    same "$(header Content-Type)" application/pem-certificate-chain
    same "$(grep -c 'BEGIN CERTIFICATE' body)" 2
    same "$(openssl x509 -in body -noout -pubkey)" "$(openssl pkey -in a.key -pubout)"
    csplit -sz body '/BEGIN CERT/' '{*}'
    same "$(openssl x509 -in xx01 -outform DER | sha256sum)" "$(openssl x509 -in "$CHANCERY_ISSUER" -outform DER | sha256sum)"
}

@test "the chain in JSON is the issuing CA alone" {
    csr a DNS:web.example.internal
    ask_csr a.csr
    same "$(member '.chain | length')" 1
    same "$(member '.chain[0]' | openssl x509 -noout -fingerprint)" "$(openssl x509 -in "$CHANCERY_ISSUER" -noout -fingerprint)"
}

@test "what Accept cannot have is refused before anything is signed" {
    local before
    before=$(entries)
    csr a DNS:web.example.internal
    bearer >bearer
    ask -H @bearer -H 'Content-Type: application/pkcs10' -H 'Accept: text/html' --data-binary @a.csr "/v1/certificates?template=server"
    expect_problem 406 not-acceptable 'application/pem-certificate-chain'
    sleep 0.3
    same "$(log_since "$before" | jq 'map(select(.kind == "intent" and .actor != "self")) | length')" 0
}

@test "another media type gives 415" {
    csr a DNS:web.example.internal
    bearer >bearer
    ask -H @bearer -H 'Content-Type: text/plain' --data-binary @a.csr "/v1/certificates?template=server"
    expect_problem 415 bad-media-type 'application/pkcs10'
}

@test "every answer has Content-Length, none is chunked" {
    local path
    for path in /healthz /readyz /metrics /v1/issuers /v1/nothing; do
        ask_token "$path"
        same "$(header Content-Length)" "$(stat -c %s body)"
        same "$(header Transfer-Encoding)" ""
    done
}

@test "a chunked request is taken" {
    csr a DNS:web.example.internal
    bearer >bearer
    ask -H @bearer -H 'Content-Type: application/pkcs10' -H 'Transfer-Encoding: chunked' --data-binary @a.csr "/v1/certificates?template=server"
    expect 201
}

@test "HTTP/1.0 with keep-alive is taken, and one connection serves many requests" {
    bearer >bearer
    run curl -sS --http1.0 --cacert "$CHANCERY_ROOT" -H @bearer -H 'Connection: keep-alive' -o /dev/null -w '%{http_code} %{num_connects}\n' \
        "$CHANCERY_URL/v1/issuers" -o /dev/null "$CHANCERY_URL/v1/issuers" -o /dev/null "$CHANCERY_URL/v1/issuers"
    same "$output" $'200 1\n200 0\n200 0'
    run curl -sS --cacert "$CHANCERY_ROOT" -H @bearer -o /dev/null -w '%{http_code} %{num_connects}\n' "$CHANCERY_URL/v1/issuers" \
        -o /dev/null "$CHANCERY_URL/v1/nothing" -o /dev/null "$CHANCERY_URL/v1/issuers"
    same "$output" $'200 1\n404 0\n200 0'
}

# --- what is in it ---

@test "openssl verify accepts it, strictly, as a TLS server of that name alone" {
    chancery token create --template server --name '**.example.internal' --name ip:10.0.0.0/8 --out token 2>/dev/null
    TOKEN=token issue a DNS:web.example.internal IP:10.0.0.7
    openssl verify -x509_strict -purpose sslserver -verify_hostname web.example.internal -CAfile "$CHANCERY_ROOT" -untrusted a.pem a.pem
    openssl verify -x509_strict -verify_ip 10.0.0.7 -CAfile "$CHANCERY_ROOT" -untrusted a.pem a.pem
    run ! openssl verify -purpose sslclient -CAfile "$CHANCERY_ROOT" -untrusted a.pem a.pem
    run ! openssl verify -verify_hostname other.example.internal -CAfile "$CHANCERY_ROOT" -untrusted a.pem a.pem
    run ! openssl verify -no-CAfile -no-CApath -no-CAstore -untrusted a.pem a.pem
}

@test "gnutls certtool accepts it" {
    issue a DNS:web.example.internal
    cat a.pem "$CHANCERY_ROOT" >whole.pem
    certtool --verify --load-ca-certificate "$CHANCERY_ROOT" --verify-hostname web.example.internal --infile a.pem
    certtool --verify-chain --infile whole.pem
    run ! certtool --verify --load-ca-certificate "$CHANCERY_ROOT" --verify-hostname other.example.internal --infile a.pem
}

@test "it carries exactly what the template says" {
    issue a DNS:web.example.internal
    same "$(openssl x509 -in a.pem -noout -ext basicConstraints,keyUsage,extendedKeyUsage,subjectAltName | sed 's/ *$//')" \
        "$(printf '%s\n' 'X509v3 Key Usage: critical' '    Digital Signature' 'X509v3 Extended Key Usage:' \
            '    TLS Web Server Authentication' 'X509v3 Basic Constraints: critical' '    CA:FALSE' 'X509v3 Subject Alternative Name:' \
            '    DNS:web.example.internal')"
    openssl x509 -in a.pem -noout -text >text
    run ! grep -q 'CA:TRUE' text
    grep -qF "CA Issuers - URI:$CHANCERY_HTTP_URL/ca/issuing.crt" text
    grep -qF "OCSP - URI:$CHANCERY_HTTP_URL/ocsp/issuing" text
    grep -qF "URI:$CHANCERY_HTTP_URL/crl/issuing.crl" text
    grep -q 'Subject Key Identifier' text
    same "$(openssl x509 -in a.pem -noout -ext authorityKeyIdentifier | tail -1 | tr -d ' ')" \
        "$(openssl x509 -in "$CHANCERY_ISSUER" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' ')"
}

@test "a common name alone becomes the name" {
    SUBJECT=/CN=web.example.internal csr a
    ask_csr a.csr
    expect 201
    member .certificate >a.pem
    openssl x509 -in a.pem -noout -ext subjectAltName | grep -q DNS:web.example.internal
    openssl x509 -in a.pem -noout -subject | grep -q 'CN = web.example.internal'
}

@test "names and subject of the JSON take the place of the CSR's" {
    csr a DNS:other.example.internal
    ask_json "$(with_csr a.csr '"sans":["dns:web.example.internal"],"subject":{"CN":"web.example.internal"}')"
    expect 201
    member .certificate >a.pem
    openssl x509 -in a.pem -noout -ext subjectAltName | grep -q DNS:web.example.internal
    run ! grep -q other.example.internal <(openssl x509 -in a.pem -noout -text)
}

@test "names are written in lower case" {
    csr a DNS:WEB.Example.Internal
    ask_csr a.csr
    expect 201
    member .certificate >a.pem
    openssl x509 -in a.pem -noout -ext subjectAltName | grep -q DNS:web.example.internal
}

# --- keys, and a real handshake with each ---

handshake() { # KEY KIND, NAME of the listening test
    local port pid rc=0
    read -r port < <(demo_ports 1)
    KEY=$1 issue a DNS:web.example.internal
    openssl s_server -accept "127.0.0.1:$port" -cert a.pem -cert_chain a.pem -key a.key -www -quiet >server.log 2>&1 3>&- &
    pid=$!
    within 5 curl -sf -o page --cacert "$CHANCERY_ROOT" --resolve "web.example.internal:$port:127.0.0.1" "https://web.example.internal:$port/" || rc=$?
    curl -sf -o /dev/null --cacert "$CHANCERY_ROOT" --resolve "other.example.internal:$port:127.0.0.1" "https://other.example.internal:$port/" && rc=99
    gnutls-cli --x509cafile "$CHANCERY_ROOT" --verify-hostname web.example.internal -p "$port" 127.0.0.1 </dev/null >gnutls.log 2>&1 ||
        { cat gnutls.log; rc=98; }
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    [ "$rc" -eq 0 ] || { cat server.log; return "$rc"; }
    [ -s page ]
}

@test "P-256: s_server shows it, curl and gnutls-cli accept it for its name alone" { handshake P-256; }
@test "P-384: the same" { handshake P-384; }
@test "RSA: the same, and it may encipher keys" {
    handshake RSA-2048
    openssl x509 -in a.pem -noout -ext keyUsage | grep -q 'Key Encipherment'
}
@test "Ed25519: the same" { handshake ED25519; }
@test "P-521 and a larger RSA key are taken" {
    KEY=P-521 issue a DNS:web.example.internal
    KEY=RSA-3072 issue b DNS:web.example.internal
}

# --- how long ---

@test "validity is as asked" {
    csr a DNS:web.example.internal
    ask_csr a.csr "template=server&validity=2h"
    expect 201
    member .certificate >a.pem
    local left=$(($(date -d "$(member .not_after)" +%s) - $(date +%s)))
    [ "$left" -gt 7190 ]
    [ "$left" -le 7200 ]
}

@test "not_after is as asked, to the second" {
    csr a DNS:web.example.internal
    local at
    at=$(date -u -d '+10 days' +%Y-%m-%dT%H:%M:%SZ)
    ask_json "$(with_csr a.csr "\"not_after\":\"$at\"")"
    expect 201
    same "$(member .not_after)" "$at"
}

@test "without either it is the template's default" {
    csr a DNS:web.example.internal
    ask_csr a.csr
    local days=$((($(date -d "$(member .not_after)" +%s) - $(date +%s) + 60) / 86400))
    same "$days" 90
}

@test "past the maximum it is refused, with the maximum named" {
    csr a DNS:web.example.internal
    ask_csr a.csr "template=server&validity=399d"
    expect_problem 422 policy '398d'
    ask_json "$(with_csr a.csr "\"not_after\":\"$(date -u -d '+400 days' +%Y-%m-%dT%H:%M:%SZ)\"")"
    expect_problem 422 policy '398d' /not_after
}

@test "not_after and validity exclude each other; a day that has passed is refused" {
    csr a DNS:web.example.internal
    ask_json "$(with_csr a.csr "\"not_after\":\"$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)\",\"validity\":\"1d\"")"
    expect_problem 422 bad-field 'exclude' /validity
    ask_json "$(with_csr a.csr '"not_after":"2020-01-01T00:00:00Z"')"
    expect_problem 422 policy '' /not_after
}

# --- Idempotency-Key ---

idempotent() { # KEY FILE
    ask_token -H 'Content-Type: application/pkcs10' -H "Idempotency-Key: $1" --data-binary @"$2" "/v1/certificates?template=server"
}

@test "Idempotency-Key: the same body gives the same certificate, with 200" {
    csr a DNS:web.example.internal
    idempotent key-1 a.csr
    expect 201
    cp body first
    idempotent key-1 a.csr
    expect 200
    cmp body first
}

@test "Idempotency-Key: another body is refused with 422" {
    csr a DNS:web.example.internal
    csr b DNS:web.example.internal
    idempotent key-2 a.csr
    expect 201
    idempotent key-2 b.csr
    expect_problem 422 idempotency 'another body'
}

@test "Idempotency-Key: another asker's key is another key" {
    csr a DNS:web.example.internal
    idempotent key-3 a.csr
    expect 201
    chancery token create --template server --name '**.example.internal' --out token 2>/dev/null
    csr b DNS:web.example.internal
    TOKEN=token idempotent key-3 b.csr
    expect 201
}

@test "Idempotency-Key: of many at once, one certificate comes" {
    local i pids=()
    csr a DNS:web.example.internal
    bearer >bearer
    for i in 1 2 3 4 5 6 7 8; do
        curl -sS --max-time 20 --cacert "$CHANCERY_ROOT" -H @bearer -H 'Content-Type: application/pkcs10' -H 'Idempotency-Key: key-4' \
            --data-binary @a.csr -o "out.$i" -D "head.$i" "$CHANCERY_URL/v1/certificates?template=server" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    for i in 1 2 3 4 5 6 7 8; do
        case "$(awk 'NR == 1 { print $2 }' "head.$i")" in
            200 | 201) ;;
            409) grep -qi '^retry-after: [0-9]' "head.$i" ;;
            *) cat "head.$i" "out.$i"; return 1 ;;
        esac
    done
    same "$(jq -r '.serial // empty' out.* | sort -u | wc -l)" 1
    same "$(awk 'FNR == 1 { print $2 }' head.* | grep -c 201)" 1
}

# --- the record ---

@test "GET by serial gives the record, JSON or PEM" {
    issue a DNS:web.example.internal
    ask_token "/v1/certificates/$(serial_of a.pem)"
    expect 200
    same "$(member .status)" valid
    same "$(member .names[0])" dns:web.example.internal
    same "$(member .certificate)" "$(openssl x509 -in a.pem)"
    ask_token -H 'Accept: application/pem-certificate-chain' "/v1/certificates/$(serial_of a.pem)"
    expect 200
    cmp body a.pem
    ask_token "/v1/certificates/$(serial_of a.pem)?issuer=issuing"
    expect 200
    ask_token "/v1/certificates/$(serial_of a.pem)?issuer=root"
    expect_problem 404 not-found ''
}

@test "a serial that was never issued, or is none, gives 404" {
    ask_token /v1/certificates/400000000000000000000000000000000000abcd
    expect_problem 404 not-found ''
    ask_token /v1/certificates/xyz
    expect_problem 404 not-found 'hex'
    ask_token /v1/certificates/40:00
    expect_problem 404 not-found 'hex'
}

@test "search goes through all pages, newest first, each once" {
    local i all="" pages=0 cursor=""
    chancery token create --template server --name '**.pages.example.internal' --out token 2>/dev/null
    for i in 1 2 3 4 5; do TOKEN=token issue "c$i" "DNS:h$i.pages.example.internal"; done
    while :; do
        TOKEN=token ask_token "/v1/certificates?limit=2${cursor:+&cursor=$cursor}"
        expect 200
        all+="$(member '.certificates[].names[0]') "
        pages=$((pages + 1))
        cursor=$(member '.next // empty')
        [ -n "$cursor" ] || break
    done
    same "$(echo $all)" "$(for i in 5 4 3 2 1; do printf 'dns:h%s.pages.example.internal ' "$i"; done | sed 's/ $//')"
    same "$pages" 3
}

@test "search by name, under a name, by status" {
    issue a DNS:a.find.example.internal
    issue b DNS:b.find.example.internal
    ask_token "/v1/certificates?name=dns:a.find.example.internal"
    same "$(member '[.certificates[].serial] | join(" ")')" "$(serial_of a.pem)"
    ask_token "/v1/certificates?under=dns:find.example.internal"
    same "$(member '.certificates | length')" 2
    ask_token "/v1/certificates?under=dns:find.example.internal&status=revoked"
    same "$(member '.certificates | length')" 0
    ask_token "/v1/certificates?limit=0"
    expect_problem 422 bad-field 'limit' /limit
    ask_token "/v1/certificates?colour=red"
    expect_problem 400 bad-request 'colour'
    ask_token "/v1/certificates?cursor=zzz"
    [ "$answer" -ge 400 ]
    [ "$answer" -lt 500 ]
}

@test "issuers are shown to any asker, the log to none but staff" {
    ask_token /v1/issuers
    expect 200
    same "$(member '[.issuers[].name] | sort | join(" ")')" "issuing root"
    ask_token /v1/log
    expect_problem 403 forbidden 'auditor'
    ask /v1/issuers
    expect_problem 401 unauthenticated ''
    ask_admin /v1/log?limit=5
    expect 200
    same "$(member '.entries | length')" 5
}

@test "templates are shown as far as the asker's grant goes" {
    ask_token /v1/templates
    same "$(member '[.templates[].name] | sort | join(" ")')" "client device server"
    ask_token /v1/templates/code-signing
    expect_problem 404 template-unknown 'code-signing'
    ask_admin /v1/templates
    matches "$(member '[.templates[].name] | sort | join(" ")')" 'admin.*ocsp-signing.*self.*sub-ca'
}

@test "thirty at once give thirty certificates under thirty serials" {
    local i pids=()
    for i in $(seq 30); do csr "p$i" "DNS:p$i.example.internal" & pids+=($!); done
    wait "${pids[@]}"
    pids=()
    bearer >bearer
    for i in $(seq 30); do
        curl -sS --max-time 20 --cacert "$CHANCERY_ROOT" -H @bearer -H 'Content-Type: application/pkcs10' --data-binary @"p$i.csr" \
            -o "out.$i" "$CHANCERY_URL/v1/certificates?template=server" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    same "$(jq -r .serial out.* | grep -cE '^[0-9a-f]{40}$')" 30
    same "$(jq -r .serial out.* | sort -u | wc -l)" 30
    chancery ledger verify --json | jq -e '.ok and .open == 0'
}
