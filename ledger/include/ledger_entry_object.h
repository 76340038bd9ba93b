/*
 * Bodies of entries that are each a state of an object which lives on: for ledger_entry.h. An object is made
 * by an entry with ref 0; each later entry is its whole new state, with ref its state before. What the states
 * mean is known in enroll/acme; the ledger knows the head alone.
 */
#ifndef CHANCERY_LEDGER_ENTRY_OBJECT_H
#define CHANCERY_LEDGER_ENTRY_OBJECT_H

#include "base/digest.h"
#include "ledger_entry_cert.h"

enum { LEDGER_OBJECT_ID_BYTES = 16 };

/* First in each of them. */
struct ledger_object {
    struct view id;    /* LEDGER_OBJECT_ID_BYTES */
    struct view owner; /* id of another object, or empty; never changes */
    struct view alias; /* SHA-256, or empty: another name for it */
    int64_t created;
};

struct ledger_acme_account { /* owner: the EAB key it came with; alias: the key's thumbprint, of one account
                                alone */
    struct ledger_object object;
    uint64_t status;
    struct view spki;
    struct ledger_texts contacts;
};

struct ledger_acme_eab { /* a key that accounts are bound to; the key itself is never here */
    struct ledger_object object;
    const char *label;
    struct ledger_texts templates, names;
    uint64_t accounts, used; /* at most so many; 0: without bound */
    uint64_t preapproved;    /* no challenge for names in `names` */
    int64_t expires, revoked_at;
};

struct ledger_acme_order { /* owner: the account */
    struct ledger_object object;
    uint64_t status;
    const char *template;
    struct ledger_texts names, authzs;
    int64_t expires, not_before, not_after; /* the last two as asked for, 0: not */
    const char *issuer;
    struct view serial, csr; /* csr: its SHA-256, or empty */
    const char *replaces;
    const char *error, *detail;
    struct ledger_texts subproblems;
    const char *waits; /* id of the act that people must approve first; "" or NULL */
};

struct ledger_acme_authz { /* owner: the account; alias: over account and name */
    struct ledger_object object;
    uint64_t status, wildcard;
    const char *name;  /* "dns:a.example" */
    const char *token; /* of all its challenges */
    const char *tried; /* the challenge that was chosen: "http-01"; "" none yet */
    int64_t expires, validated;
    const char *error, *detail;
};

struct ledger_acme_nonces { /* numbers below `upto` may have been given out */
    struct ledger_object object;
    uint64_t upto;
};

#endif
