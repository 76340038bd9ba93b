/*
 * FREEZE and its end: what nothing is issued for, from the turn in which the question is read. The roll alone
 * holds it, so that neither a restart nor a front forgets it; only an act that the roster approved thaws.
 * Never stops revocation or status. The vault's loop.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "vault_act.h"

struct frozen {
    enum hsm_freeze_what what;
    int64_t since;
    char name[HSM_FREEZE_NAME_MAX + 1], why[HSM_FREEZE_WHY_MAX + 1];
};

struct freeze_book {
    struct frozen row[HSM_FREEZES_MAX];
    size_t n;
};

struct freeze_book *freeze_book_new(void)
{
    struct freeze_book *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    return b;
}

void freeze_book_free(struct freeze_book *b)
{
    free(b);
}

static size_t find(const struct freeze_book *b, enum hsm_freeze_what what, struct view name)
{
    size_t i = 0;
    while (i < b->n && (b->row[i].what != what || !view_eq_str(name, b->row[i].name)))
        i++;
    return i;
}

static void copy(char *to, size_t max, struct view from)
{
    size_t n = from.n < max ? from.n : max;
    while (n < from.n && n > 0 && (from.p[n] & 0xc0) == 0x80) /* no half of a character */
        n--;
    memcpy(to, from.p, n);
    to[n] = '\0';
}

/* False: no room. What stands already stays as it is. */
static bool add(struct freeze_book *b, enum hsm_freeze_what what, struct view name, struct view why,
                int64_t since)
{
    size_t i = find(b, what, name);
    if (i < b->n)
        return true;
    if (i == HSM_FREEZES_MAX)
        return false;
    struct frozen *f = &b->row[b->n++];
    f->what = what;
    f->since = since;
    copy(f->name, HSM_FREEZE_NAME_MAX, name);
    copy(f->why, HSM_FREEZE_WHY_MAX, why);
    return true;
}

static void drop(struct freeze_book *b, enum hsm_freeze_what what, struct view name)
{
    size_t i = find(b, what, name);
    if (i < b->n)
        b->row[i] = b->row[--b->n];
}

/* --- in the roll: "all", "issuer:issuing" --- */

static const char *key_of(enum hsm_freeze_what what, const char *name, struct arena *arena)
{
    const char *text = hsm_freeze_what_text(what);
    return what == HSM_FREEZE_ALL ? text : arena_printf(arena, "%s:%s", text, name);
}

/* False where it is no such key. */
static bool read_key(struct view key, enum hsm_freeze_what *ret_what, struct view *ret_name)
{
    size_t n = view_find(key, ':');
    for (enum hsm_freeze_what what = HSM_FREEZE_ALL; what <= HSM_FREEZE_ASKER; what++)
        if (view_eq_str(view_of(key.p, n), hsm_freeze_what_text(what))) {
            *ret_what = what;
            *ret_name = n < key.n ? view_from(key, n + 1) : view_of("", 0);
            return (what == HSM_FREEZE_ALL) == (n == key.n);
        }
    return false;
}

void freeze_book_note(struct freeze_book *b, const struct hsm_roll_entry *entry)
{
    enum hsm_freeze_what what;
    struct view name;
    if (!read_key(entry->key, &what, &name)) {
        log_error("freeze.unreadable", log_num("n", (long long)entry->n));
        return;
    }
    if (entry->kind == HSM_ROLL_THAW)
        drop(b, what, name);
    else if (!add(b, what, name, entry->template, entry->time_ms / 1000))
        log_error("freeze.full", log_num("n", (long long)entry->n));
}

void freeze_book_write(const struct freeze_book *b, struct der_out *out)
{
    size_t list = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < b->n; i++) {
        size_t one = der_begin(out, DER_SEQUENCE);
        der_put_enum(out, b->row[i].what);
        der_put_text(out, b->row[i].name);
        der_put_uint(out, (uint64_t)b->row[i].since);
        der_put_text(out, b->row[i].why);
        der_finish(out, one);
    }
    der_finish(out, list);
}

/* --- what it stops --- */

static bool covers(const struct frozen *f, struct view issuer, struct view template, bool spared)
{
    if (f->what == HSM_FREEZE_TEMPLATE)
        return view_eq_str(template, f->name);
    return !spared &&
           (f->what == HSM_FREEZE_ALL || (f->what == HSM_FREEZE_ISSUER && view_eq_str(issuer, f->name)));
}

struct err *vault_freeze_check(const struct hsm_vault *v, struct view issuer, struct view template,
                               bool spared)
{
    for (size_t i = 0; i < v->freezes->n; i++) {
        const struct frozen *f = &v->freezes->row[i];
        if (covers(f, issuer, template, spared))
            return err_new(ERR_FROZEN, "%s%s%s is frozen",
                           f->what == HSM_FREEZE_ALL ? "issuance" : hsm_freeze_what_text(f->what),
                           f->name[0] ? " " : "", f->name);
    }
    return NULL;
}

/* --- FREEZE --- */

struct asked {
    enum hsm_freeze_what what;
    const char *name, *by, *reason;
};

