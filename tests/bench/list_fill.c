/* Rows by the hundred thousand in one transaction: entries of the log would take a minute and are not
 * measured. */
#include "list_fill.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/world.h"
#include "core.h"
#include "pace.h"

enum { AT_ONCE = 200000, PATH_BYTES = 4096 };

static void must(struct err *e)
{
    if (e)
        pace_die("%s: %s", err_row(err_code(e))->name, err_detail(e));
}

int64_t fill_now(void)
{
    return world_now_s();
}

/* Ascending, and spread as random ones are. */
void fill_entry(unsigned long i, uint8_t serial[SERIAL_BYTES], int64_t *ret_at, unsigned *ret_reason)
{
    memset(serial, 0x5a, SERIAL_BYTES);
    serial[0] = 0x41;
    for (int k = 0; k < 5; k++)
        serial[1 + k] = (uint8_t)(i >> 8 * (4 - k));
    *ret_at = INT64_C(1700000000) + (int64_t)(i % 1000000);
    *ret_reason = 1 + (unsigned)(i % 5);
}

static void put_one(struct ledger *l, struct store_txn *t, unsigned long i, unsigned partition)
{
    uint8_t serial[SERIAL_BYTES];
    struct revoked_row row = {.not_after = fill_now() + 86400, .intent = i + 1, .end = 1};
    unsigned reason;
    fill_entry(i, serial, &row.at, &reason);
    row.reason = reason;
    struct key whole = key_serial(FILL_ISSUER, view_of(serial, SERIAL_BYTES));
    struct key part = key_number(FILL_ISSUER, i / partition + 1);
    key_add(&part, view_of(serial, SERIAL_BYTES));
    must(ROW_PUT(l->ops, t, TABLE_REVOKED, key_view(&whole), &row, STORE_PUT));
    must(ROW_PUT(l->ops, t, TABLE_PART, key_view(&part), &row, STORE_PUT));
}

static void fill(struct ledger *l, unsigned long revoked, unsigned partition)
{
    for (unsigned long i = 0; i < revoked;) {
        struct store_txn *t;
        must(l->ops->begin(l->store, true, &t));
        for (unsigned long n = 0; n < AT_ONCE && i < revoked; n++, i++)
            put_one(l, t, i, partition);
        must(l->ops->commit(t));
    }
}

void fill_open(const char *dir, unsigned long revoked, unsigned partition, struct filled *ret)
{
    char path[PATH_BYTES];
    if (mkdir(dir, 0700) != 0)
        pace_die("%s: it must not be there yet", dir);
    snprintf(path, sizeof path, "%s/ledger", dir);
    must(ledger_open(path, NULL, NULL, &ret->ledger));
    snprintf(path, sizeof path, "%s/shelf", dir);
    must(shelf_open(path, 0, NULL, &ret->shelf));
    fill(ret->ledger, revoked, partition);
}

void fill_close(struct filled *f)
{
    ledger_close(f->ledger);
    shelf_close(f->shelf);
}

static struct ledger_result append(struct filled *f, const struct ledger_entry *entry)
{
    struct ledger_result r;
    must(ledger_append_wait(f->ledger, entry, &r));
    return r;
}

static void serial_of(unsigned i, uint8_t serial[SERIAL_BYTES])
{
    memset(serial, 0x33, SERIAL_BYTES);
    serial[1] = (uint8_t)(i >> 8);
    serial[2] = (uint8_t)i;
}

void fill_issue(struct filled *f, uint64_t partition, unsigned n)
{
    uint8_t serial[SERIAL_BYTES], hash[SHA256_BYTES] = {1};
    for (unsigned i = 0; i < n; i++) {
        serial_of(i, serial);
        const struct ledger_entry intent = {.kind = LEDGER_INTENT,
                                            .actor = "bench",
                                            .issuer = FILL_ISSUER,
                                            .serial = view_of(serial, SERIAL_BYTES),
                                            .body.intent = {.template = "server",
                                                            .subject = "",
                                                            .not_after = fill_now() + 86400,
                                                            .spki_sha256 = view_of(hash, SHA256_BYTES),
                                                            .tbs = view_of(serial, SERIAL_BYTES),
                                                            .partition = partition}};
        struct ledger_entry record = {
            .kind = LEDGER_RECORD,
            .actor = "bench",
            .body.record = {.n = i + 1, .alg = "ecdsa-sha256", .signature = view_str("s")}};
        record.ref = append(f, &intent).seq;
        append(f, &record);
    }
}

void fill_revoke(struct filled *f, unsigned i)
{
    uint8_t serial[SERIAL_BYTES];
    serial_of(i, serial);
    const struct ledger_entry revoke = {.kind = LEDGER_REVOKE,
                                        .actor = "bench",
                                        .issuer = FILL_ISSUER,
                                        .serial = view_of(serial, SERIAL_BYTES),
                                        .body.revoke = {.reason = 1}};
    append(f, &revoke);
}

void fill_base(struct filled *f, uint64_t number)
{
    uint8_t hash[SHA256_BYTES] = {2};
    struct ledger_head head;
    must(ledger_head(f->ledger, &head));
    const struct ledger_entry list = {.kind = LEDGER_CRL,
                                      .actor = "bench",
                                      .issuer = FILL_ISSUER,
                                      .body.crl = {.number = number,
                                                   .this_update = fill_now(),
                                                   .next_update = fill_now() + 86400,
                                                   .upto = head.entries,
                                                   .n = 1,
                                                   .sha256 = view_of(hash, SHA256_BYTES)}};
    append(f, &list);
}
