#!/usr/bin/env bats
# Ceremonies: rehearsed and real, without daemon or network; what they refuse, and what they leave on record.

load ../lib/demo

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    export CHANCERY_BIN="$CHANCERY_BUILD/release/bin"
}

head_of() { # TITLE TOKEN-URI; a token made by make_token is meant
    cat <<EOF
ceremony: $1
participants:
  - {name: Maria Weber, role: administrator}
  - {name: Jo Lang, role: witness}
public_url: http://pki.example.internal
token: {module: /usr/lib/softhsm/libsofthsm2.so, uri: "pkcs11:token=$2", pin_file: pin, env: {SOFTHSM2_CONF: $PWD/softhsm2.conf}, writes: [store]}
steps:
EOF
}

make_token() { # LABEL
    mkdir store
    printf 'directories.tokendir = %s/store\nobjectstore.backend = file\nlog.level = ERROR\n' "$PWD" >softhsm2.conf
    (umask 077 && printf 1234 >pin)
    SOFTHSM2_CONF=$PWD/softhsm2.conf softhsm2-util --init-token --free --label "$1" --so-pin 5678 --pin 1234 >/dev/null
}

hierarchy_file() {
    head_of "Three levels" vault
    cat <<'EOF'
  - say: {text: The room is closed and nobody else is in it, by: [Maria Weber, Jo Lang]}
  - key: {name: root, kind: ec-p384}
  - root: {name: root, template: root-offline, subject: "CN=Example Root CA,O=Example", out: root.pem}
  - key: {name: policy, kind: ec-p256}
  - csr: {name: policy, subject: "CN=Example Policy CA,O=Example", out: policy.csr}
  - sign: {issuer: root, template: sub-ca-policy, csr: policy.csr, out: policy.pem}
  - import: {name: policy, certificate: policy.pem, chain: [root.pem]}
  - key: {name: issuing, kind: rsa-3072}
  - subordinate: {name: issuing, issuer: policy, subject: "CN=Example Issuing CA,O=Example", out: issuing.pem}
  - crl: {issuer: root, lifetime: 180d, out: root.crl}
  - crl: {issuer: policy, lifetime: 30d, out: policy.crl}
EOF
}

books_agree() { # FOLDER
    chancery ledger verify --ledger "$1/ledger" --roll "$1/roll/roll.der" | grep -q 'the books agree'
}

@test "a rehearsal makes three levels in a token of its own, and asks nobody" {
    hierarchy_file >three.yaml
    run -0 chancery ceremony --rehearse reh three.yaml </dev/null
    openssl verify -CAfile reh/root.pem -untrusted reh/policy.pem reh/issuing.pem
    openssl crl -inform DER -in reh/root.crl -CAfile reh/root.pem -noout
    [ ! -e root.pem ]
    books_agree reh/books
    chancery --json transcript verify reh/transcript.jsonl | jq -e '.rehearsal and .complete and .steps == 11'
    # each hash in the transcript is that of the file
    jq -r 'select(.made) | "\(.made_sha256)  reh/\(.made)"' reh/transcript.jsonl | sha256sum -c --quiet
}

@test "held in earnest, those who are named are asked, and a no ends it, on record" {
    make_token vault
    hierarchy_file >three.yaml
    run -0 chancery ceremony three.yaml < <(printf 'yes\nyes\n')
    openssl verify -CAfile root.pem -untrusted policy.pem issuing.pem
    chancery --json transcript verify transcript.jsonl | jq -e '(.rehearsal | not) and .complete'
    head_of "Once more" vault >again.yaml
    cat >>again.yaml <<'EOF'
  - say: {text: The seal of the safe is whole, by: [Jo Lang]}
  - key: {name: late}
transcript: again.jsonl
EOF
    run -1 chancery ceremony again.yaml < <(printf 'no\n')
    [[ "$output" == *"Jo Lang did not say yes"* ]]
    grep -q '"failed":"Jo Lang did not say yes"' again.jsonl
    ! grep -q '"step":"key"' again.jsonl
}

@test "a second ceremony goes on where the first ended, and never over what is there" {
    make_token vault
    hierarchy_file >three.yaml
    chancery ceremony three.yaml < <(printf 'yes\nyes\n')
    cp root.crl first.crl
    run -1 chancery ceremony three.yaml </dev/null
    [[ "$output" == *"is there already"* ]]
    head_of "Half a year later" vault >later.yaml
    cat >>later.yaml <<'EOF'
  - revoke: {issuer: root, certificate: policy.pem, reason: cessationOfOperation}
  - crl: {issuer: root, out: root-2.crl}
issuers: [{name: root, certificate: root.pem}]
transcript: later.jsonl
EOF
    run -0 chancery ceremony later.yaml
    openssl crl -inform DER -in root-2.crl -noout -text | grep -q "Cessation Of Operation"
    [ "$(openssl crl -inform DER -in root-2.crl -noout -crlnumber)" = "crlNumber=0x02" ]
    books_agree books
}

