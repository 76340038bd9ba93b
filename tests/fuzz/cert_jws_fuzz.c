/* Signed messages: read in both forms; a key that came with one is written and read again the same. */
#include "fuzz.h"

#include "base/conf.h"
#include "cert/jose.h"

static void again(const struct cert_key *key, struct arena *arena)
{
    struct conf *c = NULL;
    struct cert_key same;
    CHECK(!conf_parse_json(view_str(cert_jwk_text(key, arena)), &c));
    CHECK(!cert_jwk_read(conf_root(c), arena, &same));
    CHECK(view_eq(key->spki, same.spki));
    conf_free(c);
}

static void judge(struct err *e, const struct cert_jws *jws, struct arena *arena)
{
    if (!e && jws->has_jwk) {
        again(&jws->jwk, arena);
        e = cert_jws_verify(jws, &jws->jwk);
    }
    err_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    struct view in = view_of(data, size);
    struct cert_jws jws;
    struct err *e = cert_jws_read(in, arena, &jws);
    judge(e, &jws, arena);
    e = cert_jws_read_compact(in, arena, &jws);
    judge(e, &jws, arena);
    arena_free(arena);
    return 0;
}
