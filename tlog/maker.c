/*
 * Making heads: the size and root of what is durable, a proof from the last head, the vault's signature, the
 * entry in the ledger; one at a time. Holds the ledger to the vault's last head before the first. Never reads
 * an entry's body. The front's loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "push.h"

enum { RETRY_MS = 5000, SPKI_MAX = 512 };

struct waiter {
    struct waiter *next;
    uint64_t upto;
    tlog_done *done;
    void *arg;
};

struct tlog {
    struct loop *loop;
    struct ledger *ledger;
    struct hsm *hsm;
    struct loop_timer *clock;
    int64_t every_ms;
    bool attached, busy;
    bool known; /* `last` is what the vault signed last */
    struct hsm_head last, making;
    struct waiter *waiters, **waiters_end;
    struct tlog_head head; /* size 0: none yet */
    char origin[HSM_ORIGIN_MAX + 1], note[HSM_NOTE_MAX];
    uint8_t spki[SPKI_MAX];
    char trouble[256]; /* "": none */
    struct tlog_push push;
    struct push pushed;
    void (*checked)(void *arg, struct err *e);
    void *checked_arg;
};

static void make(struct tlog *t);

static struct err *same(const struct err *e)
{
    return err_new(err_code(e), "%s", err_detail(e));
}

/* --- those who wait --- */

static struct waiter *take_waiters(struct tlog *t)
{
    struct waiter *all = t->waiters;
    t->waiters = NULL;
    t->waiters_end = &t->waiters;
    return all;
}

static void add_waiter(struct tlog *t, struct waiter *w)
{
    w->next = NULL;
    *t->waiters_end = w;
    t->waiters_end = &w->next;
}

/* Those that the newest head is enough for; the others go on waiting. */
static void tell(struct tlog *t)
{
    for (struct waiter *w = take_waiters(t), *next; w; w = next) {
        next = w->next;
        if (w->upto > t->head.head.size) {
            add_waiter(t, w);
            continue;
        }
        w->done(w->arg, NULL, &t->head);
        free(w);
    }
}

static void fail(struct tlog *t, struct err *e)
{
    t->busy = false;
    t->known = false;
    snprintf(t->trouble, sizeof t->trouble, "%s", err_detail(e));
    log_warn("log.head", log_err(e));
    for (struct waiter *w = take_waiters(t), *next; w; w = next) {
        next = w->next;
        w->done(w->arg, same(e), NULL);
        free(w);
    }
    err_free(e);
    loop_timer_set(t->clock, RETRY_MS < t->every_ms ? RETRY_MS : t->every_ms);
}

/* --- the steps, the last first --- */

static void published(struct tlog *t)
{
    t->busy = false;
    t->trouble[0] = '\0';
    loop_timer_set(t->clock, t->every_ms);
    push_head(&t->pushed, &t->push, &t->head);
    tell(t);
    if (t->waiters && !t->busy)
        make(t);
}

static void on_written(void *arg, struct err *e, const struct ledger_result *r)
{
    struct tlog *t = arg;
    if (e) {
        fail(t, e);
        return;
    }
    t->head.head = t->making;
    t->head.seq = r->seq;
    log_debug("log.head", log_num("size", (long long)t->making.size), log_num("n", (long long)t->head.n));
    published(t);
}

/* The note, and its entry. */
static struct err *write_down(struct tlog *t, uint64_t n, struct view signature)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct view note;
    TRY(hsm_head_note(arena, t->origin, t->head.spki, hsm_head_text(arena, t->origin, &t->making), signature,
                      &note));
    if (note.n >= sizeof t->note)
        TRY(err_new(ERR_INTERNAL, "a checkpoint of %zu octets", note.n));
    memcpy(t->note, note.p, note.n);
    t->note[note.n] = '\0';
    t->head.n = n;
    const struct ledger_entry entry = {
        .kind = LEDGER_HEAD,
        .actor = "self",
        .door = "self",
        .body.signed_head = {
            .size = t->making.size, .root = view_of(t->making.root, SHA256_BYTES), .n = n, .note = note}};
    TRY(ledger_append(t->ledger, &entry, on_written, t, NULL));
out:
    arena_free(arena);
    return e;
}

static void on_sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct tlog *t = arg;
    if (!e) {
        t->last = t->making;
        e = write_down(t, n, signature);
    }
    if (e)
        fail(t, e);
}

