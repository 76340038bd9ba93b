/*
 * How often: buckets for askers and templates, quotas for names, and the rules about keys and renewal
 * (templates_limits). Buckets are the front's memory and full after a start; what is on record is looked up
 * in the ledger, and the vault keeps its own ceilings. On the loop's thread.
 */
#ifndef CHANCERY_CA_QUOTA_H
#define CHANCERY_CA_QUOTA_H

#include "base/digest.h"
#include "ca.h"

struct quota;
struct issuance;

struct quota *quota_new(void);
void quota_free(struct quota *l); /* accepts NULL */

/* --- buckets, by themselves --- */

enum { QUOTA_ID_BYTES = 16 };
struct quota_id {
    uint8_t b[QUOTA_ID_BYTES]; /* first octets of a SHA-256; not all zero */
};
struct quota_id quota_id_of(const char *kind, const char *template, const char *who);
/* 0: there is one to be taken; else in how many ms there will be. */
int64_t quota_wait_ms(const struct quota *l, struct quota_id id, struct templates_rate rate, int64_t now_ms);
void quota_take(struct quota *l, struct quota_id id, struct templates_rate rate, int64_t now_ms);
size_t quota_count(const struct quota *l); /* buckets that are not full, about */

/* --- an issuance held against its template's limits; one row for each rule --- */

struct quota_row {
    const char *name;
    struct err *(*check)(struct issuance *is, const char *const *names, size_t n);
    const char *doc;
    bool bucket; /* one is taken from it */
};
extern const struct quota_row quota_rows[];
size_t quota_rows_count(void);

/* Every row, then takes from the buckets. ERR_RATE with when to ask again; ERR_BAD_KEY, ERR_POLICY. */
MUST_USE struct err *quota_hold(struct issuance *is, const char *const *names, size_t n);
/* The rows that look at what is on record alone: for what was held when it was asked for, and is made now. */
MUST_USE struct err *quota_books(struct issuance *is, const char *const *names, size_t n);

#endif
