# The bench says what it should say; how fast anything is, is not judged here. With tests/run --long only: its figures
# want a machine to themselves for a few minutes.

@test "every part of the bench prints its rows, as JSON, within three minutes" {
    [ "${CHANCERY_LONG:-0}" = 1 ] || skip "three minutes of load: with --long"
    timeout 180 "$CHANCERY_TOP/tests/bench/run" --quick --json >"$BATS_TEST_TMPDIR/rows"
    jq -es 'length > 40 and all(.[]; keys == ["bar", "holds", "limit", "name", "ratio", "unit", "value"] and (.value | type) == "number")' \
        "$BATS_TEST_TMPDIR/rows" >/dev/null
    for name in disk.sync token.{p256,rsa2048}.t{1,2} csr.{verify,whole} template.{decide.cpu,decide.of10000.cpu,load10000} provider.{p256,rsa2048}.t{1,2} issue.c{1,16,64}.{rate,p50,p99,cpu} \
        issue.c64.cpu.{front,vault,responder,warden} issue.c64.generator ocsp.{nginx,post,get}.rate \
        memory.{front,vault,responder,warden}.{idle,loaded}.own; do
        jq -es --arg n "$name" 'any(.[]; .name == $n)' "$BATS_TEST_TMPDIR/rows" >/dev/null || { echo "no row $name"; false; }
    done
    jq -es '[.[] | select(.name == "issue.c64.errors" or .name == "ocsp.errors").value] == [0, 0]' "$BATS_TEST_TMPDIR/rows" >/dev/null
    jq -es '[.[] | select(.bar != null).name] | length == 34' "$BATS_TEST_TMPDIR/rows" >/dev/null
}

@test "a part that is not there is named, and costs nothing" {
    run "$CHANCERY_TOP/tests/bench/run" nothing
    [ "$status" = 2 ]
    [[ "$output" == *"no part nothing"* ]]
}

@test "fill: its certificates are found, revoked ones too, and none of them passes for the issuer's" {
    local dir=$BATS_TEST_TMPDIR/filled port http_port
    load ../lib/demo
    cd "$BATS_TEST_TMPDIR"
    read -r port http_port < <(demo_ports 2)
    "$CHANCERY_TOP/tests/bench/fill" 3000 --revoked 30 --build-dir "$CHANCERY_BUILD/release" --port "$port" --http-port "$http_port" "$dir" >out 2>&1 3>&- ||
        { cat out; false; }
    demo_start "$dir"
    chancery cert list --under dns:fill.example.internal --limit 1 --json >list.json
    chancery cert show "$(jq -r '.certificates[0].serial' list.json)" --json | jq -r .certificate >one.pem
    # the base point of P-256, whose private key is 1
    echo MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q== |
        base64 -d | openssl pkey -pubin -inform DER -out base.pem
    openssl x509 -in one.pem -noout -text >/dev/null
    run ! openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" one.pem
    openssl x509 -in one.pem -outform DER -out one.der
    openssl asn1parse -inform DER -in one.der -strparse 4 -noout -out one.tbs
    openssl asn1parse -inform DER -in one.der | awk -F: '/BIT STRING/ { last = $1 } END { print last }' >at
    openssl asn1parse -inform DER -in one.der -strparse "$(tr -d ' ' <at)" -noout -out one.sig
    openssl dgst -sha256 -verify base.pem -signature one.sig one.tbs
    run chancery ledger verify
    [ "$status" = 1 ]
    [[ "$output" == *"30 revoked"*"the books do NOT agree"* ]] || { echo "$output"; false; }
    demo_stop "$dir"
}
