#!/usr/bin/env bats
# What must be refused: each with a problem document that names the rule, an entry in the ledger, no signature, and a daemon that
# stands as before.

load ../lib/demo
load ../lib/ask

# Lists and answers of the start have been made: no seal comes but for what a test asks.
settled() {
    local before
    before=$(seals)
    sleep 1.2
    [ "$(seals)" = "$before" ]
}

setup_file() {
    demo_start
    demo_stop # a slow client is cut off sooner than by default
    echo 'limits: {request: 2s}' >>"$CHANCERY_CONFIG"
    demo_start
    export PORT=${CHANCERY_URL##*:}
    within 20 settled || return 1
    CHILDREN=$(pgrep -P "$CHANCERY_PID" | sort | paste -sd' ')
    LOGGED=$(wc -l <"$CHANCERY_DIR/log")
    export CHILDREN LOGGED
}
teardown_file() { demo_stop; }

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    SEALS=$(seals)
    ENTRIES=$(entries)
}

# --- what every refusal has to show ---

on_record() { # REQUEST TYPE
    log_since "$ENTRIES" | jq -e --arg r "$1" --arg t "$2" 'any(.kind == "deny" and .request == $r and .detail.type == $t)' >/dev/null
}

nothing_signed() {
    local now
    now=$(seals)
    [ "$now" = "$SEALS" ] || { echo "$((now - SEALS)) seals came"; return 1; }
}

# The last answer: problem document, on record, unsigned.
refused() { # STATUS TYPE REGEX [POINTER]
    expect_problem "$@" || return
    within 3 on_record "$(member .instance)" "$2" || { echo "no deny entry:"; log_since "$ENTRIES"; return 1; }
    nothing_signed
}

# DER for subjectAltName: each argument is TAG:HEX or TAG=TEXT (tag 82 dNSName, 87 iPAddress, 86 URI, 81 mail).
general_names() {
    python3 - "$@" <<'PY'
import sys
def tlv(tag, v):
    n = len(v)
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")) + v
out = b""
for a in sys.argv[1:]:
    v = bytes.fromhex(a[3:]) if a[2] == ":" else a[3:].encode("utf-8", "surrogateescape")
    out += tlv(int(a[:2], 16), v)
print(tlv(0x30, out).hex())
PY
}

key() { [ -e key ] || key_make key P-256; }

# x.csr with these GeneralNames.
csr_names() {
    key
    openssl req -new -key key -subj / -addext "subjectAltName=DER:$(general_names "$@")" -out x.csr
}

# x.csr, good names, and a further extension.
csr_ext() { # EXTENSION
    key
    openssl req -new -key key -subj / -addext subjectAltName=DNS:a.example.internal -addext "$1" -out x.csr
}

good() { csr a DNS:a.example.internal; openssl req -in a.csr -outform DER -out a.der; }

# --- DER ---

@test "a CSR that is cut off anywhere" {
    good
    local n
    for n in 1 2 3 4 10 40 100 $(($(stat -c %s a.der) - 1)); do
        head -c "$n" a.der >cut
        ask_csr cut
        refused 400 bad-der '' /csr || { echo "cut at $n"; return 1; }
    done
}

@test "octets after a CSR" {
    good
    printf '\0' | cat a.der - >x
    ask_csr x
    refused 400 bad-der 'expected the end' /csr
}

@test "a length that is not minimal, and an indefinite one" {
    good
    python3 -c "
d = open('a.der', 'rb').read()
n = d[1] & 0x7f
body = d[2 + n:]
open('long', 'wb').write(d[:1] + bytes([0x84]) + len(body).to_bytes(4, 'big') + body)
open('open', 'wb').write(d[:1] + b'\x80' + body + b'\0\0')"
    ask_csr long
    refused 400 bad-der 'X\.690 10\.1' /csr
    ask_csr open
    refused 400 bad-der 'X\.690 10\.1' /csr
}

@test "no CSR at all: nothing, text, noise, JSON" {
    : >none
    ask_csr none
    refused 400 bad-csr '' /csr
    echo hello >x
    ask_csr x
    refused 400 bad-csr 'RFC 7468' /csr
    openssl rand 5000 >x
    ask_csr x
    expect 400
    echo '{}' >x
    ask_csr x
    refused 400 bad-csr ''
}

