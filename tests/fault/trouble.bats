#!/usr/bin/env bats
# A disk that is full or broken, a token that goes away, a PIN that is refused, a vendor's module that crashes or hangs:
# requests are refused with 503 and Retry-After, OCSP and CRLs go on, issuance heals by itself, and the books agree.

load ../lib/demo
load fault

SINGLES=8
[ "${CHANCERY_LONG:-0}" = 1 ] && SINGLES=150

setup_file() {
    fault_make "$BATS_FILE_TMPDIR/demo"
    PRELOAD=$BIN/diskfail.so fault_start chanceryd-test
    clients_start 3
    within 30 handed_more 20
}
teardown_file() { fault_stop; }

teardown() {
    world clear
    wrap rule C_Sign clear
}

world_rule() { world rule "$@" >/dev/null; }
acted() { world count "$1" libc; } # how often the shim has failed this call
world_acted() { [ "$(acted "$1")" -gt "${before:-0}" ]; }

heals() { # SECONDS
    world clear
    issuance_goes_on "$1"
    demo_alive
}
demo_alive() { process_alive "$(warden)"; }

@test "the ledger's disk is full" {
    world_rule libc.pwrite errno ENOSPC path=/ledger/
    refused_within 10 'no-space|ledger|starting'
    status_is_served
    heals 20
}

@test "the ledger's disk does not sync" {
    world_rule libc.fdatasync errno EIO path=/ledger/
    refused_within 10 'ledger|no-space|starting'
    status_is_served
    heals 20
}

@test "one write of the ledger fails in the middle" {
    for after in 0 1 2 3; do
        before=$(acted libc.pwrite)
        world_rule libc.pwrite errno EIO path=/ledger/ after=$after times=1
        within 20 world_acted libc.pwrite
        issuance_goes_on 20
        world clear
    done
}

@test "LMDB gives its environment up, and another front takes over" {
    for i in 1 2 3; do
        before=$(acted libc.pwrite.synced)
        world_rule libc.pwrite.synced errno EIO path=/ledger/ times=1
        within 20 world_acted libc.pwrite.synced
        issuance_goes_on 20
        world clear
    done
    [ "$(grep -c 'store.given-up' "$DIR/log")" -ge 3 ]
}

@test "the ledger's calls fail one by one, while vaults die" {
    kinds=("libc.pwrite errno EIO" "libc.pwrite errno ENOSPC" "libc.pwrite.synced errno EIO" "libc.fdatasync errno EIO" "libc.writev errno EIO")
    for ((i = 0; i < SINGLES; i++)); do
        # shellcheck disable=SC2086
        world_rule ${kinds[RANDOM % ${#kinds[@]}]} path=/ledger/ after=$((RANDOM % 9)) times=$((1 + RANDOM % 3))
        sleep "0.$((RANDOM % 9))"
        [ $((RANDOM % 4)) -ne 0 ] || kill_one vault || true
        issuance_goes_on 30
        world clear
    done
}

@test "the shelf's disk is full" {
    world_rule libc.pwrite errno ENOSPC path=/shelf/
    issuance_goes_on 10
    status_is_served
    heals 10
    before=$(acted libc.pwrite.synced)
    world_rule libc.pwrite.synced errno EIO path=/shelf/ times=1
    within 20 shelf_written libc.pwrite.synced
    heals 20
    status_is_served
}

shelf_written() { # a new certificate's first question makes an answer
    ocsp_of "$(awk '/^issued/ { s = $2 } END { print s }' "$DIR/told")" >/dev/null
    world_acted "$1"
}

@test "the roll's disk is full" {
    world_rule pwrite errno ENOSPC path=/roll/
    refused_within 10 no-space
    status_is_served
    heals 10
}

@test "the roll's disk does not sync" {
    world_rule fdatasync errno EIO path=/roll/
    refused_within 10 'io|no-space|token-away|ledger'
    status_is_served
    heals 10
}

@test "a short write of the roll is taken back" {
    world_rule pwrite short 40 path=/roll/ times=3
    issuance_goes_on 10
    heals 10
}

@test "the token's folder goes away, and comes back" {
    mv "$DIR/token" "$DIR/token.away"
    refused_within 15 token-away
    status_is_served
    mv "$DIR/token.away" "$DIR/token"
    heals 30
}

@test "the token fails for a while" {
    wrap rule C_Sign fail 0x30 times=0 # CKR_DEVICE_ERROR
    refused_within 15 token-away
    status_is_served
    wrap rule C_Sign clear
    heals 30
}

@test "the module crashes before it signs" {
    before=$(child vault)
    wrap rule C_Sign crash times=1
    within 10 new_vault "$before"
    heals 10
}

@test "the module crashes after it has signed" {
    before=$(child vault)
    wrap rule C_Sign crash-after times=1
    within 10 new_vault "$before"
    heals 10
}

@test "the module hangs" {
    before=$(child vault)
    wrap rule C_Sign hang times=2
    refused_within 40 'token-away|busy'
    status_is_served
    within 40 new_vault "$before"
    wrap rule C_Sign clear
    heals 20
}

@test "the module hangs where the token is only looked after" {
    before=$(child vault)
    wrap rule C_GetSessionInfo hang times=1
    within 70 new_vault "$before"
    wrap rule C_GetSessionInfo clear
    heals 20
}

new_vault() { # not that one
    local now
    now=$(child vault)
    [ -n "$now" ] && [ "$now" != "$1" ]
}

@test "a refused PIN is tried once, whatever dies" {
    cp "$DIR/secret/pin" "$DIR/pin.right"
    logins=$(wrap count C_Login)
    printf '999999\n' >"$DIR/secret/pin"
    kill_one vault
    refused_within 15 pin-refused
    [ "$(wrap count C_Login)" -eq $((logins + 1)) ]
    for i in 1 2 3; do
        before=$(child vault)
        kill_one vault
        within 10 new_vault "$before"
        refused_within 10 pin-refused
    done
    demo_stop "$DIR"
    CHANCERY_WORLD=$WORLD setsid "$BIN/bin/chanceryd" -c "$DIR/chancery.yaml" >>"$DIR/log" 2>&1 </dev/null 3>&- &
    refused_within 15 pin-refused
    [ "$(wrap count C_Login)" -eq $((logins + 1)) ] || { echo "$(wrap count C_Login) logins, $logins before"; return 1; }
    status_is_served
    cat "$DIR/pin.right" >"$DIR/secret/pin"
    heals 40
    [ "$(wrap count C_Login)" -ge $((logins + 2)) ]
}

@test "after all of it the books agree" {
    fault_settle
    books_agree
    echo "# $(tail -1 "$DIR/books"); C_Sign $(wrap good C_Sign)" >&3
}
