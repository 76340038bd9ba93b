/* Extensions about policies, names, features and accesses: the first octet says which; what is taken is
 * written again the same. */
#include "fuzz.h"

#include "cert/ext_access.h"
#include "cert/ext_constraints.h"
#include "cert/ext_policy.h"

typedef struct err *again(struct view value, struct arena *arena, struct cert_ext *ext);

static struct err *policies(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_policies list;
    struct err *e = cert_ext_read_policies(value, arena, &list);
    return e ? e : cert_ext_write_policies(list, false, arena, ext);
}

static struct err *policy_constraints(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_policy_constraints c;
    struct err *e = cert_ext_read_policy_constraints(value, &c);
    return e ? e : cert_ext_write_policy_constraints(c, arena, ext);
}

static struct err *inhibit_any(struct view value, struct arena *arena, struct cert_ext *ext)
{
    int skip;
    struct err *e = cert_ext_read_inhibit_any(value, &skip);
    return e ? e : cert_ext_write_inhibit_any(skip, arena, ext);
}

/* Every subtree is shown; what is shown and taken back is the same but for letters' case. */
static void shown(const struct cert_subtrees *list, struct arena *arena)
{
    for (size_t i = 0; i < list->n; i++) {
        struct cert_subtree back;
        struct err *e =
            cert_ext_subtree_of_text(view_str(cert_ext_subtree_text(&list->v[i], arena)), arena, &back);
        if (!e && list->v[i].kind != CERT_SAN_DIRECTORY)
            CHECK(back.kind == list->v[i].kind && view_eq_nocase(back.value, list->v[i].value));
        CHECK(!e || list->v[i].kind == CERT_SAN_DIRECTORY);
        err_free(e);
    }
}

static struct err *constraints(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_constraints c;
    struct err *e = cert_ext_read_constraints(value, arena, &c);
    if (e)
        return e;
    shown(&c.permitted, arena);
    shown(&c.excluded, arena);
    return cert_ext_write_constraints(&c, true, arena, ext);
}

static struct err *features(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_tls_features list;
    struct err *e = cert_ext_read_tls_features(value, &list);
    return e ? e : cert_ext_write_tls_features(list, arena, ext);
}

static struct err *accesses(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_accesses list;
    struct err *e = cert_ext_read_sia(value, arena, &list);
    return e ? e : cert_ext_write_sia(list, arena, ext);
}

static struct err *freshest(struct view value, struct arena *arena, struct cert_ext *ext)
{
    struct cert_views uris;
    struct err *e = cert_ext_read_freshest(value, arena, &uris);
    return e ? e : cert_ext_write_freshest(uris, arena, ext);
}

static struct err *delta(struct view value, struct arena *arena, struct cert_ext *ext)
{
    uint64_t number;
    struct err *e = cert_ext_read_delta(value, &number);
    return e ? e : cert_ext_write_delta(number, arena, ext);
}

static again *const kinds[] = {policies, policy_constraints, inhibit_any, constraints,
                               features, accesses,           freshest,    delta};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct cert_ext ext = {.value = view_of(NULL, 0)};
    struct view value = view_from(view_of(data, size), 1);
    struct err *e = size ? kinds[data[0] % (sizeof kinds / sizeof *kinds)](value, arena, &ext) : NULL;
    if (size && !e)
        CHECK(view_eq(ext.value, value));
    err_free(e);
    arena_free(arena);
    return 0;
}
