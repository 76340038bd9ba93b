/* The life of this door: its secret in the front's folder, its nonces, what it counts. */
#include "acme.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/world.h"

#include <openssl/evp.h>

/* Made at the first start, and never again: nonces and EAB keys that are out depend on it. */
static struct err *take_secret(const char *path, struct arena *arena, uint8_t ret[ACME_SECRET_BYTES])
{
    struct view file;
    struct err *e = file_read(path, ACME_SECRET_BYTES, arena, &file);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        world_random(ret, ACME_SECRET_BYTES);
        return file_write(path, view_of(ret, ACME_SECRET_BYTES), 0600);
    }
    if (!e && file.n != ACME_SECRET_BYTES)
        e = err_new(ERR_CORRUPT, "%s: %zu octets, not %d", path, file.n, ACME_SECRET_BYTES);
    if (!e)
        memcpy(ret, file.p, ACME_SECRET_BYTES);
    return e;
}

static void nonce_key(const struct acme *a, uint8_t ret[SHA256_BYTES])
{
    static const char label[] = "nonces";
    size_t n = 0;
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, a->secret, sizeof a->secret, (const uint8_t *)label,
                    sizeof label - 1, ret, SHA256_BYTES, &n));
}

void acme_made(struct acme *a)
{
    int64_t second = world_mono_ms() / 1000;
    a->in_second = second == a->second ? a->in_second + 1 : 1;
    a->second = second;
    if (a->in_second > a->best_per_s)
        a->best_per_s = a->in_second;
}

struct err *acme_new(struct enroll *en, struct acme **ret)
{
    struct err *e = NULL;
    uint8_t key[SHA256_BYTES];
    struct arena *arena = arena_new(1 << 16);
    struct acme *a = calloc(1, sizeof *a);
    CHECK(a);
    a->limits = acme_limits_new();
    TRY(take_secret(arena_printf(arena, "%s/acme.key", en->setup.folder), arena, a->secret));
    nonce_key(a, key);
    TRY(acme_nonces_new(en->setup.ledger, en->setup.folder, view_of(key, sizeof key), 0, &a->nonces));
    secret_wipe(key, sizeof key);
    *ret = a;
    a = NULL;
out:
    acme_free(a);
    arena_free(arena);
    return e ? err_wrap(e, "acme") : NULL;
}

void acme_stop(struct acme *a)
{
    if (a)
        acme_nonces_stop(a->nonces);
}

void acme_free(struct acme *a)
{
    if (!a)
        return;
    acme_nonces_free(a->nonces);
    acme_limits_free(a->limits);
    secret_wipe(a->secret, sizeof a->secret);
    free(a);
}