@test "PEM of something else, PEM that is broken, two CSRs in one" {
    good
    cp "$CHANCERY_ROOT" x
    ask_csr x
    refused 400 bad-csr 'RFC 7468' /csr
    cat a.csr a.csr >x
    ask_csr x
    refused 400 bad-csr 'more than one' /csr
    sed 's/^MII/M!!/; s/^MIH/M!!/' a.csr >x
    ask_csr x
    refused 400 bad-request 'base64' /csr
    grep -v END a.csr >x
    ask_csr x
    refused 400 bad-request 'RFC 7468' /csr
}

@test "the wrong version, and a name out of DER's order" {
    good
    python3 -c "
d = bytearray(open('a.der', 'rb').read())
i = d.find(b'\x02\x01\x00')
d[i + 2] = 1
open('x', 'wb').write(d)"
    ask_csr x
    refused 400 bad-csr 'RFC 2986 4\.1' /csr
}

# --- proof of possession ---

@test "a signature that does not verify" {
    good
    python3 -c "
d = bytearray(open('a.der', 'rb').read())
d[-1] ^= 1
open('x', 'wb').write(d)"
    ask_csr x
    refused 400 bad-signature 'does not verify' /csr
}

@test "another's public key, signed with one's own" {
    good
    csr b DNS:a.example.internal
    openssl req -in b.csr -outform DER -out b.der
    python3 -c "
a, b = open('a.der', 'rb').read(), open('b.der', 'rb').read()
m = bytes.fromhex('03420004')
i, j = a.find(m) + 4, b.find(m) + 4
open('x', 'wb').write(a[:i] + b[j:j + 64] + a[i + 64:])"
    ask_csr x
    refused 400 bad-signature '' /csr
}

@test "signatures with SHA-1 and MD5" {
    key_make r RSA-2048
    local d
    for d in sha1 md5; do
        openssl req -new -key r -subj / -addext subjectAltName=DNS:a.example.internal "-$d" -out x.csr
        ask_csr x.csr
        expect 400
        nothing_signed
        within 3 on_record "$(member .instance)" "$(member .type | sed 's/.*://')"
    done
}

# --- extensions ---

@test "CA:TRUE" {
    csr_ext basicConstraints=critical,CA:TRUE
    ask_csr x.csr
    refused 400 bad-extension 'CA:TRUE.*RFC 5280' /csr
}

@test "CA:TRUE, of the administrator too" {
    csr_ext basicConstraints=CA:TRUE
    ask_operator -H 'Content-Type: application/pkcs10' --data-binary @x.csr "/v1/certificates?template=server"
    refused 400 bad-extension 'CA:TRUE'
}

@test "key usages that the template does not give" {
    local u
    for u in keyCertSign cRLSign dataEncipherment; do
        csr_ext "keyUsage=digitalSignature,$u"
        ask_csr x.csr
        refused 400 bad-extension "$u.*RFC 5280 4\.2\.1\.3" /csr
    done
}

@test "extended key usages that the template does not give" {
    local u
    for u in clientAuth codeSigning OCSPSigning timeStamping anyExtendedKeyUsage 1.3.6.1.4.1.311.20.2.2; do
        csr_ext "extendedKeyUsage=serverAuth,$u"
        ask_csr x.csr
        refused 400 bad-extension 'RFC 5280 4\.2\.1\.12' /csr || { echo "$u"; return 1; }
    done
}

@test "any other extension" {
    local ext
    for ext in nameConstraints=permitted\;DNS:example.internal certificatePolicies=1.2.3.4 noCheck=ignored tlsfeature=status_request \
        nsComment=hello crlDistributionPoints=URI:http://evil.example/ authorityInfoAccess=OCSP\;URI:http://evil.example/ \
        1.2.3.4=DER:0500 policyConstraints=requireExplicitPolicy:0; do
        csr_ext "$ext"
        ask_csr x.csr
        refused 400 bad-extension '' /csr || { echo "$ext"; return 1; }
    done
}

@test "an extension twice, and one that is not DER inside" {
    key
    printf '[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\nsubjectAltName=DNS:a.example.internal\n2.5.29.17=DER:300a8208622e6578616d706c\n' >x.cnf
    openssl req -new -key key -subj / -config x.cnf -out x.csr
    ask_csr x.csr
    expect 400
    csr_ext basicConstraints=DER:30030101FE
    ask_csr x.csr
    refused 400 bad-der '' /csr
    csr_ext keyUsage=DER:0302
    ask_csr x.csr
    refused 400 bad-der '' /csr
}

