/* What the files of a mass revocation share: a job, and the step it is in. */
#ifndef CHANCERY_CA_MANY_INSIDE_H
#define CHANCERY_CA_MANY_INSIDE_H

#include "asker.h"
#include "ca_many.h"
#include "house.h"

enum { MANY_STEP = 64, MANY_CURSOR_BYTES = 64 };

/* One of those chosen. */
struct many_item {
    bool known; /* cert is set; else: not on record */
    struct ledger_cert cert;
    bool sealed; /* ROLL: what the roll says of it */
    const char *issuer;
    struct view serial, tbs_sha256;
    const char *template;
    uint64_t n;
    int64_t sealed_at;
};

struct many_job {
    struct many_job *next;
    struct ca *ca;
    struct arena *arena; /* of what was asked */
    struct arena *page;  /* of the step in hand */
    struct loop_timer *timer;
    struct ca_asker asker;
    struct ca_many_ask ask;
    struct ledger_query query;
    struct ca_many_report report;
    char cursor[MANY_CURSOR_BYTES];
    size_t next_serial;
    uint64_t next_n, low_n,
        high_n;        /* ROLL: entries; where the time begins is searched between low and high */
    struct hsm *vault; /* ROLL: whose roll is read, one after the other; NULL: none yet */
    bool placed;       /* ROLL: next_n is where the time begins */
    bool more;         /* another step follows */
    size_t waiting;    /* answers of the ledger in this step */
    uint64_t struck;   /* in this step, for the pace */
};

/* many_source.c: the next step's items go to many_take(), at once or later; an error goes to many_fail(). */
void many_fetch(struct many_job *job);

/* many.c */
void many_take(struct many_job *job, const struct many_item *items, size_t n, bool more);
void many_fail(struct many_job *job, struct err *e); /* takes e */

/* many_report.c */
void many_count(struct many_job *job, const struct many_item *item);
MUST_USE struct err *many_renewed(struct many_job *job, const struct ledger_cert *cert, bool *ret);

#endif
