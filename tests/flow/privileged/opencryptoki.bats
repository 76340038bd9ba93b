#!/usr/bin/env bats
# opencryptoki's soft token: its slot daemon and its folders belong to root, so this test stays root.

load ../../lib/demo
load ../../lib/ask
load ../../lib/module

LIB=/usr/lib/$(gcc -dumpmachine 2>/dev/null || uname -m)/pkcs11/libopencryptoki.so

setup() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    [ -e "$LIB" ] && command -v pkcsslotd pkcsconf >/dev/null || skip "opencryptoki is not here: apt-get install opencryptoki"
    ! pgrep -x pkcsslotd >/dev/null || skip "this machine's own pkcsslotd runs: its tokens are left alone"
    DIR=$BATS_TEST_TMPDIR/house
    mkdir -p -m 700 "$DIR"
    cp -a /var/lib/opencryptoki "$BATS_TEST_TMPDIR/kept"
    pkcsslotd -f >"$DIR/pkcsslotd" 2>&1 3>&- &
    SLOTD=$!
}

teardown() {
    module_stop || true
    [ -n "${SLOTD:-}" ] || return 0
    kill "$SLOTD" && within 10 process_gone "$SLOTD" || true
    rm -rf /var/lib/opencryptoki
    cp -a "$BATS_TEST_TMPDIR/kept" /var/lib/opencryptoki
}

soft_slot() { pkcsconf -t 2>/dev/null | awk '/^Token #/ { n = $2 } /Model: .*Soft/ { gsub(/[^0-9]/, "", n); print n; exit }'; }
has_slot() { [ -n "$(soft_slot)" ]; }

@test "opencryptoki's soft token" {
    module_pin 12345678
    within 10 has_slot || skip "no soft token in opencryptoki's slots: $(pkcsconf -t 2>&1 | head -5)"
    local slot
    slot=$(soft_slot)
    printf '87654321\nchancery\n' | pkcsconf -c "$slot" -I >/dev/null
    printf '87654321\n76543210\n76543210\n' | pkcsconf -c "$slot" -P >/dev/null
    printf '76543210\n12345678\n12345678\n' | pkcsconf -c "$slot" -u >/dev/null
    TOKEN_YAML="    module: $LIB
    uri: pkcs11:token=chancery
    connects: local
    reads: [/etc/passwd, /etc/group, /etc/nsswitch.conf, /etc/opencryptoki]
    shares: [/var/lib/opencryptoki, /run/lock/opencryptoki, /run, /dev/shm]"
    signs_and_issues rsa-2048 rsa-3072
}
