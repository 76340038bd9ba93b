# Arrows run downward only, and foreign headers have one home each (doc/ARCHITECTURE.md).

setup() {
    cd "$CHANCERY_TOP"
}

# room: the rooms it may use. The compiler enforces the same through each room's CMakeLists.txt; this reads the sources,
# so that a wrong USES line is seen too.
allowed() {
    case "$1" in
        base) echo base ;;
        config) echo base config ;;
        cert) echo base cert ;;
        http) echo base http ;;
        courier) echo base courier ;;
        templates) echo base cert templates ;;
        hsm) echo base cert templates hsm ;;
        ledger) echo base ledger ;;
        tlog) echo base cert courier hsm ledger tlog ;;
        ca) echo base cert hsm ledger templates ca ;;
        ocsp) echo base cert hsm ledger http ocsp ;;
        crl) echo base cert hsm ledger http courier crl ;;
        enroll) echo base cert http courier ca templates ledger hsm tlog enroll ;;
        daemon) echo base config cert http courier templates hsm ledger courier ca crl ocsp enroll tlog daemon ;;
        cli) echo base config cert http courier templates hsm ledger ca enroll tlog cli ;;
    esac
}

# The room a public header belongs to, by where it lies.
home_of() {
    local f
    f=$(ls -d -- */include/"$1" 2>/dev/null | head -1)
    echo "${f%%/*}"
}

@test "no room includes a header of a room above it" {
    bad=0
    for room in base config cert http courier templates hsm ledger tlog ca crl ocsp enroll daemon cli; do
        while IFS=: read -r file header; do
            home=$(home_of "$header")
            [ -z "$home" ] && continue
            case " $(allowed "$room") " in
                *" $home "*) ;;
                *) echo "$file includes $header of $home"; bad=1 ;;
            esac
        done < <(grep -rnoP --include=*.c --include=*.h '^#include "\K[^"]+' "$room" 2>/dev/null | sed -E 's/^([^:]+):[0-9]+:/\1:/')
    done
    [ "$bad" = 0 ]
}

# header pattern -> files that may include it
only_in() {
    local pattern=$1 home=$2 found
    found=$(grep -rlE --include=*.c --include=*.h "^#include <$pattern" base config cert http courier templates hsm ledger tlog ca crl ocsp enroll daemon cli 2>/dev/null | grep -vE "$home" || true)
    [ -z "$found" ] || { echo "<$pattern> outside $home: $found"; return 1; }
}

@test "foreign headers stay in their one home" {
    only_in 'lmdb\.h' '^ledger/store_lmdb\.c$'
    only_in 'libp11\.h' '^hsm/module\.c$'
    only_in 'event2/' '^(base/loop\.c|http/)'
    only_in 'openssl/ssl\.h' '^(http/|courier/check_alpn\.c$)'
    only_in 'curl/' '^(courier/transfer[a-z_]*|cli/trust_fetch)\.[ch]$'
    only_in 'ares' '^courier/(resolver|dns_answer)\.c$'
    only_in 'zlib\.h' '^crl/squeeze\.c$'
    only_in 'yaml\.h' '^base/conf[a-z_]*\.c$'
    only_in 'p11-kit/' '^hsm/'
}

@test "a header that everything includes does not exist" {
    [ -z "$(find . -path ./build -prune -o \( -name 'util*.[ch]' -o -name 'common*.[ch]' -o -name 'misc*.[ch]' -o -name 'helper*.[ch]' \) -print | grep -v '^./build')" ]
}