# --- names ---

bad_name() { # REGEX GENERAL-NAME...; the last one is meant
    local regex=$1
    shift
    csr_names "$@"
    ask_csr x.csr
    refused 400 bad-name "$regex" "/csr/sans/$(($# - 1))" || { echo "for $*"; return 1; }
}

@test "a NUL in a dNSName" {
    bad_name 'NUL.*RFC 5280 4\.2\.1\.6' 82:6465762e6578616d706c652e696e7465726e616c002e6576696c2e636f6d
}

@test "letters outside ASCII in a dNSName: a U-label" {
    bad_name 'A-label.*RFC 5280 7\.2' "82=bücher.example.internal"
    bad_name 'A-label' 82:ff2e6578616d706c652e696e7465726e616c
}

@test "an A-label is a name like others" {
    csr_names "82=xn--bcher-kva.example.internal"
    ask_csr x.csr
    expect 201
}

@test "dNSNames that are no host names" {
    bad_name 'RFC 1123|underscore' "82=a_b.example.internal"
    bad_name 'empty label' "82=a..example.internal"
    bad_name 'empty label|dot' "82=.example.internal"
    bad_name 'dot' "82=a.example.internal."
    bad_name 'hyphen' "82=-a.example.internal"
    bad_name '63' "82=$(printf 'a%.0s' $(seq 64)).example.internal"
    bad_name '253' "82=$(printf 'abcdefghi.%.0s' $(seq 25))example.internal"
    bad_name 'empty' "82="
    bad_name '' "82=a b.example.internal"
    bad_name '' "82=a.example.internal:443"
    bad_name '' "82=http://a.example.internal"
    bad_name 'RFC 3696|number' "82=10.0.0.1"
    bad_name 'control' "82=a
.example.internal"
}

@test "a literal * needs the template's leave, and stands alone in the left-most label" {
    csr_names "82=*.example.internal"
    ask_csr x.csr
    refused 422 policy 'wildcard' /csr
    bad_name 'RFC 9525' "82=a*.example.internal"
    bad_name 'RFC 9525' "82=a.*.example.internal"
    bad_name 'RFC 9525' "82=**.example.internal"
    bad_name '' "82=*"
}

@test "IP addresses of the wrong length" {
    local hex
    for hex in "" 0a 0a0000 0a00000001 0a000000ffffff00 fe8000000000000000000000000000 fe800000000000000000000000000000ffff; do
        bad_name 'RFC 5280 4\.2\.1\.6' "87:$hex"
    done
}

@test "kinds of names that the template does not take" {
    csr_names "82=a.example.internal" "81=me@example.internal"
    ask_csr x.csr
    refused 422 policy '' /csr
    csr_names "82=a.example.internal" "86=https://a.example.internal/"
    ask_csr x.csr
    refused 422 policy '' /csr
    csr_names "82=a.example.internal" "a0:06032a0304a0050c0368656c" # otherName
    ask_csr x.csr
    refused 422 policy '' /csr
    csr_names "82=a.example.internal" "a4:300d310b3009060355040313026f6b" # directoryName
    ask_csr x.csr
    refused 422 policy '' /csr
    bad_name 'RFC 5280 4\.2\.1\.6' "82=a.example.internal" "a3:3000" # x400Address
    bad_name 'RFC 5280 4\.2\.1\.6' "82=a.example.internal" "a5:810161" # ediPartyName
}

@test "no name at all, and an empty list of names" {
    csr x
    ask_csr x.csr
    refused 422 policy '' /sans
    csr_names
    ask_csr x.csr
    refused 400 bad-extension 'empty' /csr
}

@test "the same name twice" {
    csr_names "82=a.example.internal" "82=A.example.internal"
    ask_csr x.csr
    if [ "$answer" = 201 ]; then
        same "$(member .certificate | openssl x509 -noout -ext subjectAltName | grep -o DNS: | wc -l)" 1
    else
        refused 422 policy '' /csr
    fi
}

@test "101 names" {
    # shellcheck disable=SC2046
    csr_names $(for i in $(seq 101); do echo "82=h$i.example.internal"; done)
    ask_csr x.csr
    refused 422 too-many '100' /csr
}

