/* Entries about the front itself. Waits for none of them: what fails is logged. The loop's thread. */
#include "front_note.h"

#include "base/log.h"

static void written(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)arg;
    (void)r;
    if (e)
        log_error("ledger.note", log_err(e));
    err_free(e);
}

/* Which generation was in force from when on stands in the ledger. */
static struct err *note(struct ledger *l, unsigned kind, const struct setup *s, const char *what)
{
    struct ledger_entry entry = {
        .kind = kind,
        .actor = "self",
        .door = "self",
        .body.note = {what, s->generation.number, view_of(s->sha256, SHA256_BYTES)},
    };
    return ledger_append(l, &entry, written, NULL, NULL);
}

/* Who could approve what, at which time: for those who look at acts afterwards. Unchanged: nothing written.
 */
static struct err *note_roster(struct ledger *l, const struct setup *s)
{
    uint8_t hash[SHA256_BYTES];
    hsm_roster_hash(s->roster, hash);
    const struct ledger_entry entry = {
        .kind = LEDGER_ROSTER,
        .actor = "self",
        .door = "self",
        .body.roster = {.canonical = hsm_roster_canonical(s->roster), .sha256 = view_of(hash, sizeof hash)},
    };
    return ledger_append(l, &entry, written, NULL, NULL);
}

struct err *front_note_start(struct ledger *l, const struct setup *s)
{
    struct err *e = note(l, LEDGER_START, s, "chanceryd " CHANCERY_VERSION);
    return e ? e : note_roster(l, s);
}

struct err *front_note_generation(struct ledger *l, const struct setup *s)
{
    struct err *e = note(l, LEDGER_GENERATION, s, "reload");
    return e ? e : note_roster(l, s);
}
