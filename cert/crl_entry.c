/*
 * Entries of a CRL, both ways, and the reasons for revocation (RFC 5280 5.1.2.6, 5.3).
 *
 * An entry is at most 81 octets, so every length in it is one octet; none of this allocates. Any thread.
 */
#include "crl_entry.h"

#include "base/when.h"
#include "ext_value.h"

static const char *const reasons[] = {
    [CERT_REASON_UNSPECIFIED] = "unspecified",
    [CERT_REASON_KEY_COMPROMISE] = "keyCompromise",
    [CERT_REASON_CA_COMPROMISE] = "cACompromise",
    [CERT_REASON_AFFILIATION_CHANGED] = "affiliationChanged",
    [CERT_REASON_SUPERSEDED] = "superseded",
    [CERT_REASON_CESSATION_OF_OPERATION] = "cessationOfOperation",
    [CERT_REASON_CERTIFICATE_HOLD] = "certificateHold",
    [7] = NULL,
    [CERT_REASON_REMOVE_FROM_CRL] = "removeFromCRL",
    [CERT_REASON_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
    [CERT_REASON_AA_COMPROMISE] = "aACompromise",
};
enum { REASONS = sizeof reasons / sizeof *reasons };

const char *cert_crl_reason_name(enum cert_reason reason)
{
    return (unsigned)reason < REASONS ? reasons[reason] : NULL;
}

struct err *cert_crl_reason_parse(struct view name, enum cert_reason *ret)
{
    for (int i = 0; i < REASONS; i++) {
        if (reasons[i] && view_eq_str(name, reasons[i])) {
            *ret = (enum cert_reason)i;
            return NULL;
        }
    }
    return err_new(ERR_BAD_FIELD, "no such reason; there are unspecified, keyCompromise, cACompromise, "
                                  "affiliationChanged, superseded, cessationOfOperation, certificateHold, "
                                  "privilegeWithdrawn and aACompromise (RFC 5280 5.3.1)");
}

int cert_crl_serial_cmp(struct view a, struct view b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

bool crl_entry_serial_ok(struct view serial)
{
    if (serial.n == 0 || serial.n > SERIAL_MAX_BYTES || serial.p[0] & 0x80)
        return false;
    if (serial.n == 1)
        return serial.p[0] != 0;
    return serial.p[0] != 0 || serial.p[1] & 0x80;
}

/* --- writing --- */

#define YEAR_1950  INT64_C(-631152000)
#define YEAR_2050  INT64_C(2524608000)
#define YEAR_0     INT64_C(-62167219200)
#define YEAR_10000 INT64_C(253402300800)

enum {
    REASON_BYTES = 12,
    INVALIDITY_BYTES = 26,
    GENTIME_CHARS = 15,
    UTCTIME_CHARS = 13,
};

static size_t ext_bytes(const struct cert_crl_entry *entry)
{
    return (entry->reason ? REASON_BYTES : 0) + (entry->has_invalidity ? INVALIDITY_BYTES : 0);
}

static size_t body_bytes(const struct cert_crl_entry *entry)
{
    size_t time = entry->revoked_at < YEAR_2050 ? UTCTIME_CHARS : GENTIME_CHARS, exts = ext_bytes(entry);
    return 2 + entry->serial.n + 2 + time + (exts ? 2 + exts : 0);
}

size_t cert_crl_entry_bytes(const struct cert_crl_entry *entry)
{
    return 2 + body_bytes(entry);
}

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

static uint8_t *put_digits(uint8_t *to, int value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        to[i] = (uint8_t)('0' + value % 10);
    return to + digits;
}

/* Tag, length and text; NULL where no form can say it. */
static uint8_t *put_time(uint8_t *to, int64_t s, bool always_general)
{
    struct when_fields f;
    bool general = always_general || s >= YEAR_2050;
    if (s < (general ? YEAR_0 : YEAR_1950) || s >= YEAR_10000)
        return NULL;
    when_split(s, &f);
    *to++ = general ? DER_GENERALIZED_TIME : DER_UTC_TIME;
    *to++ = general ? GENTIME_CHARS : UTCTIME_CHARS;
    to = put_digits(to, general ? f.year : f.year % 100, general ? 4 : 2);
    const int rest[] = {f.month, f.day, f.hour, f.minute, f.second};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        to = put_digits(to, rest[i], 2);
    *to++ = 'Z';
    return to;
}

/* A reason up to its value: Extension, OID, OCTET STRING, ENUMERATED. */
static const uint8_t reason_head[] = {0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};

static uint8_t *put_exts(uint8_t *to, const struct cert_crl_entry *entry)
{
    static const uint8_t invalidity[] = {0x30, 0x18, 0x06, 0x03, 0x55, 0x1d, 0x18, 0x04, 0x11};
    *to++ = DER_SEQUENCE;
    *to++ = (uint8_t)ext_bytes(entry);
    if (entry->reason) {
        to = put(to, reason_head, sizeof reason_head);
        *to++ = (uint8_t)entry->reason;
    }
    if (entry->has_invalidity) {
        to = put(to, invalidity, sizeof invalidity);
        to = put_time(to, entry->invalid_from, true);
    }
    return to;
}

struct err *crl_entry_write(const struct cert_crl_entry *entry, uint8_t to[CRL_ENTRY_MAX_BYTES],
                            size_t *ret_n)
{
    uint8_t *at = to;
    if (!crl_entry_serial_ok(entry->serial))
        return err_new(ERR_CORRUPT, "a serial in a list that is not positive and minimal (RFC 5280 4.1.2.2)");
    if (!cert_crl_reason_name(entry->reason))
        return err_new(ERR_CORRUPT, "a reason in a list that does not exist (RFC 5280 5.3.1)");
    *at++ = DER_SEQUENCE;
    *at++ = (uint8_t)body_bytes(entry);
    *at++ = DER_INTEGER;
    *at++ = (uint8_t)entry->serial.n;
    at = put(at, entry->serial.p, entry->serial.n);
    at = put_time(at, entry->revoked_at, false);
    if (at && ext_bytes(entry))
        at = put_exts(at, entry);
    if (!at)
        return err_new(ERR_CORRUPT, "a time in a list that DER cannot say (RFC 5280 4.1.2.5)");
    *ret_n = (size_t)(at - to);
    return NULL;
}

/* --- reading --- */

static struct err *read_reason(struct view value, enum cert_reason *ret)
{
    struct err *e = NULL;
    uint64_t reason = 0;
    TRY(der_read_enum(&value, REASONS - 1, &reason));
    TRY(der_end(value));
    if (reason == CERT_REASON_UNSPECIFIED || !reasons[reason])
        return err_new(ERR_BAD_EXTENSION, "a reason that does not exist or is left out (RFC 5280 5.3.1)");
    *ret = (enum cert_reason)reason;
out:
    return e;
}

/* reasonCode, then invalidityDate, as the writer orders them. */
static struct err *read_exts(struct view seq, struct cert_crl_entry *entry)
{
    struct err *e = NULL;
    struct cert_ext ext;
    if (!seq.n)
        return err_new(ERR_BAD_EXTENSION, "an empty list of extensions in an entry (RFC 5280 5.1.2.6)");
    while (seq.n) {
        TRY(ext_value_read_one(&seq, &ext));
        enum cert_ext_id id = cert_ext_id_of(ext.oid);
        bool first = !entry->reason && !entry->has_invalidity;
        if (id == CERT_EXT_REASON && !ext.critical && first) {
            TRY(read_reason(ext.value, &entry->reason));
            continue;
        }
        if (id != CERT_EXT_INVALIDITY || ext.critical || entry->has_invalidity)
            return err_new(ERR_BAD_EXTENSION,
                           "an extension in an entry that is not expected there (RFC 5280 5.3)");
        TRY(cert_ext_read_invalidity(ext.value, &entry->invalid_from));
        entry->has_invalidity = true;
    }
out:
    return e;
}

/* Serial of 20 octets, UTCTime, a reason and nothing more: what nearly all of a million look like, read at a
 * fifth of the cost. */
enum { PLAIN_BODY_BYTES = 2 + SERIAL_MAX_BYTES + 2 + UTCTIME_CHARS + 2 + REASON_BYTES };

static bool is_plain(struct view entries)
{
    static const uint8_t head[] = {DER_SEQUENCE, PLAIN_BODY_BYTES, DER_INTEGER, SERIAL_MAX_BYTES};
    static const uint8_t time[] = {DER_UTC_TIME, UTCTIME_CHARS};
    static const uint8_t exts[] = {DER_SEQUENCE, REASON_BYTES};
    if (entries.n < 2 + PLAIN_BODY_BYTES || memcmp(entries.p, head, sizeof head) != 0)
        return false;
    const uint8_t *p = entries.p + sizeof head + SERIAL_MAX_BYTES;
    return memcmp(p, time, sizeof time) == 0 &&
           memcmp(p + sizeof time + UTCTIME_CHARS, exts, sizeof exts) == 0 &&
           memcmp(p + sizeof time + UTCTIME_CHARS + sizeof exts, reason_head, sizeof reason_head) == 0;
}

/* false: not of this shape, or wrong in some way that the general reader names. */
static bool read_plain(struct view *entries, struct cert_crl_entry *ret)
{
    struct view serial, time;
    if (!is_plain(*entries))
        return false;
    uint8_t reason = entries->p[1 + PLAIN_BODY_BYTES];
    serial = view_of(entries->p + 4, SERIAL_MAX_BYTES);
    time = view_of(serial.p + serial.n, 2 + UTCTIME_CHARS);
    if (!crl_entry_serial_ok(serial) || !reason || !cert_crl_reason_name(reason))
        return false;
    struct cert_crl_entry entry = {.serial = serial, .reason = (enum cert_reason)reason};
    struct err *e = der_read_time(&time, &entry.revoked_at);
    if (e) {
        err_free(e);
        return false;
    }
    *ret = entry;
    *entries = view_from(*entries, 2 + PLAIN_BODY_BYTES);
    return true;
}

struct err *cert_crl_next(struct view *entries, struct cert_crl_entry *ret)
{
    struct err *e = NULL;
    if (read_plain(entries, ret))
        return NULL;
    struct view rest = *entries, seq, exts;
    struct cert_crl_entry entry = {.reason = CERT_REASON_UNSPECIFIED};
    TRY(der_read(&rest, DER_SEQUENCE, &seq));
    TRY(der_read_integer(&seq, &entry.serial));
    if (!crl_entry_serial_ok(entry.serial))
        return err_new(ERR_BAD_DER,
                       "a serial that is not positive or longer than %d octets (RFC 5280 5.1.2.6)",
                       SERIAL_MAX_BYTES);
    TRY(der_read_time(&seq, &entry.revoked_at));
    if (seq.n) {
        TRY(der_read(&seq, DER_SEQUENCE, &exts));
        TRY(der_end(seq));
        TRY(read_exts(exts, &entry));
    }
    *ret = entry;
    *entries = rest;
out:
    return e;
}
