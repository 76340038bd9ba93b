/*
 * The client's questions about the log: its key, the last head, a head to be signed. One loop's thread.
 */
#include <string.h>

#include "base/der.h"
#include "client.h"
#include "hsm_head.h"

enum { BODY_MAX = 4096 };

struct err *hsm_log_key(struct hsm *h, hsm_spki_fn *done, void *arg, ticket_id *ret)
{
    const struct client_call call = {.finish = client_spki, .done.spki = done, .arg = arg};
    return client_ask(h, &call, FRAMES_LOG_KEY, 0, (struct view){NULL, 0}, -1, ret);
}

static struct err *read_last(struct view in, struct arena *arena, struct hsm_head *ret,
                             const char **ret_origin)
{
    struct err *e = NULL;
    struct view body, root;
    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, INT64_MAX, &ret->size));
    TRY(der_read(&body, DER_OCTET_STRING, &root));
    TRY(der_read_text(&body, arena, HSM_ORIGIN_MAX, ret_origin));
    TRY(der_end(body));
    if (root.n != SHA256_BYTES)
        return err_new(ERR_PROTOCOL, "the last head's root has %zu octets", root.n);
    memcpy(ret->root, root.p, SHA256_BYTES);
out:
    return e;
}

static bool last_finish(struct client_call *c, struct err *e, struct view body)
{
    struct hsm_head last = {0};
    struct arena *arena = arena_new(1 << 16);
    const char *origin = "";
    client_end(c);
    if (!e)
        e = read_last(body, arena, &last, &origin);
    c->done.last_head(c->arg, e, &last, origin);
    arena_free(arena);
    return false;
}

struct err *hsm_last_head(struct hsm *h, hsm_last_head_fn *done, void *arg, ticket_id *ret)
{
    const struct client_call call = {.finish = last_finish, .done.last_head = done, .arg = arg};
    return client_ask(h, &call, FRAMES_LAST_HEAD, 0, (struct view){NULL, 0}, -1, ret);
}

struct err *hsm_seal_head(struct hsm *h, const struct hsm_head *head, const struct merkle_proof *proof,
                          hsm_sealed_fn *done, void *arg, ticket_id *ret)
{
    struct err *e = NULL;
    struct der_out out;
    struct view body;
    der_out_init(&out, client_scratch(h), BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, head->size);
    der_put_octets(&out, view_of(head->root, SHA256_BYTES));
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < proof->n; i++)
        der_put_octets(&out, view_of(proof->at[i].b, SHA256_BYTES));
    der_finish(&out, list);
    der_finish(&out, m);
    TRY(der_out_done(&out, &body));
    const struct client_call call = {.finish = client_sealed, .done.sealed = done, .arg = arg};
    TRY(client_ask(h, &call, FRAMES_SEAL_HEAD, 0, body, -1, ret));
out:
    arena_reset(client_scratch(h));
    return e;
}
