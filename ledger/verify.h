/* What the files of verification share: the ledger as its log alone says it should be. One thread. */
#ifndef CHANCERY_LEDGER_VERIFY_INSIDE_H
#define CHANCERY_LEDGER_VERIFY_INSIDE_H

#include "core.h"
#include "ledger_verify.h"
#include "map.h"

struct verify_intent {
    uint64_t seq, record, end, n, roll_floor;
    uint64_t sealed_n; /* in the roll; 0: not */
    int64_t time_ms, not_after, revoked_at, invalidity;
    size_t issuer, token; /* token + 1, 0: none */
    uint64_t partition;
    uint8_t state, reason;
    bool keyed;      /* has an idempotency key */
    uint64_t tagged; /* entry that has its tags, 0: it has none */
    bool unrecorded; /* the roll's alone, from the beginning */
    uint8_t serial[SERIAL_BYTES];
    uint8_t tbs[SHA256_BYTES];
};
struct verify_token {
    uint8_t id[SHA256_BYTES];
    struct token_row row;
};
struct verify_issuer {
    char name[LEDGER_ISSUER_BYTES + 1];
    struct issuer_row row;
    size_t roll; /* + 1, 0: no seal of it is known */
};
struct verify_crl {
    uint64_t n, seq;
    size_t issuer;
    bool sealed;
};
struct verify_template {
    char name[256];
    struct template_row row;
};
struct verify_partition {
    size_t issuer;
    uint64_t partition;
    struct partition_row row;
};
struct verify_head {
    uint64_t seq, size, n;
    uint8_t root[SHA256_BYTES];
    bool sealed; /* the roll has it */
};
struct verify_list { /* grows */
    void *items;
    size_t n, cap;
};

enum { VERIFY_TERMS = 8192 };

struct verify {
    struct ledger *ledger;
    const struct ledger_verify *how;
    struct ledger_verify_report *report;
    struct store_txn *txn;
    struct arena *arena;           /* of the entry in hand */
    struct tree tree, tree_before; /* with, and without, the entry in hand */
    int64_t last_time_ms;
    uint64_t restored;            /* entry whose loss is not accepted yet */
    uint64_t lost_after;          /* entries above it were lost, by the last restoration; */
    uint64_t accepted_n;          /* what seals before this one say of them is accepted */
    uint64_t pairs;               /* of term and intent that the index should have */
    uint64_t terms[VERIFY_TERMS]; /* of the entry in hand */
    size_t terms_n;
    uint64_t objects, objects_owned, aliases;
    struct map token_of, tbs_of, template_of, alias_of;
    size_t head_at;                           /* of the heads, the next that the roll should have */
    uint64_t tags, tagged;                    /* rows of these indexes */
    uint64_t changed, acts, act_steps, nodes; /* rows that these indexes should have */
    struct verify_list intents, tokens, issuers, crls, templates, partitions, heads;
};

void verify_free(struct verify *v);
void verify_found(struct verify *v, uint64_t seq, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What cannot be read because it is broken is a finding and no error. */
MUST_USE struct err *verify_softly(struct verify *v, uint64_t seq, struct err *e);
void *verify_list_add(struct verify_list *l, size_t item_bytes);
struct verify_intent *verify_intent_at(const struct verify *v, uint64_t seq); /* NULL: none */
static inline struct verify_intent *verify_intents(const struct verify *v)
{
    return v->intents.items;
}
static inline struct verify_issuer *verify_issuers(const struct verify *v)
{
    return v->issuers.items;
}
static inline struct verify_token *verify_tokens(const struct verify *v)
{
    return v->tokens.items;
}

static inline struct verify_template *verify_templates(const struct verify *v)
{
    return v->templates.items;
}

/* verify_state.c: one entry after the other. */
void verify_state(struct verify *v, const struct ledger_entry *en);
/* verify_index.c: that index `table` has this row, and how many it has. */
MUST_USE struct err *verify_index_entry(struct verify *v, const struct ledger_entry *en);
MUST_USE struct err *verify_index_all(struct verify *v);
/* verify_object.c: by what verify_index_all counts. */
MUST_USE struct err *verify_object_entry(struct verify *v, const struct ledger_entry *en);
/* verify_heads.c: those of the ledger's book; and one that the roll has. */
MUST_USE struct err *verify_heads(struct verify *v);
MUST_USE struct err *verify_head_seal(struct verify *v, const struct ledger_seal *s);
/* verify_roll.c */
MUST_USE struct err *verify_roll(struct verify *v);

#endif