@test "10,000 names" {
    key
    # shellcheck disable=SC2046
    openssl req -new -key key -subj / -config <(printf '[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\nsubjectAltName=@n\n[n]\n'
        for i in $(seq 10000); do echo "DNS.$i=h$i.example.internal"; done) -outform DER -out x.der
    [ "$(stat -c %s x.der)" -gt 200000 ]
    ask_csr x.der
    refused 413 too-large '65536' /csr
}

@test "10,000 names in JSON" {
    good
    jq -Rs '{template: "server", csr: ., sans: [range(10000) | "dns:h\(.).example.internal"]}' <a.csr >x.json
    bearer >bearer
    ask -H @bearer -H 'Content-Type: application/json' --data-binary @x.json /v1/certificates
    expect 413
    jq -Rs '{template: "server", csr: ., sans: [range(2000) | "dns:h\(.).example.internal"]}' <a.csr >x.json
    ask -H @bearer -H 'Content-Type: application/json' --data-binary @x.json /v1/certificates
    refused 422 too-many '100' /sans
    jq -Rs '{template: "server", csr: ., sans: [range(101) | "dns:h\(.).example.internal"]}' <a.csr >x.json
    ask -H @bearer -H 'Content-Type: application/json' --data-binary @x.json /v1/certificates
    refused 422 too-many '100' /sans
}

@test "names in JSON that are none" {
    good
    local name
    for name in '"dns:"' '"dns:a b"' '"ip:10.0.0"' '"ip:10.0.0.256"' '"mail:x"' '"dns:a\u0000b.example.internal"' 7 null '["dns:a"]'; do
        ask_json "$(with_csr a.csr "\"sans\":[$name]")"
        matches "$answer" '^4' || { echo "$name: $answer"; return 1; }
        matches "$(member .type)" 'urn:chancery:error:bad-|policy|name-forbidden' || { echo "$name"; return 1; }
    done
    nothing_signed
}

@test "a subject that the template does not take, or no name has" {
    good
    ask_json "$(with_csr a.csr '"subject":{"CN":"other.example.internal"}')"
    refused 422 policy '' /subject/CN
    ask_json "$(TEMPLATE=client with_csr a.csr '"subject":{"O":"Evil"}')"
    refused 422 policy '' /subject/O
    ask_json "$(TEMPLATE=client with_csr a.csr '"subject":{"XX":"y"}')"
    refused 422 policy 'XX' /subject/XX
    SUBJECT=/O=Evil TEMPLATE=client csr b DNS:a.example.internal
    ask_csr b.csr template=client
    refused 422 policy 'O' /csr
    ask_json "$(TEMPLATE=client with_csr a.csr '"subject":{"CN":"'"$(printf 'a%.0s' $(seq 65))"'"}')"
    refused 400 bad-name '64'
    nothing_signed
}

# --- keys ---

bad_key() { # REGEX; the key is in k
    openssl req -new -key k -subj / -addext subjectAltName=DNS:a.example.internal -out x.csr
    ask_csr x.csr
    refused 400 bad-key "$1" /csr
}

@test "RSA of 1024 bits" {
    key_make k RSA-1024
    bad_key '1024 bits.*RFC 8017'
}

@test "RSA with the exponent 3" {
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out k 2>/dev/null
    bad_key 'exponent.*65537'
}

@test "curves that are not taken" {
    local c
    for c in P-224 secp256k1 brainpoolP256r1; do
        key_make k "P-${c#P-}" || openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$c" -out k 2>/dev/null
        bad_key 'P-256.*RFC 5480' || { echo "$c"; return 1; }
    done
}

@test "a curve that is spelt out, a point that is compressed" {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out k 2>/dev/null
    bad_key 'named.*RFC 5480'
    openssl ecparam -name prime256v1 -genkey -noout -conv_form compressed -out k 2>/dev/null
    openssl ec -in k -conv_form compressed -out k2 2>/dev/null && mv k2 k
    bad_key 'compressed.*RFC 5480'
}

@test "Ed448 and DSA" {
    key_make k ED448
    openssl req -new -key k -subj / -addext subjectAltName=DNS:a.example.internal -out x.csr
    ask_csr x.csr
    refused 400 bad-signature 'algorithm' /csr
    openssl dsaparam -genkey -noout -out k 1024 2>/dev/null
    openssl req -new -key k -subj / -addext subjectAltName=DNS:a.example.internal -out x.csr
    ask_csr x.csr
    refused 400 bad-signature 'algorithm' /csr
}

