#!/usr/bin/env bats
# Started as root: each process has its own user, files are owned as they should be, and nobody reads what is not theirs.

load ../../lib/demo
load ../../lib/ask

setup_file() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    HOME_DIR=$(mktemp -d /var/tmp/chancery-users.XXXXXX) # bats' own folders are closed to other users
    chmod 755 "$HOME_DIR"
    export HOME_DIR
    demo_start "$HOME_DIR/demo"
}

teardown_file() {
    [ -n "${HOME_DIR:-}" ] || return 0
    demo_stop "$HOME_DIR/demo"
    rm -rf "$HOME_DIR"
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    demo_env "$HOME_DIR/demo"
}

user_of() { ps -o user:32= -p "$1" | tr -d ' '; }
as() { runuser -u "$1" -- "${@:2}"; }

@test "quickstart says that each process has its own user" {
    grep -q 'its own user: chancery-front, chancery-vault, chancery-responder, chancery-courier' "$HOME_DIR/demo.start"
}

@test "warden, vault, front and responder are four users" {
    same "$(user_of "$CHANCERY_PID")" root
    same "$(user_of "$(demo_child vault)")" chancery-vault
    same "$(user_of "$(demo_child front)")" chancery-front
    same "$(user_of "$(demo_child responder)")" chancery-responder
}

@test "real, effective, saved and file system ids are all the user's; no capability is left" {
    local role pid uid gid
    for role in vault front responder; do
        pid=$(demo_child "$role")
        uid=$(id -u "chancery-$role") gid=$(id -g "chancery-$role")
        same "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status")" "$uid $uid $uid $uid"
        same "$(awk '/^Gid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status")" "$gid $gid $gid $gid"
        same "$(awk '/^Cap(Inh|Prm|Eff|Amb):/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
        run ! grep -qE '^Groups:.*\b0\b' "/proc/$pid/status"
    done
}

@test "each has no_new_privs and a seccomp filter, and /readyz says: full" {
    local role pid
    for role in vault front responder; do
        pid=$(demo_child "$role")
        same "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")" 1
        same "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" 2
    done
    ask /readyz
    expect 200
    matches "$(member .isolation)" '^(full|users); vault: own user.*; front: own user.*; responder: own user.*; courier: own user'
}

@test "Landlock is in force where the kernel has it" {
    # landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
    python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)' || skip "this kernel has no Landlock"
    ask /readyz
    matches "$(member .isolation)" '^full;.*landlock'
}

@test "token, PIN, roll and lock are the vault's; ledger and TLS key are the front's" {
    local path
    for path in token secret roll lock secret/pin roll/roll.der; do
        same "$path $(stat -c %U "$CHANCERY_DIR/$path")" "$path chancery-vault"
    done
    for path in ledger front ledger/data.mdb front/tls.key shelf; do
        same "$path $(stat -c %U "$CHANCERY_DIR/$path")" "$path chancery-front"
    done
    for path in token secret roll lock ledger front; do
        same "$path $(stat -c %a "$CHANCERY_DIR/$path")" "$path 700"
    done
    matches "$(stat -c %a "$CHANCERY_DIR/secret/pin")" '^[46]00$'
    same "$(stat -c %a "$CHANCERY_DIR/front/tls.key")" 600
}

@test "configuration, templates and roster are root's, and no process can write them" {
    local path user
    for path in chancery.yaml roster.yaml templates/server.yaml issuers/issuing.pem templates issuers .; do
        same "$path $(stat -c %U "$CHANCERY_DIR/$path")" "$path root"
        for user in chancery-vault chancery-front chancery-responder nobody; do
            run ! as "$user" test -w "$CHANCERY_DIR/$path"
        done
    done
}

@test "another user reads neither token, PIN, roll, ledger, keys, nor the demo's own credentials" {
    local path
    for path in token secret secret/pin roll roll/roll.der ledger ledger/data.mdb shelf/data.mdb front front/tls.key admin.key token.txt; do
        [ -e "$CHANCERY_DIR/$path" ]
        run ! as nobody test -r "$CHANCERY_DIR/$path"
        run ! as nobody cat "$CHANCERY_DIR/$path"
    done
}

@test "another user reads what is public, and can use it" {
    as nobody cat "$CHANCERY_DIR/env" "$CHANCERY_ROOT" "$CHANCERY_ISSUER" >/dev/null
    as nobody curl -sf --cacert "$CHANCERY_ROOT" "$CHANCERY_URL/readyz"
    as nobody curl -sf -o /dev/null "$CHANCERY_HTTP_URL/crl/issuing.crl"
}

@test "the front's user reads nothing of the vault's, the responder's nothing of either, the vault's nothing of the ledger" {
    local path
    for path in token secret/pin roll/roll.der lock; do
        run ! as chancery-front test -r "$CHANCERY_DIR/$path"
        run ! as chancery-responder test -r "$CHANCERY_DIR/$path"
    done
    for path in ledger/data.mdb front/tls.key; do
        run ! as chancery-responder test -r "$CHANCERY_DIR/$path"
        run ! as chancery-vault test -r "$CHANCERY_DIR/$path"
    done
    for path in roster.yaml admin.key token.txt; do
        run ! as chancery-front test -w "$CHANCERY_DIR/$path"
    done
    run ! as chancery-front cat "$CHANCERY_DIR/admin.key"
    run ! as chancery-vault test -w "$CHANCERY_DIR/shelf"
}