@test "a wrong hash is refused before anything is made" {
    hierarchy_file >three.yaml
    chancery ceremony --rehearse reh three.yaml
    head_of "Sign" vault >sign.yaml
    cat >>sign.yaml <<EOF
  - key: {name: root, kind: ec-p384}
  - root: {name: root, template: root-offline, subject: "CN=R", out: r.pem}
  - sign: {issuer: root, csr: reh/policy.csr, sha256: "$(printf x | sha256sum | cut -d' ' -f1)", out: p.pem}
EOF
    run -1 chancery ceremony --rehearse second sign.yaml
    [[ "$output" == *"the ceremony's file expects"* ]]
    [ ! -e second/r.pem ] && [ ! -e second/books ]
}

@test "an import names what is wrong: key, CA bit, dates, chain, path length, name constraints" {
    head_of "Import" vault >import.yaml
    cat >>import.yaml <<'EOF'
  - key: {name: policy}
  - csr: {name: policy, subject: "CN=P", out: policy.csr}
EOF
    make_token vault
    chancery ceremony import.yaml
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -subj /CN=Other -days 900 -out other.pem 2>/dev/null
    printf 'basicConstraints=CA:FALSE\n' >leaf.ext
    openssl x509 -req -in policy.csr -CA other.pem -CAkey o.key -days 30 -extfile leaf.ext -out nota.pem 2>/dev/null
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >ca.ext
    openssl x509 -req -in policy.csr -CA other.pem -CAkey o.key -days 2000 -extfile ca.ext -out long.pem 2>/dev/null
    openssl x509 -req -in policy.csr -CA other.pem -CAkey o.key -days 30 -extfile ca.ext -out good.pem 2>/dev/null
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -subj /CN=Other -days 900 -out imposter.pem 2>/dev/null

    # a root that allows no CA that issues, and one that allows other names alone
    root_of() { # FILE EXTENSIONS; and policy's certificate by it
        printf '[v3]\nbasicConstraints=critical,CA:TRUE%s\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n%b[dir]\nO=Elsewhere\n' "$2" "$3" >root.cnf
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
        openssl x509 -req -in "$1.csr" -signkey "$1.key" -days 900 -extfile root.cnf -extensions v3 -out "$1.pem" 2>/dev/null
        openssl x509 -req -in policy.csr -CA "$1.pem" -CAkey "$1.key" -days 30 -extfile ca.ext -out "$1-policy.pem" 2>/dev/null
    }
    root_of short ,pathlen:0 ''
    root_of narrow '' 'nameConstraints=critical,permitted;dirName:dir\n'

    refuses() { # CERTIFICATE CHAIN WORDS
        rm -f transcript.jsonl
        { head_of "Import" vault; echo "  - import: {name: policy, certificate: $1, chain: [$2]}"; } >i.yaml
        run -1 chancery ceremony i.yaml
        [[ "$output" == *"$3"* ]]
        grep -q '"failed"' transcript.jsonl
    }
    refuses other.pem other.pem "for another key than the one in the token"
    refuses nota.pem other.pem "no CA certificate"
    refuses long.pem other.pem "passes that of certificate 1 above it"
    refuses good.pem imposter.pem "certificate 1 above it"
    refuses short-policy.pem short.pem "pathLenConstraint 0"
    refuses narrow-policy.pem narrow.pem "nameConstraints"
    rm transcript.jsonl
    { head_of "Import" vault; echo "  - import: {name: policy, certificate: good.pem, chain: [other.pem]}"; } >i.yaml
    run -0 chancery ceremony i.yaml
    # the refusals stand in the ledger too
    books_agree books
}

@test "a path length that forbids the child is refused by the vault" {
    head_of "Too deep" vault >deep.yaml
    cat >>deep.yaml <<'EOF'
  - key: {name: root, kind: ec-p384}
  - root: {name: root, subject: "CN=R", out: root.pem}
  - key: {name: issuing}
  - subordinate: {name: issuing, issuer: root, subject: "CN=I", out: issuing.pem}
  - key: {name: below}
  - subordinate: {name: below, issuer: issuing, subject: "CN=B", out: below.pem}
EOF
    run -1 chancery ceremony --rehearse reh deep.yaml
    [[ "$output" == *"step 6 (subordinate)"*"path length"* ]]
    [ ! -e reh/below.pem ]
    books_agree reh/books
    chancery --json transcript verify reh/transcript.jsonl | jq -e '.complete | not'
}