static struct err *read_asked(struct view in, struct arena *arena, struct asked *ret)
{
    enum { BY_MAX = 128, REASON_MAX = 1024 };
    struct err *e = NULL;
    struct view body;
    uint64_t what;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_enum(&body, HSM_FREEZE_ASKER, &what));
    TRY(der_read_text(&body, arena, HSM_FREEZE_NAME_MAX, &ret->name));
    TRY(der_read_text(&body, arena, BY_MAX, &ret->by));
    TRY(der_read_text(&body, arena, REASON_MAX, &ret->reason));
    TRY(der_end(body));
    ret->what = (enum hsm_freeze_what)what;
    if (what < HSM_FREEZE_ALL || (what == HSM_FREEZE_ALL) != (ret->name[0] == '\0'))
        e = err_new(ERR_BAD_DER, "nothing that could be frozen");
out:
    return vault_peer_malformed(e);
}

/* What waits for an entry besides a peer. */
struct after {
    void (*fn)(void *arg);
    void *arg;
};

static struct err *after_finish(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                                struct view *ret)
{
    const struct after *a = arg;
    a->fn(a->arg);
    return frames_write_sealed(sealed->n, view_of("", 0), arena, ret);
}

static struct err *empty_finish(void *arg, const struct vault_sealed *sealed, struct arena *arena,
                                struct view *ret)
{
    (void)arg;
    return frames_write_sealed(sealed->n, view_of("", 0), arena, ret);
}

static struct vault_seal_want entry_of(struct hsm_vault *v, enum hsm_roll_kind kind, const char *key,
                                       const char *why, uint8_t hash[SHA256_BYTES])
{
    char few[HSM_FREEZE_WHY_MAX + 1];
    copy(few, HSM_FREEZE_WHY_MAX, view_str(why));
    digest_sha256(view_str(why), hash);
    return (struct vault_seal_want){.house = v->house,
                                    .entry = {.key = view_str(key),
                                              .kind = kind,
                                              .template = view_of(why, strlen(few)),
                                              .tbs_sha256 = view_of(hash, SHA256_BYTES)}};
}

/* Stands from here on; the entry's end is want's. */
static struct err *freeze(struct hsm_vault *v, struct vault_peer *peer, uint64_t id,
                          const struct asked *asked, struct vault_seal_want *how, struct arena *arena)
{
    uint8_t hash[SHA256_BYTES];
    const char *why = arena_printf(arena, "%s: %s", asked->by, asked->reason);
    const char *key = key_of(asked->what, asked->name, arena);
    if (!add(v->freezes, asked->what, view_str(asked->name), view_str(why), world_now_s()))
        return err_new(ERR_TOO_MANY, "%d things are frozen: freeze everything instead", HSM_FREEZES_MAX);
    struct vault_seal_want want = entry_of(v, HSM_ROLL_FREEZE, key, why, hash);
    want.finish = how->finish;
    want.forget = how->forget;
    want.arg = how->arg;
    log_warn("freeze", log_text("what", key), log_text("by", asked->by));
    (void)vault_seal_note(v, peer, id, &want);
    return NULL;
}

struct err *vault_freeze(struct vault_call *call)
{
    struct err *e = NULL;
    struct asked asked;
    struct vault_seal_want how = {.finish = empty_finish};
    TRY(read_asked(call->body, call->arena, &asked));
    TRY(freeze(call->v, call->peer, call->id, &asked, &how, call->arena));
out:
    return e;
}

struct err *vault_freeze_order(struct hsm_vault *v, struct view body, void (*fn)(void *arg), void *arg)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct asked asked;
    struct after *after = calloc(1, sizeof *after);
    CHECK(after != NULL);
    *after = (struct after){fn, arg};
    struct vault_seal_want how = {.finish = after_finish, .forget = free, .arg = after};
    TRY(read_asked(body, arena, &asked));
    log_error("break-glass", log_text("by", asked.by), log_text("reason", asked.reason));
    TRY(freeze(v, NULL, 0, &asked, &how, arena));
    after = NULL;
out:
    free(after);
    arena_free(arena);
    return e;
}

/* --- thaw --- */

static void thawed(struct hsm_vault *v, const char *object)
{
    enum hsm_freeze_what what;
    struct view name;
    if (!read_key(view_str(object), &what, &name))
        return;
    drop(v->freezes, what, name);
    log_warn("thaw", log_text("what", object));
}

struct err *vault_freeze_thaw(struct vault_call *call, const struct vault_act *act, struct view payload)
{
    struct hsm_vault *v = call->v;
    enum hsm_freeze_what what;
    struct view name;
    uint8_t hash[SHA256_BYTES];
    (void)payload;
    if (!read_key(view_str(act->act.object), &what, &name) || find(v->freezes, what, name) == v->freezes->n)
        return err_new(ERR_NOT_FOUND, "'%s' is not frozen (all, issuer:NAME, template:NAME, asker:ID)",
                       act->act.object);
    const struct vault_seal_want want = entry_of(v, HSM_ROLL_THAW, act->act.object, act->act.reason, hash);
    (void)vault_seal_note(v, NULL, 0, &want);
    vault_act_use_and_answer(call, act, thawed, view_of("", 0));
    return NULL;
}