@test "a point that is not on its curve" {
    good
    python3 -c "
d = bytearray(open('a.der', 'rb').read())
i = d.find(bytes.fromhex('03420004')) + 4
d[i + 63] ^= 1
open('x', 'wb').write(d)"
    ask_csr x
    refused 400 bad-key 'not on the curve' /csr
}

@test "a key that another asker has a certificate for" {
    chancery token create --template server --name '**.example.internal' --out other 2>/dev/null
    csr a DNS:a.example.internal
    ask_csr a.csr
    expect 201
    SEALS=$(seals)
    TOKEN=other ask_csr a.csr
    refused 400 bad-key 'another asker' /csr
}

@test "a key that was revoked as compromised, of its own asker too" {
    issue a DNS:a.example.internal
    chancery cert revoke "$(serial_of a.pem)" --reason keyCompromise
    sleep 1.2 # lists and answers are made anew: seals, but not for what follows
    SEALS=$(seals)
    ask_csr a.csr
    refused 400 bad-key 'compromised' /csr
}

@test "the key of one of the house's own certificates" {
    openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null | openssl x509 -out tls.pem
    openssl req -new -key "$CHANCERY_DIR/front/tls.key" -subj / -addext subjectAltName=DNS:a.example.internal -out x.csr
    ask_csr x.csr
    refused 400 bad-key '' /csr
    openssl req -new -key "$CHANCERY_ADMIN_KEY" -subj / -addext subjectAltName=DNS:a.example.internal -out x.csr
    ask_csr x.csr
    refused 400 bad-key '' /csr
}

# --- templates and askers ---

@test "a template that does not exist, is internal, is not named" {
    good
    ask_csr a.csr template=nothing
    refused 404 template-unknown "nothing" /template
    ask_csr a.csr template=
    refused 404 template-unknown ''
    ask_csr a.csr issuer=issuing
    refused 400 bad-request 'template'
    ask_csr a.csr "template=$(printf 'a%.0s' $(seq 3000))"
    [ "$answer" -ge 400 ]
    [ "$answer" -lt 500 ]
    ask_csr a.csr template=../../secret/pin
    refused 404 template-unknown ''
    ask_csr a.csr template=sub-ca
    refused 404 template-unknown 'sub-ca'
    nothing_signed
}

@test "an issuer that does not exist, or does not issue" {
    good
    ask_csr a.csr "template=server&issuer=nothing"
    refused 404 issuer-unknown 'nothing' /issuer
    ask_csr a.csr "template=server&issuer=root"
    refused 422 policy 'root' /issuer
}

@test "a name that the asker may not have" {
    csr b DNS:a.example.com
    ask_csr b.csr
    refused 403 name-forbidden 'a\.example\.com'
}

@test "a wrong, a used-up, a revoked token" {
    good
    echo chancery_00000000000000000000000000000000000000000000000 >wrong
    TOKEN=wrong ask_csr a.csr
    refused 401 unauthenticated 'not known'
    chancery token create --template server --name '**.example.internal' --uses 1 --label used --out used 2>/dev/null
    TOKEN=used ask_csr a.csr
    expect 201
    SEALS=$(seals)
    csr b DNS:b.example.internal
    TOKEN=used ask_csr b.csr
    refused 403 token-used ''
    chancery token revoke "$(chancery token list --json | jq -r '.tokens[] | select(.label == "used").id')"
    TOKEN=used ask_csr b.csr
    refused 401 unauthenticated 'revoked'
}

@test "the entry says who, from where, by which door" {
    csr b DNS:a.example.com
    ask_csr b.csr
    expect 403
    within 3 on_record "$(member .instance)" name-forbidden
    log_since "$ENTRIES" | jq -e --arg r "$(member .instance)" '.[] | select(.request == $r)
        | .door == "rest" and (.actor | test("^token:[0-9a-f]{16}$")) and (.peer | test("127.0.0.1|::1")) and .detail.template == "server"'
}

# --- JSON ---

bad_json() { # STATUS TYPE REGEX JSON [POINTER]
    ask_json "$4"
    refused "$1" "$2" "$3" "${5:-}" || { echo "for $4"; return 1; }
}