@test "what each process has open is its own: no token, PIN or roll but the vault's, no network socket of the vault's" {
    local role pid fd inode
    for role in front responder; do
        pid=$(demo_child "$role")
        ls -l "/proc/$pid/fd" >"$role"
        run ! grep -E "$CHANCERY_DIR/(token|secret|roll|lock)" "$role"
    done
    run ! grep "$CHANCERY_DIR/ledger" responder
    pid=$(demo_child vault)
    ls -l "/proc/$pid/fd" >vault
    grep -q "$CHANCERY_DIR/roll/roll.der" vault
    run ! grep -E "$CHANCERY_DIR/(ledger|front|shelf)" vault
    for inode in $(grep -o 'socket:\[[0-9]*' vault | cut -d'[' -f2); do
        run ! grep -qw "$inode" /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6
    done
}

@test "the warden has no key, no PIN, no store, no PKCS#11 library open" {
    ls -l "/proc/$CHANCERY_PID/fd" >fds
    run ! grep -E "$CHANCERY_DIR/(token|secret|roll|ledger|shelf|front)" fds
    run ! grep -qE 'softhsm|pkcs11' "/proc/$CHANCERY_PID/maps"
    run ! grep -qE 'softhsm' "/proc/$(demo_child front)/maps"
    run ! grep -qE 'softhsm' "/proc/$(demo_child responder)/maps"
    grep -q softhsm "/proc/$(demo_child vault)/maps"
}

@test "nobody else's processes can look into them" {
    local pid user
    for pid in "$(demo_child vault)" "$(demo_child front)"; do
        for user in nobody chancery-vault chancery-front; do
            run ! as "$user" cat "/proc/$pid/environ"
            run ! as "$user" ls "/proc/$pid/fd"
        done
    done
}

@test "root is administrator on control.sock; an ordinary user is told that they are not" {
    chancery cert list >/dev/null
    run as nobody env CHANCERY_CONFIG="$CHANCERY_CONFIG" "$CHANCERY_BIN/chancery" cert list
    [ "$status" -eq 1 ]
    matches "$output" 'not an administrator|ermission denied|readable'
    run as chancery-responder env CHANCERY_CONFIG="$CHANCERY_CONFIG" "$CHANCERY_BIN/chancery" cert list
    [ "$status" -eq 1 ]
}

@test "it issues, revokes and shows it, as an ordinary demo does" {
    issue a DNS:a.example.internal
    openssl verify -CAfile "$CHANCERY_ROOT" -untrusted "$CHANCERY_ISSUER" a.pem
    chancery cert revoke "$(serial_of a.pem)"
    revoked() { openssl ocsp -issuer "$CHANCERY_ISSUER" -cert a.pem -CAfile "$CHANCERY_ROOT" -url "$CHANCERY_HTTP_URL/ocsp/issuing" 2>/dev/null | grep -q 'a.pem: revoked'; }
    within 1 revoked
    chancery ledger verify --json | jq -e .ok
}

@test "after kill -9 each comes back as its own user" {
    local role old
    for role in vault front responder; do
        old=$(demo_child "$role")
        kill -9 "$old"
        within 5 process_gone "$old"
        within 5 demo_ready
        same "$(user_of "$(demo_child "$role")")" "chancery-$role"
    done
    issue a DNS:a.example.internal
}

@test "SIGHUP takes a changed template" {
    sed -i 's/default: 90d/default: 30d/' "$CHANCERY_DIR/templates/server.yaml"
    kill -HUP "$CHANCERY_PID"
    changed() { chancery template show server | grep -q '30d'; }
    within 5 changed
}

@test "doctor finds nothing bad, and does not complain of one user" {
    run chancery doctor
    [ "$status" -eq 0 ]
    run ! grep -q 'run as one user' <<<"$output"
}

@test "stopped, checked and started again it is as before" {
    demo_stop "$HOME_DIR/demo"
    local owners
    owners=$(cd "$CHANCERY_DIR" && find . -exec stat -c '%n %U %a' {} + | sort)
    run "$CHANCERY_BIN/chanceryd" -c "$CHANCERY_CONFIG" --check
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    same "$(cd "$CHANCERY_DIR" && find . -exec stat -c '%n %U %a' {} + | sort)" "$owners"
    demo_start "$HOME_DIR/demo"
    same "$(user_of "$(demo_child front)")" chancery-front
    issue a DNS:a.example.internal
}

@test "where other users cannot reach the folder, quickstart says so and all run as one" {
    local dir
    dir=$(mktemp -d /root/chancery-users.XXXXXX)
    demo_start "$dir/demo"
    grep -q 'cannot be reached by other users' "$dir/demo.start"
    same "$(for p in "$CHANCERY_PID" $(pgrep -P "$CHANCERY_PID"); do user_of "$p"; done | sort -u)" root
    issue a DNS:a.example.internal
    demo_stop "$dir/demo"
    rm -rf "$dir"
}
