# Calls that have no place here.

setup() {
    cd "$CHANCERY_TOP"
    rooms="base config cert http courier templates hsm ledger tlog ca crl ocsp enroll daemon cli"
}

none() { # pattern, files to leave out
    local found
    # shellcheck disable=SC2086
    found=$(grep -rnP --include=*.c --include=*.h "$1" $rooms 2>/dev/null | grep -vE "${2:-^$}" | grep -vP '^[^:]+:\d+:\s*(\*|//|/\*)' || true)
    [ -z "$found" ] || { echo "$found"; return 1; }
}

@test "no unbounded string calls" {
    none '\b(strcpy|strcat|sprintf|vsprintf|gets|strncpy|strtok|alloca)\s*\('
}

@test "no shell" {
    none '\b(system|popen)\s*\('
}

@test "the clock and randomness come through the world" {
    none '(?<![\w>.])(time|gettimeofday|clock_gettime|rand|random|getrandom|RAND_bytes)\(' '^base/(world_real|log|check|worker)\.c'
}

@test "no debugging left behind, nothing left for later" {
    none '\b(TODO|FIXME|XXX|HACK)\b'
}

@test "rooms below the command line do not print" {
    rooms="base cert http templates hsm ledger tlog ca crl ocsp enroll"
    none '(?<![\w])(printf|puts|putchar)\s*\('
    none 'fprintf\s*\(\s*std(out|err)' '^base/(log|check)\.c'
}

@test "secrets never come from the environment" {
    none '\b(secure_)?getenv\s*\("[^"]*(PIN|TOKEN|SECRET|PASS)'
}
