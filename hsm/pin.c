/*
 * The PIN in memory and the memory of its refusal on disk. Never shows the PIN to anyone but the login, never
 * writes it: what is kept of a refused one is a salted slow hash, enough to know it again. Any one thread at
 * a time.
 */
#include "pin.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/world.h"

enum { STATE_VERSION = 1, STATE_MAX_BYTES = 512, SALT_BYTES = 16, HASH_BYTES = 32, ROUNDS = 100000 };

struct pin {
    struct secret *bytes;
    char *state_path; /* or NULL */
    bool refused;     /* in this process's life */
};

/* What is known of a refusal. */
struct refusal {
    int64_t time_ms;
    struct view salt, hash;
};

static struct err *already_refused(void)
{
    return err_new(ERR_PIN_REFUSED,
                   "the token refused this PIN before; it is not tried again until the PIN is another "
                   "one, or an operator says so");
}

static void slow_hash(const struct pin *p, struct view salt, uint8_t ret[HASH_BYTES])
{
    struct view pin = secret_view(p->bytes);

    CHECK(PKCS5_PBKDF2_HMAC((const char *)pin.p, (int)pin.n, salt.p, (int)salt.n, ROUNDS, EVP_sha256(),
                            HASH_BYTES, ret) == 1);
}

static struct err *state_read(struct view in, struct refusal *ret)
{
    struct err *e = NULL;
    struct view body;
    uint64_t version, time_ms;

    TRY(der_read(&in, DER_SEQUENCE, &body));
    TRY(der_end(in));
    TRY(der_read_uint(&body, STATE_VERSION, &version));
    TRY(der_read_uint(&body, INT64_MAX, &time_ms));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->salt));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->hash));
    TRY(der_end(body));
    ret->time_ms = (int64_t)time_ms;
    if (ret->salt.n != SALT_BYTES || ret->hash.n != HASH_BYTES)
        e = err_new(ERR_CORRUPT, "salt or hash of a wrong length");
out:
    return e;
}

static struct err *state_write(const char *path, const struct refusal *r)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct der_out out;
    struct view bytes;
    size_t mark;

    der_out_init(&out, arena, STATE_MAX_BYTES);
    mark = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, STATE_VERSION);
    der_put_uint(&out, (uint64_t)r->time_ms);
    der_put_octets(&out, r->salt);
    der_put_octets(&out, r->hash);
    der_finish(&out, mark);
    TRY(der_out_done(&out, &bytes));
    TRY(file_write(path, bytes, 0600));
out:
    arena_free(arena);
    return e;
}

static struct err *take(struct secret *bytes, const char *state_path, struct pin **ret)
{
    struct pin *p = calloc(1, sizeof *p);

    if (!p) {
        secret_free(bytes);
        return err_new(ERR_NOMEM, "PIN");
    }
    p->bytes = bytes;
    p->state_path = state_path ? strdup(state_path) : NULL;
    if (secret_view(bytes).n == 0) {
        pin_free(p);
        return err_new(ERR_CONFIG, "the PIN file is empty");
    }
    *ret = p;
    return NULL;
}

struct err *pin_read(int fd, const char *state_path, struct pin **ret)
{
    struct err *e = NULL;
    struct secret *bytes = NULL;

    TRY(secret_read(fd, PIN_MAX_BYTES, &bytes));
    TRY(take(bytes, state_path, ret));
out:
    return e;
}

struct err *pin_of(struct view bytes, const char *state_path, struct pin **ret)
{
    struct err *e = NULL;
    struct secret *copy = NULL;

    if (bytes.n > PIN_MAX_BYTES)
        return err_new(ERR_CONFIG, "the PIN is longer than %d octets", PIN_MAX_BYTES);
    TRY(secret_of(bytes, &copy));
    TRY(take(copy, state_path, ret));
out:
    return e;
}

void pin_free(struct pin *p)
{
    if (!p)
        return;
    secret_free(p->bytes);
    free(p->state_path);
    free(p);
}

struct view pin_view(const struct pin *p)
{
    return secret_view(p->bytes);
}

/* Refused before, by what the file remembers? A file that cannot be read counts as yes: a try too many may
 * lock a token for good. */
static struct err *check_state(const struct pin *p, struct arena *arena)
{
    struct err *e = NULL;
    struct view bytes;
    struct refusal r = {0};
    uint8_t hash[HASH_BYTES];

    TRY(file_read(p->state_path, STATE_MAX_BYTES, arena, &bytes));
    TRY(state_read(bytes, &r));
    slow_hash(p, r.salt, hash);
    if (CRYPTO_memcmp(hash, r.hash.p, HASH_BYTES) == 0)
        e = already_refused();
    secret_wipe(hash, sizeof hash);
out:
    return e;
}

struct err *pin_check(const struct pin *p)
{
    struct err *e = NULL;
    struct arena *arena = NULL;

    if (p->refused)
        return already_refused();
    if (!p->state_path)
        return NULL;
    arena = arena_new(64 * 1024);
    e = check_state(p, arena);
    arena_free(arena);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return NULL;
    }
    if (e && err_code(e) != ERR_PIN_REFUSED)
        return err_wrap(e, "the memory of refused PINs cannot be read, so no PIN is tried");
    return e;
}

struct err *pin_refused(struct pin *p)
{
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
    struct refusal r = {.time_ms = world_now_ms(), .salt = {salt, sizeof salt}, .hash = {hash, sizeof hash}};

    p->refused = true;
    if (!p->state_path)
        return NULL;
    world_random(salt, sizeof salt);
    slow_hash(p, r.salt, hash);
    return state_write(p->state_path, &r);
}

struct err *pin_forget(const char *state_path)
{
    if (world_unlink(state_path) == 0 || errno == ENOENT)
        return NULL;
    return err_sys(ERR_IO, errno, "the memory of refused PINs cannot be removed");
}

struct err *pin_accepted(struct pin *p)
{
    return p->state_path ? pin_forget(p->state_path) : NULL;
}
