/*
 * Writing entries as they were written before: each under the same rule, at its own time, with its own
 * octets. What the rule would refuse now it would have refused then, so such an entry is no part of a whole
 * log. A ledger without a loop alone.
 */
#include <inttypes.h>

#include "base/check.h"
#include "entry.h"
#include "write.h"

static struct err *does_not_follow(const struct core_append *a)
{
    const char *why = a->item.error ? err_detail(a->item.error) : "it changes nothing";
    struct err *e = err_new(ERR_CORRUPT, "entry %" PRIu64 " (%s) does not follow from those before it: %s",
                            a->entry.seq, ledger_kind_text(a->entry.kind), why);
    err_free(a->item.error);
    return e;
}

static struct err *check(struct write *w, const struct write_rule *rule, struct core_append *a)
{
    struct err *e = NULL;
    struct ledger_entry said = a->entry;
    if (rule->check)
        TRY(rule->check(w, a));
    if (a->item.error || a->result.outcome != LEDGER_WRITTEN || a->entry.ref != said.ref ||
        strcmp(a->entry.issuer, said.issuer) != 0 || !view_eq(a->entry.serial, said.serial))
        e = does_not_follow(a);
out:
    return e;
}

struct err *write_replay(struct write *w, const struct ledger_entry *en, struct view value,
                         struct arena *arena)
{
    struct err *e = NULL;
    const struct write_rule *rule = write_rule_of(en->kind);
    struct core_append a = {.arena = arena, .entry = *en, .result = {.outcome = LEDGER_WRITTEN}};
    bool instant = w->tree.n == 0 || en->time_ms != w->now_ms;
    a.result.time_ms = w->now_ms = en->time_ms;
    a.result.seq = en->seq;
    TRY(check(w, rule, &a));
    TRY(write_value(w, value, en->leaf));
    w->written = 1; /* so that its instant begins with it, where it does */
    if (instant)
        TRY(write_time(w));
    if (rule->apply)
        TRY(rule->apply(w, &a));
    finder_add(w->ledger->finder, &a.entry, en->kind == LEDGER_RECORD ? a.fingerprint : NULL);
out:
    return e;
}
