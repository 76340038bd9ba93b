/*
 * Keys and rows of the ledger's store, to octets and back. Knows no transaction logic. Any thread.
 */
#include "rows.h"

#include "base/check.h"

const char *const rows_tables[TABLE__COUNT] = {
#define TABLE(name, text) text,
#include "tables.def"
#undef TABLE
};

static void add(struct key *k, const void *p, size_t n)
{
    CHECK(n <= KEY_BYTES - k->n);
    if (n > 0)
        memcpy(k->b + k->n, p, n);
    k->n += n;
}

void key_add_seq(struct key *k, uint64_t seq)
{
    uint8_t b[8];
    be64_put(b, seq);
    add(k, b, sizeof(b));
}

void key_add(struct key *k, struct view bytes)
{
    add(k, bytes.p, bytes.n);
}

struct key key_seq(uint64_t seq)
{
    struct key k = {0};
    key_add_seq(&k, seq);
    return k;
}

struct key key_bytes(struct view bytes)
{
    struct key k = {0};
    add(&k, bytes.p, bytes.n);
    return k;
}

struct key key_text(const char *text)
{
    struct key k = {0};
    add(&k, text, strnlen(text, KEY_TEXT_BYTES));
    add(&k, "", 1);
    return k;
}

struct key key_serial(const char *issuer, struct view serial)
{
    struct key k = key_text(issuer);
    add(&k, serial.p, serial.n);
    return k;
}

struct key key_number(const char *issuer, uint64_t number)
{
    struct key k = key_text(issuer);
    key_add_seq(&k, number);
    return k;
}

uint64_t key_last_seq(struct view key)
{
    return key.n < KEY_SEQ_BYTES ? 0 : be64_get(key.p + key.n - KEY_SEQ_BYTES);
}

bool key_after_prefix(struct key *k)
{
    while (k->n > 0 && k->b[k->n - 1] == 0xff)
        k->n--;
    if (k->n == 0)
        return false;
    k->b[k->n - 1]++;
    return true;
}

struct key key_object(char by, unsigned kind, struct view name)
{
    const uint8_t head[] = {(uint8_t)by, (uint8_t)kind};
    struct key k = key_bytes(view_of(head, sizeof(head)));
    add(&k, name.p, name.n);
    return k;
}

bool rows_is_object(unsigned kind)
{
    return kind >= LEDGER_ACME_ACCOUNT && kind <= LEDGER_ACME_NONCES;
}

struct changed_row rows_changed(struct view serial, uint64_t partition)
{
    struct changed_row row = {.partition = partition};
    uint8_t padded[sizeof(row.serial)] = {0};
    _Static_assert(SERIAL_BYTES <= sizeof(row.serial), "a serial fits");
    CHECK(serial.n == SERIAL_BYTES);
    memcpy(padded, serial.p, SERIAL_BYTES);
    for (size_t i = 0; i < 3; i++)
        row.serial[i] = be64_get(padded + 8 * i);
    return row;
}

void rows_changed_serial(const struct changed_row *row, uint8_t ret[SERIAL_BYTES])
{
    uint8_t padded[sizeof(row->serial)];
    for (size_t i = 0; i < 3; i++)
        be64_put(padded + 8 * i, row->serial[i]);
    memcpy(ret, padded, SERIAL_BYTES);
}

uint64_t rows_scope(const struct ledger_entry *list)
{
    if (list->kind == LEDGER_CRL)
        return LEDGER_WHOLE;
    return list->kind == LEDGER_CRL_DELTA ? LEDGER_DELTA : list->body.crl.partition;
}

struct issuer_row rows_issuer_after(const struct issuer_row *row, const struct ledger_entry *list)
{
    const struct ledger_crl *crl = &list->body.crl;
    struct issuer_row after = *row;
    after.number = crl->number;
    if (list->kind == LEDGER_CRL) {
        after.crl = list->seq;
        after.upto = crl->upto;
        after.this_update = crl->this_update;
    }
    return after;
}

struct row_bytes rows_pack(const void *row, size_t n)
{
    struct row_bytes to = {.n = n};
    CHECK(n <= ROW_BYTES && n % 8 == 0);
    for (size_t i = 0; i < n; i += 8) {
        uint64_t v;
        memcpy(&v, (const uint8_t *)row + i, 8);
        be64_put(to.b + i, v);
    }
    return to;
}

struct err *rows_unpack(struct view stored, void *row, size_t n, enum table table)
{
    if (stored.n != n)
        return err_new(ERR_CORRUPT, "index %s has a row of %zu octets in place of %zu", rows_tables[table],
                       stored.n, n);
    for (size_t i = 0; i < n; i += 8) {
        uint64_t v = be64_get(stored.p + i);
        memcpy((uint8_t *)row + i, &v, 8);
    }
    return NULL;
}

struct err *rows_get(const struct store_ops *ops, struct store_txn *t, enum table table, struct view key,
                     void *row, size_t n, bool *ret_found)
{
    struct view v;
    struct err *e = ops->get(t, table, key, &v);
    if (e)
        return e;
    *ret_found = v.p != NULL;
    memset(row, 0, n);
    return v.p ? rows_unpack(v, row, n, table) : NULL;
}

struct err *rows_put(const struct store_ops *ops, struct store_txn *t, enum table table, struct view key,
                     const void *row, size_t n, enum store_put how)
{
    struct row_bytes b = rows_pack(row, n);
    return ops->put(t, table, key, view_of(b.b, b.n), how);
}
