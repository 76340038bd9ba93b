/*
 * The ledger in one file, with the seal roll, for whoever checks it elsewhere. DER values one after the
 * other:
 *
 *     Head  ::= SEQUENCE { name UTF8String ("chancery-export"), version INTEGER (1), entries INTEGER, madeMs
 * INTEGER, rolls INTEGER } Roll  ::= OCTET STRING, the whole entries of a vault's roll.der as they were just
 * before; as many as Head says Entry ::= SEQUENCE { leaf OCTET STRING (32), value Value }    Value:
 * ledger_entry.h; from entry 1 on End   ::= SEQUENCE { entries INTEGER, root OCTET STRING (32), sha256 OCTET
 * STRING (32; of all octets before End) }
 *
 * Writing works beside a running front, in short read transactions; reading needs nothing but the file.
 * Blocking; any thread.
 */
#ifndef CHANCERY_LEDGER_EXPORT_H
#define CHANCERY_LEDGER_EXPORT_H

#include "ledger_verify.h"

/* Takes the next octets; borrowed. */
typedef struct err *ledger_export_give(void *arg, struct view octets);
struct ledger_export {
    uint64_t entries;         /* the first so many, which must be there */
    const struct view *rolls; /* read before that number was asked for */
    size_t rolls_n;
    int64_t now_ms;
    ledger_export_give *give;
    void *arg;
};
MUST_USE struct err *ledger_export(struct ledger *l, const struct ledger_export *x);

struct ledger_export_file {
    uint64_t entries;
    int64_t made_ms;
    struct view rolls[LEDGER_ROLLS_MAX];
    size_t rolls_n;
    struct view file, rest; /* rest: what follows the rolls */
};
/* ERR_CORRUPT naming the octet. Views borrow from file. */
MUST_USE struct err *ledger_export_open(struct view file, struct ledger_export_file *ret);

/* A head as the roll has it; ascending by n. */
struct ledger_export_head {
    uint64_t n, size;
    uint8_t root[32];
};
struct ledger_verify_export {
    struct ledger_verify how; /* next_seal, on_finding, live */
    const struct ledger_export_head *heads;
    size_t heads_n;
    /* Each entry that can be read, in order, for what the ledger does not know: signatures. */
    void (*on_entry)(void *arg, const struct ledger_entry *entry);
};
/* What ledger_verify does, but for the indexes, which an export does not have. Never stops at a finding, but
 * where the file's form is lost; says how far it came. */
MUST_USE struct err *ledger_verify_export(const struct ledger_export_file *f,
                                          const struct ledger_verify_export *v,
                                          struct ledger_verify_report *ret);

#endif
