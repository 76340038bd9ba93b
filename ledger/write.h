/* The rules of each kind, applied inside the write transaction. On the writer's thread. */
#ifndef CHANCERY_LEDGER_WRITE_H
#define CHANCERY_LEDGER_WRITE_H

#include "core.h"

struct write {
    struct ledger *ledger;
    const struct store_ops *ops;
    struct store_txn *txn;
    struct tree tree; /* of this transaction */
    int64_t now_ms;
    bool low; /* only what ends an intent or revokes is still taken */
    uint64_t written;
};

struct write_rule {
    bool spare; /* may use the room kept back */
    /* Looks, changes nothing. What is the entry's own fault goes into a->item.error; that it stands already,
     * into a->result.outcome. Returns only what makes the whole transaction fail. May be NULL. */
    struct err *(*check)(struct write *w, struct core_append *a);
    /* After the entry has its seq. May be NULL. */
    struct err *(*apply)(struct write *w, const struct core_append *a);
};
/* Never NULL. */
const struct write_rule *write_rule_of(unsigned kind);

/* write_intent.c */
MUST_USE struct err *write_intent_check(struct write *w, struct core_append *a);
MUST_USE struct err *write_intent_apply(struct write *w, const struct core_append *a);
/* An intent's seq as a key, with nothing behind it. */
MUST_USE struct err *write_mark(struct write *w, enum table table, uint64_t seq);
/* Removes idempotency keys past their time, a few at a call. */
MUST_USE struct err *write_intent_forget(struct write *w);
/* What a closing gives back: a use of the token, the idempotency key. */
MUST_USE struct err *write_intent_give_back(struct write *w, uint64_t seq,
                                            const struct ledger_intent *intent);

/* template.c */
MUST_USE struct err *write_template_check(struct write *w, struct core_append *a);
MUST_USE struct err *write_template_apply(struct write *w, const struct core_append *a);
/* write_act.c */
MUST_USE struct err *write_act_check_request(struct write *w, struct core_append *a);
MUST_USE struct err *write_act_check_step(struct write *w, struct core_append *a);
MUST_USE struct err *write_act_apply_request(struct write *w, const struct core_append *a);
MUST_USE struct err *write_act_apply_step(struct write *w, const struct core_append *a);
MUST_USE struct err *write_act_check_roster(struct write *w, struct core_append *a);
MUST_USE struct err *write_act_apply_roster(struct write *w, const struct core_append *a);
/* write_object.c */
MUST_USE struct err *write_object_check(struct write *w, struct core_append *a);
MUST_USE struct err *write_object_apply(struct write *w, const struct core_append *a);
/* write_list.c: lists, and what they are made of */
MUST_USE struct err *write_changed(struct write *w, const struct core_append *a);
MUST_USE struct err *write_partition(struct write *w, const struct core_append *a);
MUST_USE struct err *write_list_check(struct write *w, struct core_append *a);
MUST_USE struct err *write_list_apply(struct write *w, const struct core_append *a);

/* write_tags.c: the tags that entry `entry` gives this intent */
MUST_USE struct err *write_tags_put(struct write *w, uint64_t intent, uint64_t entry,
                                    const struct ledger_texts *tags);
MUST_USE struct err *write_tags_check(struct write *w, struct core_append *a);
MUST_USE struct err *write_tags_apply(struct write *w, const struct core_append *a);
/* write_restore.c */
MUST_USE struct err *write_restored_apply(struct write *w, const struct core_append *a);
MUST_USE struct err *write_accept_check(struct write *w, struct core_append *a);
MUST_USE struct err *write_accept_apply(struct write *w, const struct core_append *a);
MUST_USE struct err *write_unrecorded_apply(struct write *w, const struct core_append *a);
MUST_USE struct err *write_list_floor_apply(struct write *w, const struct core_append *a);

/* write.c: into log and tree, as the next one; the first entry of an instant, as index time has it; tree and
 * time. */
MUST_USE struct err *write_value(struct write *w, struct view value, const uint8_t leaf[SHA256_BYTES]);
MUST_USE struct err *write_time(struct write *w);
MUST_USE struct err *write_state(struct write *w);
/* write_replay.c: an entry that was written before, with its own octets. ERR_CORRUPT where it does not follow
 * from those before it. */
MUST_USE struct err *write_replay(struct write *w, const struct ledger_entry *en, struct view value,
                                  struct arena *arena);

static inline int64_t write_now_s(const struct write *w)
{
    return w->now_ms / 1000;
}

/* The rows that `a->entry.issuer` and such are keyed by. */
MUST_USE struct err *write_issuer_seen(struct write *w, const char *issuer);

#endif