@test "two roots cross-sign each other, and each client finds its way" {
    head_of "Successor" vault >cross.yaml
    cat >>cross.yaml <<'EOF'
  - key: {name: old, kind: ec-p384}
  - root: {name: old, template: root-offline, subject: "CN=Old Root", out: old.pem}
  - key: {name: new, kind: ec-p384}
  - root: {name: new, template: root-offline, subject: "CN=New Root", out: new.pem}
  - cross: {issuer: old, certificate: new.pem, out: new-by-old.pem}
  - cross: {issuer: new, certificate: old.pem, out: old-by-new.pem}
  - key: {name: issuing}
  - subordinate: {name: issuing, issuer: new, template: sub-ca-policy, subject: "CN=Issuing", out: issuing.pem}
EOF
    sed -i 's/key: {name: issuing}/key: {name: issuing, kind: rsa-3072}/' cross.yaml
    run -0 chancery ceremony --rehearse reh cross.yaml
    cd reh || return 1
    openssl verify -CAfile new.pem issuing.pem
    openssl verify -CAfile old.pem -untrusted new-by-old.pem issuing.pem
    run -2 openssl verify -CAfile old.pem issuing.pem
    openssl verify -CAfile new.pem -untrusted old-by-new.pem -partial_chain old-by-new.pem
    openssl x509 -in new-by-old.pem -noout -subject -issuer | tr -d ' ' >names
    grep -q 'subject=CN=NewRoot' names && grep -q 'issuer=CN=OldRoot' names
}

@test "a foreign root is cross-signed with its own name, and only by its own word" {
    openssl req -x509 -newkey rsa:3072 -nodes -keyout f.key -subj "/C=DE/O=Foreign/CN=Foreign Root" -days 3000 -out foreign.pem 2>/dev/null
    head_of "Foreign" vault >f.yaml
    cat >>f.yaml <<'EOF'
  - key: {name: root, kind: ec-p384}
  - root: {name: root, template: root-offline, subject: "CN=R", out: root.pem}
  - cross: {issuer: root, certificate: foreign.pem, out: foreign-by-root.pem}
EOF
    run -0 chancery ceremony --rehearse reh f.yaml
    openssl req -new -newkey rsa:2048 -nodes -keyout l.key -subj /CN=leaf -out l.csr 2>/dev/null
    openssl x509 -req -in l.csr -CA foreign.pem -CAkey f.key -days 30 -out l.pem 2>/dev/null
    openssl verify -CAfile reh/root.pem -untrusted reh/foreign-by-root.pem l.pem
    # a certificate that is not self-signed says nothing of its key
    openssl req -x509 -newkey rsa:3072 -nodes -keyout g.key -subj "/CN=Other" -days 3000 -out other.pem 2>/dev/null
    openssl x509 -in foreign.pem -signkey g.key -out /dev/null 2>/dev/null || true
    cp l.pem foreign.pem
    run -1 chancery ceremony --rehearse reh2 f.yaml
    [[ "$output" == *"step 3 (cross)"* ]]
}

@test "a file with an unknown step, a stranger or a missing key is refused, with line and column" {
    { head_of "Bad" vault; echo '  - kee: {name: root}'; } >bad.yaml
    run -1 chancery ceremony bad.yaml
    [[ "$output" == *"bad.yaml:8:"*"unknown step 'kee'; did you mean 'key'?"* ]]
    { head_of "Bad" vault; echo '  - say: {text: hello, by: [Mallory]}'; } >bad.yaml
    run -1 chancery ceremony bad.yaml
    [[ "$output" == *"'Mallory' is not among the participants"* ]]
    { head_of "Bad" vault; echo '  - csr: {name: root, out: a.csr}'; } >bad.yaml
    run -1 chancery ceremony bad.yaml
    [[ "$output" == *"missing key 'subject'"* ]]
    [ ! -e books ]
}

@test "a transcript that was changed is seen" {
    hierarchy_file >three.yaml
    chancery ceremony --rehearse reh three.yaml
    sed '4s/"root"/"toor"/' reh/transcript.jsonl >changed.jsonl
    run -1 chancery transcript verify changed.jsonl
    [[ "$output" == *"line 5"* ]]
    sed 4d reh/transcript.jsonl >shorter.jsonl
    run -1 chancery transcript verify shorter.jsonl
}
