/* Bearer tokens: `chancery_` and 256 random bits in base64url. Only the SHA-256 of the whole text is ever
 * stored. */
#include <stdio.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"
#include "house.h"

void enroll_token_make(char text[ENROLL_TOKEN_TEXT_BYTES], uint8_t ret_id[32])
{
    uint8_t random[32];
    struct arena *arena = arena_new(4096);
    world_random(random, sizeof random);
    char *body = base64url_of(arena, view_of(random, sizeof random));
    snprintf(text, ENROLL_TOKEN_TEXT_BYTES, "chancery_%s", body);
    digest_sha256(view_str(text), ret_id);
    secret_wipe(body, strlen(body));
    secret_wipe(random, sizeof random);
    arena_free(arena);
}