static struct err *seal(struct tlog *t)
{
    struct err *e = NULL;
    struct ledger_head now;
    struct merkle_proof proof;
    TRY(ledger_head(t->ledger, &now));
    t->making.size = now.entries;
    memcpy(t->making.root, now.root, SHA256_BYTES);
    TRY(ledger_consistency(t->ledger, t->last.size, now.entries, &proof));
    TRY(hsm_seal_head(t->hsm, &t->making, &proof, on_sealed, t, NULL));
out:
    return e;
}

static void on_key_written(void *arg, struct err *e, const struct ledger_result *r)
{
    struct tlog *t = arg;
    (void)r;
    if (!e)
        e = seal(t);
    if (e)
        fail(t, e);
}

/* On record before it signs, where it is not the one before. */
static struct err *write_key(struct tlog *t)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(t->head.spki, hash);
    const struct ledger_entry entry = {.kind = LEDGER_LOG_KEY,
                                       .actor = "self",
                                       .door = "self",
                                       .body.note = {.what = t->origin, .hash = view_of(hash, sizeof hash)}};
    return ledger_append(t->ledger, &entry, on_key_written, t, NULL);
}

static void on_key(void *arg, struct err *e, struct view spki)
{
    struct tlog *t = arg;
    if (!e && spki.n > SPKI_MAX)
        e = err_new(ERR_PROTOCOL, "a log's key of %zu octets", spki.n);
    if (!e) {
        memcpy(t->spki, spki.p, spki.n);
        t->head.spki = view_of(t->spki, spki.n);
        e = write_key(t);
    }
    if (e)
        fail(t, e);
}

/* Whether the ledger goes on from a head that was signed. */
static struct err *hold_to(struct tlog *t, const struct hsm_head *head, const char *whose)
{
    struct err *e = NULL;
    struct ledger_head now;
    uint8_t root[SHA256_BYTES];
    TRY(ledger_head(t->ledger, &now));
    if (head->size > now.entries)
        return err_new(
            ERR_WRONG_STATE,
            "the ledger ends at entry %llu, but %s a head over %llu: it was taken back. Put back the one "
            "that has them all, or restore a backup and have its loss accepted (doc/RECOVERY.md)",
            (unsigned long long)now.entries, whose, (unsigned long long)head->size);
    if (head->size == 0)
        return NULL;
    TRY(ledger_root_at(t->ledger, head->size, root));
    if (memcmp(root, head->root, sizeof root) != 0)
        e = err_new(ERR_WRONG_STATE,
                    "the ledger's first %llu entries are not those over which %s a head: it was taken back "
                    "or forked. "
                    "Put back the one that has them, or restore a backup and have its loss accepted",
                    (unsigned long long)head->size, whose);
out:
    return e;
}

/* To the vault's, and to what was taken elsewhere. */
static struct err *hold_to_all(struct tlog *t, const struct hsm_head *last)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct hsm_head pushed;
    TRY(hold_to(t, last, "the vault has signed"));
    TRY(push_read(&t->push, arena, &pushed));
    TRY(hold_to(t, &pushed, "heads.directory has (take it away after an accepted loss)"));
out:
    arena_free(arena);
    return e;
}

static void say_checked(struct tlog *t, struct err *e)
{
    void (*checked)(void *arg, struct err *e) = t->checked;
    t->checked = NULL;
    if (checked)
        checked(t->checked_arg, e);
    else
        err_free(e);
}

static void on_last(void *arg, struct err *e, const struct hsm_head *last, const char *origin)
{
    struct tlog *t = arg;
    if (!e)
        e = hold_to_all(t, last);
    if (e) {
        if (t->checked)
            say_checked(t, same(e));
        fail(t, e);
        return;
    }
    t->last = *last;
    t->known = true;
    snprintf(t->origin, sizeof t->origin, "%s", origin);
    say_checked(t, NULL);
    e = hsm_log_key(t->hsm, on_key, t, NULL);
    if (e)
        fail(t, e);
}

static void make(struct tlog *t)
{
    struct err *e = NULL;
    t->busy = true;
    if (t->known && t->head.spki.n)
        e = seal(t);
    else
        e = hsm_last_head(t->hsm, on_last, t, NULL);
    if (e)
        fail(t, e);
}

