# Files and functions stay small enough to be read (doc/ARCHITECTURE.md, "Size").

setup() {
    cd "$CHANCERY_TOP"
    rooms="base config cert http courier templates hsm ledger tlog ca crl ocsp enroll daemon cli"
}

@test "no source over 500 lines, no header over 200" {
    # shellcheck disable=SC2086
    found=$(find $rooms \( -name '*.c' -o -name '*.h' \) 2>/dev/null | while read -r f; do
        n=$(wc -l <"$f")
        case "$f" in *.c) [ "$n" -gt 500 ] ;; *.h) [ "$n" -gt 200 ] ;; esac && echo "$f: $n"
    done || true)
    [ -z "$found" ] || { echo "$found"; false; }
}

@test "no function over 80 lines; the median is at most 20" {
    # shellcheck disable=SC2086
    find $rooms -name '*.c' | ctags -L - --languages=C --c-kinds=f --fields=+ne -f - 2>/dev/null |
        awk -F'\t' '{ l = 0; e = 0
            for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) l = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) }
            if (l && e) print e - l + 1, $2, $1 }' | sort -n >"$BATS_TEST_TMPDIR/lengths"
    awk '$1 > 80' "$BATS_TEST_TMPDIR/lengths"
    [ "$(awk '$1 > 80' "$BATS_TEST_TMPDIR/lengths" | wc -l)" = 0 ]
    n=$(wc -l <"$BATS_TEST_TMPDIR/lengths")
    median=$(sed -n "$((n / 2 + 1))p" "$BATS_TEST_TMPDIR/lengths" | cut -d' ' -f1)
    echo "median $median of $n"
    [ "$median" -le 20 ]
}
