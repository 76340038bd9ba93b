#!/usr/bin/env bats
# The power goes at any moment: whatever the disk had not been told to keep may be gone, in any part. What was acknowledged is there, and
# the ledger is whole; and a ledger that left the sync out would be found.

load ../lib/demo
load fault

CUTS=60
[ "${CHANCERY_LONG:-0}" = 1 ] && CUTS=0

setup_file() {
    mkdir -p "$BATS_FILE_TMPDIR/live/ledger"
    POWERCUT_TRACE=$BATS_FILE_TMPDIR/trace LD_PRELOAD=$BIN/powercut.so "$BIN/fault-powercut" write "$BATS_FILE_TMPDIR/live/ledger" 40
}

left() { # OPTION...; the folders, checked fifty at a time; what is wrong with them in ./wrong
    python3 "$CHANCERY_TOP/tests/fault/powercut.py" "$BATS_FILE_TMPDIR/trace" "$BATS_TEST_TMPDIR" "$CUTS" "$@" >"$BATS_TEST_TMPDIR/all"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/all")" -ge "$CUTS" ]
    xargs -n 50 "$BIN/fault-powercut" check <"$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/wrong"
}

@test "what was acknowledged survives, wherever the power goes" {
    left || { head -5 "$BATS_TEST_TMPDIR/wrong"; return 1; }
    grep -q -- -torn: "$BATS_TEST_TMPDIR/all"
}

@test "without the sync it would not: the check finds it" {
    ! left --no-sync
    [ "$(wc -l <"$BATS_TEST_TMPDIR/wrong")" -gt 5 ]
}
