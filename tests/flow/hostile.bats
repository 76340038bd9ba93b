#!/usr/bin/env bats
# One hostile request of each class, and the answer that doc/TEMPLATES.md says it gets.

load ../lib/demo
load ../lib/ask

setup_file() {
    demo_start
    cd "$BATS_FILE_TMPDIR" && key_make other.key P-256
}
teardown_file() { demo_stop; }

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

san=subjectAltName=DNS:h.example.internal

# a.csr: a fresh P-256 key (or the one in $KEY_FILE), the extensions given, subject $SUBJECT.
with() { # EXTENSION...
    local add=() one
    for one; do add+=(-addext "$one"); done
    [ -n "${KEY_FILE:-}" ] || { rm -f a.key; key_make a.key "${KEY:-P-256}"; }
    openssl req -new -key "${KEY_FILE:-a.key}" -subj "${SUBJECT:-/}" "${DIGEST:--sha256}" "${add[@]}" -out a.csr 2>openssl.txt || { cat openssl.txt; return 1; }
}

# Each leaves a.csr, or asks by itself and sets $answer.
hostile_ca() { with "$san" basicConstraints=critical,CA:TRUE; }
hostile_cert-sign() { with "$san" keyUsage=critical,keyCertSign; }
hostile_any-purpose() { with "$san" extendedKeyUsage=anyExtendedKeyUsage; }
hostile_ocsp-signing() { with "$san" extendedKeyUsage=OCSPSigning; }
hostile_agent() { with "$san" extendedKeyUsage=1.3.6.1.4.1.311.20.2.1; }
hostile_client-too() { with "$san" extendedKeyUsage=serverAuth,clientAuth; }
hostile_account() { with "$san" 1.3.6.1.4.1.311.25.2=ASN1:UTF8:S-1-5-21-1-2-3-500; }
hostile_application-policy() { with "$san" 1.3.6.1.4.1.311.21.10=ASN1:UTF8:x; }
hostile_crl-location() { with "$san" crlDistributionPoints=URI:http://evil.example/c.crl; }
hostile_unknown-critical() { with "$san" 1.2.3.4.5=critical,ASN1:UTF8:x; }
hostile_other-name() { with subjectAltName=DNS:www.example.com; }
hostile_one-other-name() { with "$san,DNS:i.example.internal,DNS:example.org"; }
hostile_address() { with "$san,IP:10.0.0.1"; }
hostile_wildcard() { with 'subjectAltName=DNS:*.example.internal'; }
hostile_wildcard-inside() { with 'subjectAltName=DNS:a.*.example.internal'; }
hostile_nul() { with subjectAltName=DER:30:14:82:12:61:00:62:2e:65:78:61:6d:70:6c:65:2e:69:6e:74:65:72:6e; }
hostile_underscore() { with subjectAltName=DNS:a_b.example.internal; }
hostile_account-name() { with "$san,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:administrator@example.internal"; }
hostile_issuer-subject() { SUBJECT=$(openssl x509 -in "$CHANCERY_ISSUER" -noout -subject -nameopt compat | sed 's/^subject= *//') with "$san"; }
hostile_no-names() { with; }
hostile_many-names() { with "subjectAltName=$(seq -s, -f 'DNS:h%g.example.internal' 101)"; }
hostile_long-life() { with "$san" && ask_csr a.csr 'template=server&validity=4000d'; }
hostile_past() { with "$san" && ask_csr a.csr 'template=server&not_after=2020-01-01T00:00:00Z'; }
hostile_rsa-1024() { KEY=RSA-1024 with "$san"; }
hostile_rsa-exponent() {
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out three.key 2>/dev/null
    KEY_FILE=three.key with "$san"
}
hostile_curve() { KEY=P-224 with "$san"; }
hostile_taken-key() {
    openssl req -new -key "$BATS_FILE_TMPDIR/other.key" -subj / -addext subjectAltName=DNS:theirs.example.internal -out b.csr
    chancery cert request --template server --csr b.csr >/dev/null || return 1
    KEY_FILE=$BATS_FILE_TMPDIR/other.key with "$san"
}
hostile_stolen-key() { # the public key of one, the signature of another
    with "$san"
    openssl pkey -in "$BATS_FILE_TMPDIR/other.key" -pubout -out theirs.pub
    python3 - <<'PY'
import base64, re
def der(path): return base64.b64decode("".join(re.findall(r"^(?!-).+$", open(path).read(), re.M)))
csr, theirs = der("a.csr"), der("theirs.pub")
at = csr.index(bytes.fromhex("3059301306072a8648ce3d0201"))
open("a.csr", "wb").write(csr[:at] + theirs + csr[at + len(theirs):])
PY
}
hostile_sha-1() { DIGEST=-sha1 with "$san"; }
hostile_trailing() { with "$san" && openssl req -in a.csr -outform DER -out b.csr && { cat b.csr; echo x; } >a.csr; }
hostile_garbage() { printf '0\3abc' >a.csr; }
hostile_large() { { printf 0; head -c 70000 /dev/zero; } >a.csr; } # 0x30: a SEQUENCE
hostile_internal() { with "$san" && ask_csr a.csr template=ocsp-signing; }
hostile_other-template() { with "$san" && ask_csr a.csr template=code-signing; }

# class, status and type, a line each, as the manual has them.
documented() {
    sed -n '/^## What a hostile request gets/,/^## Fields/s/^| `\([a-z0-9-]*\)` | .* | \([0-9]*\) `\([a-z-]*\)` |$/\1 \2 \3/p' "$CHANCERY_TOP/doc/TEMPLATES.md"
}

@test "each class of hostile request gets the answer that the manual says" {
    local class status type bad=0 entries
    entries=$(entries)
    while read -r class status type; do
        unset answer
        "hostile_$class" || { echo "$class could not be made"; bad=1; continue; }
        [ -n "${answer:-}" ] || ask_csr a.csr
        if [ "$answer" != "$status" ] || [ "$(member .type)" != "urn:chancery:error:$type" ]; then
            echo "$class: wanted $status $type, got $answer $(body)"
            bad=1
        fi
    done < <(documented)
    [ "$bad" = 0 ]
    [ "$(entries)" -gt $((entries + 30)) ]
    chancery ledger verify
}

@test "the manual's table and this file have the same classes" {
    same "$(documented | cut -d' ' -f1 | sort)" "$(declare -F | sed -n 's/^declare -f hostile_//p' | sort)"
}

@test "what is asked for without malice is given" {
    with "$san"
    ask_csr a.csr
    expect 201
}