@test "JSON that is none" {
    good
    bad_json 400 bad-json '' ''
    bad_json 400 bad-json '' '{'
    bad_json 400 bad-json '' '{"template":"server",}'
    bad_json 400 bad-json '' '{"template":"server"} x'
    bad_json 400 bad-json 'uplicate' '{"template":"server","template":"client"}'
    bad_json 400 bad-json '' '{"template":"a\u0000b","csr":"x"}'
    bad_json 400 bad-json '' "$(printf '{"template":"\xff\xfe"}')"
    bad_json 400 bad-json 'deeper' "$(printf '[%.0s' $(seq 200))"
    bad_json 400 bad-json '' "$(printf '{"template":"server","csr":%s}' "$(printf '[%.0s' $(seq 5000))")"
}

@test "JSON of the wrong shape" {
    good
    bad_json 422 bad-field '' '[]'
    bad_json 400 bad-json '' '"x"'
    bad_json 422 bad-field 'csr' '{"template":"server"}'
    bad_json 422 bad-field 'template' '{"csr":"x"}'
    bad_json 422 bad-field '' '{"template":7,"csr":"x"}' /template
    bad_json 422 bad-field '' "$(with_csr a.csr '"validity":90')" /validity
    bad_json 422 bad-field '' "$(with_csr a.csr '"validity":"-1d"')" /validity
    bad_json 422 bad-field '' "$(with_csr a.csr '"validity":"99999999999999999999d"')" /validity
    bad_json 422 bad-field '' "$(with_csr a.csr '"not_after":"tomorrow"')" /not_after
    bad_json 422 bad-field '' "$(with_csr a.csr '"not_after":"2027-01-01T00:00:00+02:00"')" /not_after
    bad_json 422 bad-field '' "$(with_csr a.csr '"not_after":"2027-02-30T00:00:00Z"')" /not_after
    bad_json 422 bad-field '' "$(with_csr a.csr '"sans":{}')" /sans
    bad_json 422 bad-field '' "$(with_csr a.csr '"subject":[]')" /subject
}

@test "an unknown member is refused, with what may have been meant" {
    good
    bad_json 422 bad-field 'validity' "$(with_csr a.csr '"valdity":"1h"')" /valdity
}

# --- HTTP ---

# Octets, over TLS, as they are; what comes back is in ./raw.
raw() { # SECONDS; request on stdin
    timeout "$1" openssl s_client -quiet -connect "127.0.0.1:$PORT" -CAfile "$CHANCERY_ROOT" -no_ign_eof 2>/dev/null >raw <request || true
}

# The raw request is answered with this status, a problem document, an entry, and the connection ends.
raw_refused() { # STATUS REGEX; request in printf's form on stdin
    printf "$(cat)" >request
    python3 - "$PORT" "$CHANCERY_ROOT" >raw <<'PY'
import socket, ssl, sys
c = ssl.create_default_context(cafile=sys.argv[2])
s = c.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10), server_hostname="localhost")
s.sendall(open("request", "rb").read())
out = b""
try:
    while True:
        part = s.recv(65536)
        if not part:
            break
        out += part
except (ssl.SSLError, ConnectionError):
    pass
sys.stdout.buffer.write(out)
PY
    matches "$(head -1 raw)" "^HTTP/1.1 $1 " || { cat request raw; return 1; }
    same "$(grep -ac '^HTTP/1.1 ' raw)" 1 || { cat raw; return 1; }
    sed '1,/^\r$/d' raw >body
    grep -aqi '^content-type: application/problem+json' raw
    same "$(member .status)" "$1"
    matches "$(member .detail)" "$2" || { cat request; return 1; }
    within 3 on_record "$(member .instance)" "$(member .type | sed 's/.*://')" || { echo "no deny entry for"; cat request; return 1; }
}

@test "two lengths, an odd length, a length beside chunked" {
    raw_refused 400 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'
    raw_refused 400 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'
    raw_refused 400 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello'
    raw_refused 400 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
}

@test "transfer codings that are not chunked alone" {
    raw_refused 501 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'
    raw_refused 400 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    raw_refused 501 'RFC 911[02]' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'
}

@test "broken chunks" {
    raw_refused 400 'RFC 9112 section 7\.1' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'
    raw_refused 400 'RFC 9112 section 7\.1' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n'
    raw_refused 400 'RFC 9112 section 7\.1' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n'
}

@test "no Host, two Hosts" {
    raw_refused 400 'Host' <<<'GET /healthz HTTP/1.1\r\n\r\n'
    raw_refused 400 'twice' <<<'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
}