/* --- the clock --- */

/* Whether there is anything but the last head's own entry that no head covers. */
static bool is_new(struct tlog *t)
{
    struct ledger_head now;
    struct err *e = ledger_head(t->ledger, &now);
    bool quiet = !e && t->head.seq == now.entries && t->head.head.size + 1 == now.entries;
    err_free(e);
    return !quiet;
}

static void on_clock(void *arg)
{
    struct tlog *t = arg;
    if (t->head.head.size && !t->busy && t->known) /* never over what the ledger was not held to yet */
        push_head(&t->pushed, &t->push, &t->head);
    if (t->attached && !t->busy && (!t->known || is_new(t)))
        make(t);
    else
        loop_timer_set(t->clock, t->every_ms);
}

void tlog_go(struct tlog *t, void (*done)(void *arg, struct err *e), void *arg)
{
    t->attached = true;
    t->known = false;
    t->checked = done;
    t->checked_arg = arg;
    CHECK(!t->busy); /* all calls to the old channel have ended */
    make(t);
}

void tlog_lost(struct tlog *t)
{
    t->attached = t->known = false;
}

void tlog_ask(struct tlog *t, uint64_t upto, tlog_done *done, void *arg)
{
    struct ledger_head now;
    struct err *e = upto ? NULL : ledger_head(t->ledger, &now);
    if (e) {
        done(arg, e, NULL);
        return;
    }
    uint64_t want = upto ? upto : now.entries;
    if (t->head.head.size >= want || (!upto && !is_new(t))) {
        done(arg, NULL, &t->head);
        return;
    }
    struct waiter *w = calloc(1, sizeof *w);
    CHECK(w);
    *w = (struct waiter){.upto = want, .done = done, .arg = arg};
    add_waiter(t, w);
    if (!t->busy)
        make(t);
}

const struct tlog_head *tlog_newest(const struct tlog *t)
{
    return t->head.head.size ? &t->head : NULL;
}

struct err *tlog_ready(const struct tlog *t)
{
    return t->trouble[0] ? err_new(ERR_STARTING, "no head of the log can be signed: %s", t->trouble) : NULL;
}

/* --- the whole --- */

/* The newest head in the ledger, to be shown before the vault is heard. */
static struct err *take_up(struct tlog *t)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(LEDGER_BODY_BYTES);
    struct ledger_signed_head head;
    e = ledger_signed(t->ledger, arena, &head, &t->head.seq);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = NULL;
        goto out;
    }
    TRY(e);
    if (head.note.n >= sizeof t->note)
        TRY(err_new(ERR_CORRUPT, "a checkpoint of %zu octets in the ledger", head.note.n));
    memcpy(t->note, head.note.p, head.note.n);
    memcpy(t->head.head.root, head.root.p, SHA256_BYTES);
    snprintf(t->origin, sizeof t->origin, "%.*s", (int)strcspn(t->note, "\n"), t->note);
    t->head.head.size = head.size;
    t->head.n = head.n;
out:
    arena_free(arena);
    return e;
}

struct err *tlog_new(struct loop *loop, struct ledger *ledger, struct hsm *hsm, struct tlog **ret)
{
    struct err *e = NULL;
    struct tlog *t = calloc(1, sizeof *t);
    CHECK(t);
    *t = (struct tlog){.loop = loop, .ledger = ledger, .hsm = hsm, .every_ms = 60 * 1000};
    t->waiters_end = &t->waiters;
    t->head.origin = t->origin;
    t->head.note = t->note;
    t->clock = loop_timer_new(loop, on_clock, t);
    TRY(take_up(t));
    *ret = t;
    t = NULL;
out:
    tlog_free(t);
    return e;
}

void tlog_set(struct tlog *t, int64_t every_s, const struct tlog_push *push)
{
    t->push = *push;
    t->every_ms = every_s * 1000;
    loop_timer_set(t->clock, t->every_ms);
}

void tlog_free(struct tlog *t)
{
    if (!t)
        return;
    for (struct waiter *w = take_waiters(t), *next; w; w = next) {
        next = w->next;
        w->done(w->arg, err_new(ERR_CANCELLED, "this process is closing"), NULL);
        free(w);
    }
    loop_timer_free(t->clock);
    free(t);
}
