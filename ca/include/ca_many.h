/*
 * Revoking many certificates, and looking beforehand at what that would hit. A job goes through what was
 * chosen in small steps, so that issuance goes on beside it; it lives as long as the process. What it has
 * revoked stands, whatever becomes of it: started again it finds that already. On the loop's thread.
 */
#ifndef CHANCERY_CA_MANY_H
#define CHANCERY_CA_MANY_H

#include "ca_revoke.h"

enum { CA_MANY_ID_BYTES = 33, CA_MANY_SERIALS = 6000, CA_MANY_GROUPS = 64 };

/* Which: those a query finds, or these serials, or whatever the seal roll says was sealed in that time. */
enum ca_many_source { CA_MANY_QUERY, CA_MANY_SERIALS_GIVEN, CA_MANY_ROLL };
struct ca_many_ask {
    const struct ca_asker *asker;
    enum ca_many_source source;
    const struct ledger_query *query; /* limit and cursor are the job's */
    const char *issuer;               /* SERIALS_GIVEN: may be NULL */
    const struct view *serials;
    size_t serials_n;
    int64_t since_ms, until_ms; /* ROLL: by the vault's clock, both included; until 0: now */
    struct ca_revocation what;
    bool dry_run;
    uint64_t at_most;     /* stops before one more is revoked; 0: no bound */
    uint64_t per_second;  /* 0: as fast as it goes */
    const char *question; /* in words, for the ledger: "under=dns:pay.example" */
};

struct ca_many_group { /* "others" takes what finds no place */
    char name[128];
    uint64_t n;
};
struct ca_many_groups {
    size_t n;
    struct ca_many_group all[CA_MANY_GROUPS];
};

enum ca_many_state { CA_MANY_RUNNING, CA_MANY_DONE, CA_MANY_STOPPED, CA_MANY_FAILED };
struct ca_many_report {
    char id[CA_MANY_ID_BYTES];
    enum ca_many_state state;
    const char *why; /* STOPPED, FAILED: in words; else "" */
    bool dry_run;
    const char *question;
    enum cert_reason reason;
    int64_t started_s, ended_s;
    uint64_t chosen;  /* seen so far */
    uint64_t hit;     /* revoked; dry run: would be */
    uint64_t already; /* were revoked */
    uint64_t expired; /* of those hit: past their end */
    uint64_t renewed; /* dry run, of those hit: another one in force has the same names */
    uint64_t refused; /* not this asker's to revoke, a CA's, or not yet handed out */
    uint64_t missing; /* serials that are not on record */
    uint64_t strays;  /* ROLL, of those hit: sealed, and the ledger does not know them */
    struct ca_many_groups owners, templates, issuers; /* of those hit */
};

/* ERR_FORBIDDEN for who may not; ERR_BUSY where 4 run already; ERR_BAD_FIELD. */
MUST_USE struct err *ca_many_start(struct ca *ca, const struct ca_many_ask *ask,
                                   const struct ca_many_report **ret);
/* A requester's own alone; ERR_NOT_FOUND. Valid until control returns to the loop. The last 16 are kept. */
MUST_USE struct err *ca_many_find(struct ca *ca, const struct ca_asker *asker, const char *id,
                                  const struct ca_many_report **ret);
/* No step after this one. */
MUST_USE struct err *ca_many_stop(struct ca *ca, const struct ca_asker *asker, const char *id);

#endif