@test "a folded line, a bare LF, a name that is no token, a space before the colon, a NUL" {
    raw_refused 400 'folded' <<<'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n'
    raw_refused 400 'CR' <<<'GET /healthz HTTP/1.1\nHost: localhost\n\n'
    raw_refused 400 'token' <<<'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX(A): b\r\n\r\n'
    raw_refused 400 'token' <<<'GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n'
    raw_refused 400 'control' <<<'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: \0\r\n\r\n'
}

@test "paths that climb, or are badly encoded" {
    raw_refused 400 'dot' <<<'GET /v1/../secret/pin HTTP/1.1\r\nHost: localhost\r\n\r\n'
    raw_refused 400 'dot' <<<'GET /v1/%%2e%%2e/x HTTP/1.1\r\nHost: localhost\r\n\r\n'
    raw_refused 400 '' <<<'GET /v1/%%00 HTTP/1.1\r\nHost: localhost\r\n\r\n'
    raw_refused 400 '' <<<'GET /v1/%%zz HTTP/1.1\r\nHost: localhost\r\n\r\n'
}

@test "heads that are too long" {
    raw_refused 414 '8192' <<<"GET /$(printf 'a%.0s' $(seq 9000)) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    raw_refused 431 '16384' <<<"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: $(printf 'a%.0s' $(seq 17000))\r\n\r\n"
    raw_refused 431 '64' <<<"GET /healthz HTTP/1.1\r\nHost: localhost\r\n$(printf 'X: y\\r\\n%.0s' $(seq 70))\r\n"
}

@test "a body that is too large, said or sent" {
    raw_refused 413 'larger' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\nContent-Length: 99999999999\r\n\r\n'
    head -c 300000 /dev/zero >big
    bearer >bearer
    ask -H @bearer -H 'Content-Type: application/pkcs10' --data-binary @big "/v1/certificates?template=server"
    refused 413 too-large ''
    ask -H @bearer -H 'Content-Type: application/pkcs10' -H 'Transfer-Encoding: chunked' --data-binary @big "/v1/certificates?template=server"
    refused 413 too-large ''
}

@test "a slow client: a head, a body that do not come in time" {
    raw_refused 408 'in time' <<<'GET /healthz HTTP/1.1\r\nHost: local'
    raw_refused 408 'in time' <<<'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhello'
}

@test "slow clients hold up nobody" {
    local i pids=()
    for i in 1 2 3 4 5 6 7 8; do
        (printf 'POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhello'; sleep 1.5) |
            openssl s_client -quiet -connect "127.0.0.1:$PORT" >/dev/null 2>&1 3>&- &
        pids+=($!)
    done
    issue a DNS:a.example.internal
    demo_ready
    wait "${pids[@]}" || true
}

@test "what is no TLS, and no HTTP" {
    printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' | timeout 5 bash -c 'exec 4<>/dev/tcp/127.0.0.1/'"$PORT"'; cat >&4; cat <&4' >plain || true
    run ! grep -aq '200 OK' plain
    openssl rand 3000 | timeout 5 bash -c 'exec 4<>/dev/tcp/127.0.0.1/'"$PORT"'; cat >&4; cat <&4' >noise || true
    raw_refused 400 'RFC 9112|HTTP' <<<'\x16\x03\x01\x02garbage\r\n\r\n'
    printf 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' >request
    raw 3
    run ! grep -aq '^HTTP/1.1 2' raw
}

@test "unknown paths and methods: a problem document" {
    ask_token /v1/nothing
    expect_problem 404 not-found ''
    ask_token -X DELETE /v1/certificates
    expect_problem 405 method ''
    matches "$(header Allow)" 'GET.*POST|POST.*GET'
    ask_token -X TRACE /healthz
    [ "$answer" -ge 400 ]
    ask_token -X POST -H 'Content-Type: application/json' -d '{"reason":"whim"}' /v1/certificates/400000000000000000000000000000000000abcd/revoke
    [ "$answer" -ge 400 ]
    [ "$answer" -lt 500 ]
}

# --- after all that ---

@test "no process of the house has died, and the books agree" {
    same "$(pgrep -P "$CHANCERY_PID" | sort | paste -sd' ')" "$CHILDREN"
    tail -n "+$((LOGGED + 1))" "$CHANCERY_DIR/log" >log
    run ! grep -E 'panic|child.ended|assert' log
    chancery ledger verify --json | jq -e '.ok and .open == 0'
    demo_ready
    issue a DNS:a.example.internal
}
