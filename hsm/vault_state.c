/*
 * Which issuers are suspended or deleted: set by acts that the roster approved, kept in the roll alone, so
 * that neither a restart nor a front forgets it. What works in a state is the table of hsm_state.def; whether
 * a certificate is over, the vault's own clock. The vault's loop.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "vault_act.h"
#include "vault_state.h"

struct row {
    char name[HOUSE_NAME_MAX + 1];
    enum hsm_state state;
    int64_t until;
};

enum { ROWS_MAX = 1024 }; /* names are never used again, so some are of issuers long gone */

struct state_book {
    struct row rows[ROWS_MAX];
    size_t n;
};

struct state_book *state_book_new(void)
{
    struct state_book *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    return b;
}

void state_book_free(struct state_book *b)
{
    free(b);
}

static const struct row *find(const struct state_book *b, struct view name)
{
    for (size_t i = 0; i < b->n; i++)
        if (view_eq_str(name, b->rows[i].name))
            return &b->rows[i];
    return NULL;
}

/* False: no room. */
static bool set(struct state_book *b, struct view name, enum hsm_state state, int64_t until)
{
    struct row *r = (struct row *)find(b, name);
    if (!r && (b->n == ROWS_MAX || name.n > HOUSE_NAME_MAX))
        return false;
    if (!r) {
        r = &b->rows[b->n++];
        memcpy(r->name, name.p, name.n);
        r->name[name.n] = '\0';
    }
    r->state = state;
    r->until = until;
    return true;
}

/* In the roll: key the issuer, template the state, extra until when it can be restored. */
void state_book_note(struct state_book *b, const struct hsm_roll_entry *entry)
{
    char name[16] = "";
    if (entry->template.n < sizeof name)
        memcpy(name, entry->template.p, entry->template.n);
    if (!set(b, entry->key, hsm_state_parse(name), (int64_t)entry->extra))
        log_error("state.unreadable", log_num("n", (long long)entry->n));
}

enum hsm_state vault_state_of(const struct hsm_vault *v, const struct house_issuer *issuer,
                              int64_t *ret_until)
{
    const struct row *r = find(v->states, view_str(issuer->name));
    *ret_until = r ? r->until : 0;
    return hsm_state_now(r ? r->state : HSM_STATE__NONE, issuer->facts.not_after, world_now_s());
}

struct err *vault_state_check(const struct hsm_vault *v, const struct house_issuer *issuer,
                              enum hsm_works what)
{
    int64_t until;
    return hsm_state_check(issuer->name, vault_state_of(v, issuer, &until), what);
}

/* --- the acts ca-state and ca-delete --- */

struct wish {
    enum hsm_state to;
    int64_t until;
};

static struct err *read_wish(struct view in, struct arena *arena, struct wish *ret)
{
    struct err *e = NULL;
    struct view body;
    const char *text;
    uint64_t until;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_text(&body, arena, 15, &text));
    TRY(der_read_uint(&body, INT64_MAX, &until));
    TRY(der_end(body));
    *ret = (struct wish){hsm_state_parse(text), (int64_t)until};
out:
    return vault_peer_malformed(e);
}

static struct err *check_delete(const char *name, enum hsm_state now, const struct wish *w, int64_t at)
{
    if (now == HSM_STATE_ACTIVE)
        return err_new(ERR_WRONG_STATE, "'%s' is active: disable it first, and see who misses it", name);
    if (w->until < at + HSM_RESTORE_MIN_S || w->until > at + HSM_RESTORE_MAX_S)
        return err_new(ERR_BAD_FIELD, "a deleted issuer can be restored for 7 to 30 days");
    return NULL;
}

/* What may follow what: a state is left by the act of its kind alone. */
static struct err *check_turn(const struct vault_act *act, enum hsm_state now, int64_t until,
                              const struct wish *w)
{
    const char *name = act->act.object;
    int64_t at = world_now_s();
    bool delete = act->act.kind == HSM_ACT_CA_DELETE;
    if (delete &&w->to == HSM_STATE_DELETED && now != HSM_STATE_DELETED)
        return check_delete(name, now, w, at);
    if (delete &&w->to == HSM_STATE_DISABLED && now == HSM_STATE_DELETED)
        return at <= until
                   ? NULL
                   : err_new(ERR_WRONG_STATE, "'%s' was deleted, and its day to be restored is past", name);
    if (!delete &&w->to == HSM_STATE_DISABLED && now == HSM_STATE_ACTIVE)
        return NULL;
    if (!delete &&w->to == HSM_STATE_ACTIVE && now == HSM_STATE_DISABLED)
        return NULL;
    return err_new(ERR_WRONG_STATE, "'%s' is %s: it cannot become %s by this act", name, hsm_state_name(now),
                   hsm_state_name(w->to));
}

struct err *vault_state_set(struct vault_call *call, const struct vault_act *act, struct view payload)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    struct house_issuer *issuer;
    struct wish w;
    uint8_t hash[SHA256_BYTES];
    int64_t until;
    TRY(read_wish(payload, call->arena, &w));
    TRY(vault_issuer(v->house, view_str(act->act.object), &issuer));
    enum hsm_state now = vault_state_of(v, issuer, &until);
    TRY(check_turn(act, now, until, &w));
    if (!set(v->states, view_str(issuer->name), w.to, w.until))
        TRY(err_new(ERR_TOO_MANY, "the vault keeps the states of %d issuers", ROWS_MAX));
    digest_sha256(act->der, hash);
    log_warn("issuer.state", log_text("issuer", issuer->name), log_text("was", hsm_state_name(now)),
             log_text("is", hsm_state_name(w.to)));
    (void)vault_seal_note(v, NULL, 0,
                          &(struct vault_seal_want){.house = v->house,
                                                    .entry = {.key = view_str(issuer->name),
                                                              .kind = HSM_ROLL_STATE,
                                                              .template = view_str(hsm_state_name(w.to)),
                                                              .tbs_sha256 = view_of(hash, SHA256_BYTES),
                                                              .extra = (uint64_t)w.until}});
    vault_act_use_and_answer(call, act, NULL, view_of("", 0));
out:
    return e;
}
