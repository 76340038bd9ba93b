/*
 * ROLL_READ and ROLL_FIND: the seal roll shown to the front and to init. Nothing is shown that is not
 * durable: a question that comes while entries wait for their sync waits with them. Never writes. The vault's
 * loop.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "vault.h"

enum { READ_BYTES = 512 * 1024, FIND_MAX = 256 };

struct vault_wait {
    struct vault_wait *next;
    struct vault_peer *peer;
    uint64_t id, n; /* when all up to n is durable */
    struct err *(*run)(struct vault_peer *peer, uint64_t id, struct view body);
    size_t body_n;
    uint8_t body[];
};

static void wait_free(struct vault_wait *w)
{
    vault_peer_release(w->peer);
    free(w);
}

static void run_wait(struct vault_wait *w)
{
    struct err *e = w->run(w->peer, w->id, view_of(w->body, w->body_n));
    if (e)
        vault_peer_refuse(w->peer, w->id, e);
    wait_free(w);
}

void vault_roll_synced(struct hsm_vault *v, uint64_t n, const struct err *e)
{
    while (v->waits && v->waits->n <= n) {
        struct vault_wait *w = v->waits;
        v->waits = w->next;
        if (!v->waits)
            v->waits_end = &v->waits;
        if (!e) {
            run_wait(w);
            continue;
        }
        vault_peer_refuse(w->peer, w->id, err_new(err_code(e), "%s", err_detail(e)));
        wait_free(w);
    }
}

void vault_roll_drop_all(struct hsm_vault *v)
{
    while (v->waits) {
        struct vault_wait *w = v->waits;
        v->waits = w->next;
        wait_free(w);
    }
    v->waits_end = &v->waits;
}

static struct err *when_durable(struct vault_call *call,
                                struct err *(*run)(struct vault_peer *peer, uint64_t id, struct view body))
{
    struct hsm_vault *v = call->v;
    if (roll_file_synced(v->roll) == roll_file_n(v->roll))
        return run(call->peer, call->id, call->body);
    struct vault_wait *w = calloc(1, sizeof *w + call->body.n);
    CHECK(w != NULL);
    *w = (struct vault_wait){.peer = vault_peer_hold(call->peer),
                             .id = call->id,
                             .n = roll_file_n(v->roll),
                             .run = run,
                             .body_n = call->body.n};
    memcpy(w->body, call->body.p, call->body.n);
    *v->waits_end = w;
    v->waits_end = &w->next;
    /* After a failed sync nobody else may be waiting for the next one. */
    vault_seal_sync(v);
    return NULL;
}

/* --- ROLL_READ --- */

static struct err *read_range(struct view in, uint64_t *ret_from, uint64_t *ret_max)
{
    struct err *e = NULL;
    struct view body;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, INT64_MAX, ret_from));
    TRY(der_read_uint(&body, INT64_MAX, ret_max));
    TRY(der_end(body));
out:
    return vault_peer_malformed(e);
}

static struct err *read_now(struct vault_peer *peer, uint64_t id, struct view asked)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(8 << 20);
    struct view entries, body;
    uint64_t from, max, next;
    TRY(read_range(asked, &from, &max));
    TRY(roll_file_read(peer->v->roll, from ? from : 1, max, READ_BYTES, arena, &entries, &next));
    struct der_out out;
    der_out_init(&out, arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, next);
    der_put_octets(&out, entries);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    vault_peer_answer(peer, id, body);
out:
    arena_free(arena);
    return e;
}

struct err *vault_roll_read(struct vault_call *call)
{
    uint64_t from, max;
    struct err *e = read_range(call->body, &from, &max);
    return e ? e : when_durable(call, read_now);
}

/* --- ROLL_FIND --- */

static struct err *read_hashes(struct view in, uint64_t *ret_from, struct view hashes[FIND_MAX],
                               size_t *ret_n)
{
    struct err *e = NULL;
    struct view body, list;
    size_t n = 0;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, INT64_MAX, ret_from));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    for (; list.n > 0; n++) {
        if (n == FIND_MAX)
            TRY(err_new(ERR_TOO_MANY, "more than %d hashes", FIND_MAX));
        TRY(der_read(&list, DER_OCTET_STRING, &hashes[n]));
        if (hashes[n].n != SHA256_BYTES)
            TRY(err_new(ERR_BAD_REQUEST, "a hash of %zu octets", hashes[n].n));
    }
    *ret_n = n;
out:
    return vault_peer_malformed(e);
}

static struct err *find_now(struct vault_peer *peer, uint64_t id, struct view asked)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(8 << 20), *chunk = arena_new(8 << 20);
    struct view hashes[FIND_MAX], body;
    uint64_t from, next, ns[FIND_MAX] = {0};
    size_t n;
    TRY(read_hashes(asked, &from, hashes, &n));
    TRY(roll_file_find(peer->v->roll, from, hashes, n, ns, chunk, &next));
    struct der_out out;
    der_out_init(&out, arena, 16 * 1024);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, next);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++)
        der_put_uint(&out, ns[i]);
    der_finish(&out, list);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    vault_peer_answer(peer, id, body);
out:
    arena_free(chunk);
    arena_free(arena);
    return e;
}

struct err *vault_roll_find(struct vault_call *call)
{
    uint64_t from;
    struct view hashes[FIND_MAX];
    size_t n;
    struct err *e = read_hashes(call->body, &from, hashes, &n);
    return e ? e : when_durable(call, find_now);
}
