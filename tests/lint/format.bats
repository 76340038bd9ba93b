@test "every source is formatted as .clang-format says" {
    cd "$CHANCERY_TOP"
    find base config cert http courier templates hsm ledger tlog ca crl ocsp enroll daemon cli tests \( -name '*.c' -o -name '*.h' \) -print0 2>/dev/null |
        xargs -0 clang-format --dry-run --Werror 2>&1 | grep -E 'warning|error' | head -20 >"$BATS_TEST_TMPDIR/out" || true
    cat "$BATS_TEST_TMPDIR/out"
    [ ! -s "$BATS_TEST_TMPDIR/out" ]
}
