/* Names under constraints: nameConstraints, subjectAltName and a subject, one after the other. What passes
 * with something excluded passes without; what is excluded by its own name never passes. */
#include "fuzz.h"

#include "cert/chain.h"

static void check(const struct cert_chain_names *names, const struct cert_constraints *c, struct arena *arena)
{
    struct cert_constraints permitted = {.permitted = c->permitted}, excluded = {.excluded = c->excluded};
    struct err *both = cert_chain_names_check(names, c, arena);
    struct err *one = cert_chain_names_check(names, &permitted, arena);
    struct err *other = cert_chain_names_check(names, &excluded, arena);
    CHECK(!both == (!one && !other));
    err_free(both);
    err_free(one);
    err_free(other);
}

/* A host, a mailbox or a name is always within itself. */
static void check_self(const struct cert_san *san, struct arena *arena)
{
    struct cert_subtree self = {san->kind, san->value};
    struct cert_constraints c = {.excluded = {&self, 1}};
    struct cert_chain_names names = {.sans = san, .n = 1, .ca = true};
    names.subject = view_of("\x30\x00", 2);
    bool host = san->kind == CERT_SAN_DNS && !san->wildcard;
    if (!host && san->kind != CERT_SAN_EMAIL && san->kind != CERT_SAN_DIRECTORY)
        return;
    struct err *e = cert_chain_names_check(&names, &c, arena);
    CHECK(e && err_code(e) == ERR_POLICY);
    err_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(4 * LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size), constraints, sans;
    const struct cert_san_limits limits = {.allow_other = true};
    struct cert_constraints c;
    struct cert_chain_names names;
    struct cert_san *list = NULL;
    TRY(der_read_whole(&in, DER_SEQUENCE, &constraints));
    TRY(der_read_whole(&in, DER_SEQUENCE, &sans));
    TRY(cert_ext_read_constraints(constraints, arena, &c));
    TRY(cert_san_read(sans, &limits, arena, &list, &names.n));
    names.sans = list;
    names.subject = in;
    names.ca = false;
    check(&names, &c, arena);
    for (size_t i = 0; i < names.n; i++)
        check_self(&list[i], arena);
out:
    err_free(e);
    arena_free(arena);
    return 0;
}
