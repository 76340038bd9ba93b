/* A nonce: when it was made, random octets, and an HMAC-SHA-256 over both under the secret, cut to 16 octets.
 */
#include "nonce.h"

#include <string.h>

#include "base/digest.h"
#include "base/world.h"

enum { HEAD_BYTES = 16 };

static void seal(struct nonces *n, const uint8_t head[HEAD_BYTES], uint8_t ret[SHA256_BYTES])
{
    if (!n->seeded)
        world_random(n->secret, sizeof n->secret);
    n->seeded = true;
    digest_hmac_sha256(view_of(n->secret, sizeof n->secret), view_of(head, HEAD_BYTES), ret);
}

void nonce_make(struct nonces *n, uint8_t ret[NONCE_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    int64_t now = world_mono_ms();
    memcpy(ret, &now, sizeof now);
    world_random(ret + sizeof now, HEAD_BYTES - sizeof now);
    seal(n, ret, hash);
    memcpy(ret + HEAD_BYTES, hash, NONCE_BYTES - HEAD_BYTES);
}

static bool is_used(const struct nonces *n, struct view nonce)
{
    for (size_t i = 0; i < NONCE_USED_MAX; i++)
        if (memcmp(n->used[i], nonce.p, NONCE_BYTES) == 0)
            return true;
    return false;
}

struct err *nonce_check(struct nonces *n, struct view nonce)
{
    uint8_t hash[SHA256_BYTES];
    int64_t made;
    if (nonce.n == NONCE_BYTES) {
        memcpy(&made, nonce.p, sizeof made);
        seal(n, nonce.p, hash);
        int64_t age_ms = world_mono_ms() - made;
        if (digest_eq(hash, nonce.p + HEAD_BYTES, NONCE_BYTES - HEAD_BYTES) && age_ms >= 0 &&
            age_ms <= NONCE_LIFE_S * 1000 && !is_used(n, nonce))
            return NULL;
    }
    return err_at(err_new(ERR_BAD_FIELD,
                          "not a nonce of POST /v1/nonces, or older than %d minutes, or used before",
                          NONCE_LIFE_S / 60),
                  "/nonce");
}

void nonce_use(struct nonces *n, struct view nonce)
{
    memcpy(n->used[n->used_at], nonce.p, NONCE_BYTES);
    n->used_at = (n->used_at + 1) % NONCE_USED_MAX;
}
