#!/usr/bin/env bats
# PKCS#11 modules other than SoftHSM: each makes the keys of a hierarchy, signs, issues, answers, and is opened again by a new vault.

load ../lib/demo
load ../lib/ask
load ../lib/module

LIB=/usr/lib/$(gcc -dumpmachine 2>/dev/null || uname -m)

setup() {
    DIR=$BATS_TEST_TMPDIR/house
    mkdir -p -m 700 "$DIR"
    SERVICES=()
}

teardown() {
    module_stop || true
    local pid
    for pid in "${SERVICES[@]}"; do kill "$pid" 2>/dev/null || true; done
}

softokn() { # FURTHER-LINES of the token
    [ -e "$LIB/libsoftokn3.so" ] && command -v certutil >/dev/null || skip "softokn is not here: apt-get install libnss3 libnss3-tools"
    module_pin pin12345
    mkdir -m 700 "$DIR/db"
    certutil -N -d "sql:$DIR/db" -f "$DIR/secret/pin"
    TOKEN_YAML="    module: $LIB/libsoftokn3.so
    uri: pkcs11:token=NSS%20Certificate%20DB
    init_args: \"configdir='sql:$DIR/db' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\"
    writes: [db]
$1"
}

@test "NSS softokn" {
    softokn "    unsaid: [local]"
    signs_and_issues ec-p384 rsa-2048
}

@test "softokn says that no key of its own was generated there: refused where the configuration does not know that" {
    softokn ""
    run signs_and_issues ec-p384 ec-p256
    [ "$status" -ne 0 ]
    matches "$output" 'was not generated in this token'
}

softhsm_behind_p11_kit() {
    [ -e "$LIB/pkcs11/p11-kit-client.so" ] && command -v p11-kit >/dev/null || skip "p11-kit is not here: apt-get install p11-kit p11-kit-modules"
    module_pin pin12345
    mkdir -m 700 "$DIR/token" "$DIR/socket"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$DIR/token" >"$DIR/softhsm2.conf"
    SOFTHSM2_CONF=$DIR/softhsm2.conf softhsm2-util --init-token --free --label far --so-pin sopin123 --pin pin12345 >/dev/null
    SOFTHSM2_CONF=$DIR/softhsm2.conf p11-kit server -f -n "$DIR/socket/p11" --provider /usr/lib/softhsm/libsofthsm2.so pkcs11:token=far >"$DIR/server" 2>&1 3>&- &
    SERVICES+=($!)
    within 10 test -S "$DIR/socket/p11"
    TOKEN_YAML="    module: $LIB/pkcs11/p11-kit-client.so
    uri: pkcs11:token=far
    env: {P11_KIT_SERVER_ADDRESS: \"unix:path=$DIR/socket/p11\"}
    $1"
}

@test "a module in another process, by p11-kit server" {
    softhsm_behind_p11_kit "connects: local"
    signs_and_issues ec-p256 ec-p256
}

@test "a vault that may not connect reaches no module in another process" {
    softhsm_behind_p11_kit "connects: none"
    module_config ec-p256 ec-p256
    run "$CHANCERY_BUILD/release/bin/chanceryd" -c "$DIR/chancery.yaml" --check
    [ "$status" -eq 1 ]
}
