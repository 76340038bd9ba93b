/*
 * A ledger that was put back from a copy has forgotten revocations that the world was told of. Lists on the
 * shelf with a number above every one the ledger knows say so: nothing is published that is not on record.
 * What they list, with its date and reason, is revoked again before the issuer gets a new list; so is the
 * rest of what was sealed since by `chancery incident`. Lists are looked at once in a life, when they are
 * taken up. On the loop's thread.
 */
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "cert/chain.h"
#include "cert/key.h"
#include "maker.h"

enum { AT_ONCE = 256, AGAIN_MS = 1000 };
#define RECLAIM_ARENA_BYTES ((size_t)1 << 30) /* a list, whole: it is grown into as needed */

/* One list that is ahead of the ledger; its entries are revoked some at a time. */
struct reclaim {
    struct crl_state *state;
    struct arena *arena;
    struct cert_crl crl;
    struct view left; /* of its entries */
    size_t under_way, again, unknown;
    bool failed;
    struct loop_timer *timer;
};

/* --- the list --- */

static struct err *read_all(const struct crl_maker *m, const struct shelf_item *item, struct arena *arena,
                            struct view *ret)
{
    struct err *e = NULL;
    struct blob_in *in = ARENA_NEW(arena, struct blob_in);
    uint8_t *to = arena_alloc(arena, blob_size(item));
    struct view piece;
    size_t n = 0;
    in->fd = -1;
    TRY(blob_open(in, m->shelf, item));
    for (;;) {
        TRY(blob_next(in, &piece));
        if (piece.n == 0)
            break;
        memcpy(to + n, piece.p, piece.n);
        n += piece.n;
    }
    *ret = view_of(to, n);
out:
    blob_close(in);
    return e;
}

/* Only what this issuer has signed is taken at its word. */
static struct err *check_list(const struct crl_issuer *issuer, struct view der, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_sealed sealed;
    struct cert_crl crl;
    struct cert_chain_cert by;
    TRY(cert_crl_open_any(der, &sealed, &crl));
    TRY(cert_chain_read(issuer->certificate, arena, &by));
    TRY(cert_key_verify(&by.key, sealed.alg, sealed.tbs, sealed.sig));
out:
    return e;
}

/* --- its entries --- */

static void go_on(void *arg);

static void revoked(void *arg, struct err *e, const struct ledger_result *result)
{
    struct reclaim *r = arg;
    bool unknown = e && (err_code(e) == ERR_NOT_FOUND || err_code(e) == ERR_WRONG_STATE);
    r->under_way--;
    r->again += !e && result->outcome == LEDGER_WRITTEN;
    r->unknown += unknown;
    r->failed = r->failed || (e && !unknown);
    err_free(e);
    if (r->under_way == 0)
        go_on(r);
}

static struct err *put_again(struct reclaim *r, const struct cert_crl_entry *entry)
{
    const struct ledger_entry again = {
        .kind = LEDGER_REVOKE,
        .actor = "self",
        .door = "shelf",
        .issuer = r->state->name,
        .serial = entry->serial,
        .body.revoke = {.reason = entry->reason, .at = entry->revoked_at, .invalidity = entry->invalid_from}};
    return ledger_append(r->state->maker->ledger, &again, revoked, r, NULL);
}

static struct err *revoke_next(struct reclaim *r)
{
    struct err *e = NULL;
    struct cert_crl_entry entry;
    TRY(cert_crl_next(&r->left, &entry));
    if (entry.serial.n != SERIAL_BYTES || entry.reason == CERT_REASON_REMOVE_FROM_CRL)
        return NULL;
    TRY(put_again(r, &entry));
    r->under_way++;
out:
    return e;
}

static void finish(struct reclaim *r)
{
    struct crl_state *s = r->state;
    log_warn("crl.reclaimed", log_text("issuer", s->name), log_num("number", (long long)r->crl.number),
             log_num("again", (long long)r->again), log_num("unknown", (long long)r->unknown));
    loop_timer_free(r->timer);
    arena_free(r->arena);
    s->reclaims--;
    maker_go(s);
}

/* What cannot be written is tried again from the first: what stands already costs nothing. */
static void again_later(struct reclaim *r)
{
    r->failed = false;
    r->left = r->crl.entries;
    loop_timer_set(r->timer, AGAIN_MS);
}

static void go_on(void *arg)
{
    struct reclaim *r = arg;
    while (!r->failed && r->left.n > 0 && r->under_way < AT_ONCE) {
        struct err *e = revoke_next(r);
        if (e)
            log_error("crl.unreclaimed", log_text("issuer", r->state->name), log_err(e));
        r->failed = e != NULL;
        err_free(e);
    }
    if (r->under_way > 0)
        return;
    if (r->failed)
        again_later(r);
    else
        finish(r);
}

/* --- which lists --- */

/* A large list is read only where it is not the one that was recorded last. */
static bool is_on_record(const struct crl_state *s, const struct crl_list *list)
{
    struct ledger_crl last = {.number = 0};
    struct err *e = ledger_list_last(s->maker->ledger, s->name, list->scope, &last);
    bool is = !e && last.number && last.this_update == list->this_update;
    err_free(e);
    return is;
}

static struct err *begin(struct crl_state *s, const struct crl_list *list, const struct crl_issuer *issuer,
                         struct arena *arena, bool *ret_begun)
{
    struct err *e = NULL;
    struct shelf_item item;
    struct view der;
    struct cert_crl crl;
    uint64_t known;
    size_t n;
    char name[CRL_NAME_BYTES];
    lists_name(s, list->scope, name);
    TRY(shelf_get_blob(s->maker->shelf, name, arena, &item));
    if (!item.bytes.p || (item.file && is_on_record(s, list)))
        return NULL;
    TRY(ledger_list_number(s->maker->ledger, s->name, &known));
    TRY(read_all(s->maker, &item, arena, &der));
    TRY(cert_crl_open_any(der, NULL, &crl));
    if (crl.number <= known)
        return NULL;
    TRY(check_list(issuer, der, arena));
    TRY(cert_crl_check(&crl, &n));
    struct reclaim *r = ARENA_NEW(arena, struct reclaim);
    *r = (struct reclaim){.state = s, .arena = arena, .crl = crl, .left = crl.entries};
    r->timer = loop_timer_new(s->maker->loop, go_on, r);
    s->reclaims++;
    *ret_begun = true;
    loop_timer_set(r->timer, 1);
out:
    return e;
}

void reclaim_look(struct crl_state *s, const struct crl_list *list)
{
    const struct crl_issuer *issuer = maker_issuer(s->maker, s->name);
    bool begun = false;
    if (!issuer || !list->this_update)
        return;
    struct arena *arena = arena_new(RECLAIM_ARENA_BYTES);
    struct err *e = begin(s, list, issuer, arena, &begun);
    if (e)
        log_error("crl.unreclaimed", log_text("issuer", s->name), log_err(e));
    err_free(e);
    if (!begun)
        arena_free(arena);
}
