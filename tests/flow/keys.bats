#!/usr/bin/env bats
# Every kind of key in the token: a root and an issuing CA of each kind and algorithm, made, serving, its certificates, lists
# and answers taken by OpenSSL and GnuTLS. An algorithm that does not fit its key is refused before anything is made.

load ../lib/demo
load ../lib/ask

teardown() { demo_stop "$DEMO" 2>/dev/null || true; }

make() { # NAME ROOT ISSUING
    local port http_port
    DEMO=$BATS_TEST_TMPDIR/$1
    read -r port http_port < <(demo_ports 2)
    "$CHANCERY_BUILD/release/bin/chancery" init --demo "$DEMO" --port "$port" --http-port "$http_port" --root-key "$2" --issuing-key "$3" \
        >"$BATS_TEST_TMPDIR/init" 2>&1 || { cat "$BATS_TEST_TMPDIR/init"; return 1; }
}

algorithm() { openssl x509 -in "$1" -noout -text | sed -n 's/^ *Signature Algorithm: //p' | tail -1; }

# Chain, list and answer, by two readers; the demo's own start has had OpenSSL look at all three once already.
serves() { # ROOT-ALGORITHM ISSUING-ALGORITHM: as OpenSSL names them
    demo_start "$DEMO" || return
    local w=$BATS_TEST_TMPDIR
    same "$(algorithm "$CHANCERY_ROOT")" "$1" || return
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$w/key" -subj / -addext subjectAltName=DNS:a.example.internal -out "$w/csr" 2>/dev/null
    ask_csr "$w/csr" && expect 201 || return
    member .certificate >"$w/leaf.pem"
    same "$(algorithm "$w/leaf.pem")" "$2" || return
    openssl verify -x509_strict -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$w/leaf.pem" || return
    curl -sf "$CHANCERY_HTTP_URL/crl/issuing-chain.pem" >"$w/crls"
    openssl verify -crl_check_all -CRLfile "$w/crls" -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" "$w/leaf.pem" || return
    cat "$w/leaf.pem" "$CHANCERY_ISSUER" "$CHANCERY_ROOT" >"$w/chain.pem"
    certtool --verify-chain --infile "$w/chain.pem" >"$w/certtool" 2>&1 || { cat "$w/certtool"; return 1; }
    certtool --verify-crl --load-ca-certificate "$CHANCERY_ISSUER" --infile <(curl -sf "$CHANCERY_HTTP_URL/crl/issuing.crl" | openssl crl -inform DER) \
        >"$w/certtool" 2>&1 || { cat "$w/certtool"; return 1; }
    openssl ocsp -issuer "$CHANCERY_ISSUER" -cert "$w/leaf.pem" -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" >"$w/ocsp" 2>&1 || return
    grep -q 'Response verify OK' "$w/ocsp" && grep -q 'leaf.pem: good' "$w/ocsp" || { cat "$w/ocsp"; return 1; }
    chancery ledger verify >/dev/null
}

@test "RSA 4096 with PSS over RSA 3072 with PSS and SHA-384" {
    make pss rsa-4096/pss-sha512 rsa-3072/pss-sha384
    serves rsassaPss rsassaPss
    openssl x509 -in "$BATS_TEST_TMPDIR/leaf.pem" -noout -text | grep -q 'Salt Length: 0x30'
}

@test "RSA 3072 with PKCS#1 v1.5 over RSA 2048" {
    make pkcs1 rsa-3072/rsa-sha384 rsa-2048
    serves sha384WithRSAEncryption sha256WithRSAEncryption
}

@test "P-521 over P-384" {
    make p521 ec-p521 ec-p384
    serves ecdsa-with-SHA512 ecdsa-with-SHA384
}

@test "P-256 over P-521 with SHA-256" {
    make p256 ec-p256 ec-p521/ecdsa-sha256
    serves ecdsa-with-SHA256 ecdsa-with-SHA256
}

@test "Ed25519 over Ed25519" {
    make ed ed25519 ed25519
    serves ED25519 ED25519
}

refuses() { # REGEX ROOT ISSUING
    ! make refused "$2" "$3"
    matches "$(cat "$BATS_TEST_TMPDIR/init")" "$1"
    [ ! -e "$DEMO/chancery.yaml" ]
}

@test "an algorithm that does not fit its key, a kind that there is not: refused before a key is made" {
    refuses 'issuing: alg pss-sha256 does not fit key_type ec-p256' ec-p256 ec-p256/pss-sha256
    refuses 'root: alg ed25519 does not fit key_type rsa-2048' rsa-2048/ed25519 ec-p256
    refuses 'kinds of keys: ec-p256' ec-p192 ec-p256
    refuses 'no such signature algorithm' ec-p256/ecdsa-sha1 ec-p256
    [ ! -e "$DEMO/token" ] || [ -z "$(ls "$DEMO/token")" ]
}
