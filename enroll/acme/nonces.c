/*
 * See nonces.h. The counters that are taken lie in a window below the newest; one bit each says whether it
 * was used, or never given out. Never blocks but at start and stop.
 */
#include "nonces.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "ledger_object.h"

enum { BODY_BYTES = 10, MAC_BYTES = 14, OCTETS = BODY_BYTES + MAC_BYTES, FILE_HEAD = 16 };
_Static_assert(OCTETS / 3 * 4 + 1 == ACME_NONCE_TEXT_BYTES, "base64url without padding");

struct acme_nonces {
    struct ledger *ledger;
    char *path;
    uint8_t key[SHA256_BYTES];
    uint16_t replica;
    uint64_t next;   /* to be given out */
    uint64_t opened; /* below it they may be: durable */
    uint64_t entry;  /* seq of the last state on record */
    bool opening, stopped;
    uint8_t gone[ACME_NONCE_WINDOW / 8];
};

/* --- the window --- */

static uint8_t *octet_of(struct acme_nonces *n, uint64_t counter)
{
    return &n->gone[counter % ACME_NONCE_WINDOW / 8];
}

static bool is_gone(const struct acme_nonces *n, uint64_t counter)
{
    return n->gone[counter % ACME_NONCE_WINDOW / 8] >> counter % 8 & 1;
}

static void set_gone(struct acme_nonces *n, uint64_t counter, bool gone)
{
    uint8_t bit = (uint8_t)(1u << counter % 8), *octet = octet_of(n, counter);
    *octet = (uint8_t)(gone ? *octet | bit : *octet & ~bit);
}

/* --- blocks --- */

static struct view object_id(const struct acme_nonces *n, uint8_t to[LEDGER_OBJECT_ID_BYTES])
{
    memset(to, 0, LEDGER_OBJECT_ID_BYTES);
    to[0] = (uint8_t)(n->replica >> 8);
    to[1] = (uint8_t)n->replica;
    return view_of(to, LEDGER_OBJECT_ID_BYTES);
}

static void opened(void *arg, struct err *e, const struct ledger_result *r)
{
    struct acme_nonces *n = arg;
    n->opening = false;
    if (e) {
        log_warn("acme.nonces", log_err(e));
        err_free(e);
        return;
    }
    n->entry = r->seq;
    n->opened += ACME_NONCE_BLOCK;
}

static void open_block(struct acme_nonces *n)
{
    uint8_t id[LEDGER_OBJECT_ID_BYTES];
    const struct ledger_entry entry = {
        .kind = LEDGER_ACME_NONCES,
        .ref = n->entry,
        .actor = "self",
        .door = "acme",
        .body.acme_nonces = {.object = {.id = object_id(n, id)}, .upto = n->opened + ACME_NONCE_BLOCK}};
    struct err *e = ledger_append(n->ledger, &entry, opened, n, NULL);
    n->opening = e == NULL;
    if (e)
        log_warn("acme.nonces", log_err(e));
    err_free(e);
}

/* --- the start and the end --- */

/* What an orderly stop has left: from which counter to which, and their bits. */
static struct err *take_up(struct acme_nonces *n)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(2 * sizeof n->gone);
    struct view file;
    uint64_t words[2];
    e = file_read(n->path, FILE_HEAD + sizeof n->gone, arena, &file);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = NULL;
        goto out;
    }
    TRY(e);
    /* Gone before anything is given out: a crash from now on must not find it again. */
    if (world_unlink(n->path) != 0)
        TRY(err_new(ERR_IO, "%s cannot be removed", n->path));
    if (file.n != FILE_HEAD + sizeof n->gone)
        TRY(err_new(ERR_CORRUPT, "%s has another size than it was written with", n->path));
    memcpy(words, file.p, FILE_HEAD);
    if (be64toh(words[0]) != n->replica || be64toh(words[1]) > n->opened)
        goto out; /* of another ledger or an older one: nothing of it counts */
    memcpy(n->gone, file.p + FILE_HEAD, sizeof n->gone);
    for (uint64_t c = be64toh(words[1]); c < n->opened; c++)
        set_gone(n, c, true); /* never given out */
out:
    arena_free(arena);
    return e;
}

static struct err *read_mark(struct acme_nonces *n)
{
    uint8_t id[LEDGER_OBJECT_ID_BYTES];
    struct ledger_entry entry;
    struct arena *arena = arena_new(1 << 16);
    struct err *e = ledger_object_find(n->ledger, LEDGER_ACME_NONCES, object_id(n, id), arena, &entry);
    if (!e) {
        n->entry = entry.seq;
        n->next = n->opened = entry.body.acme_nonces.upto;
    } else if (err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = NULL;
    }
    arena_free(arena);
    return e;
}

struct err *acme_nonces_new(struct ledger *l, const char *folder, struct view key, uint16_t replica,
                            struct acme_nonces **ret)
{
    struct err *e = NULL;
    struct acme_nonces *n = calloc(1, sizeof *n);
    CHECK(n && key.n == sizeof n->key);
    n->ledger = l;
    n->replica = replica;
    memcpy(n->key, key.p, key.n);
    memset(n->gone, 0xff, sizeof n->gone);
    CHECK(asprintf(&n->path, "%s/acme.nonces", folder) > 0);
    TRY(read_mark(n));
    TRY(take_up(n));
    open_block(n);
    *ret = n;
    n = NULL;
out:
    acme_nonces_free(n);
    return e;
}

void acme_nonces_stop(struct acme_nonces *n)
{
    uint64_t words[2] = {htobe64(n->replica), htobe64(n->next)};
    struct arena *arena = arena_new(2 * sizeof n->gone);
    uint8_t *file = arena_alloc(arena, FILE_HEAD + sizeof n->gone);
    memcpy(file, words, FILE_HEAD);
    memcpy(file + FILE_HEAD, n->gone, sizeof n->gone);
    struct err *e = n->stopped ? NULL : file_write(n->path, view_of(file, FILE_HEAD + sizeof n->gone), 0600);
    n->stopped = true;
    if (e)
        log_warn("acme.nonces", log_err(e));
    err_free(e);
    arena_free(arena);
}

void acme_nonces_free(struct acme_nonces *n)
{
    if (!n)
        return;
    free(n->path);
    free(n);
}

/* --- one nonce --- */

/* All are of one length, so that the plain hash behind the key is a sound MAC here; it takes a tenth of HMAC.
 */
static void mac(const struct acme_nonces *n, const uint8_t body[BODY_BYTES], uint8_t ret[SHA256_BYTES])
{
    const struct view parts[] = {view_of(n->key, sizeof n->key), view_of(body, BODY_BYTES)};
    digest_sha256_parts(parts, 2, ret);
}

struct err *acme_nonce_make(struct acme_nonces *n, char ret[ACME_NONCE_TEXT_BYTES])
{
    uint8_t octets[BODY_BYTES + SHA256_BYTES];
    if (!n->opening && n->opened - n->next < ACME_NONCE_BLOCK / 2)
        open_block(n);
    if (n->next >= n->opened || n->stopped)
        return err_new(ERR_STARTING, "no nonce can be made at this moment");
    uint64_t counter = n->next++, word = htobe64(counter);
    set_gone(n, counter, false);
    octets[0] = (uint8_t)(n->replica >> 8);
    octets[1] = (uint8_t)n->replica;
    memcpy(octets + 2, &word, sizeof word);
    mac(n, octets, octets + BODY_BYTES);
    struct arena *arena = arena_new(1024);
    memcpy(ret, base64url_of(arena, view_of(octets, OCTETS)), ACME_NONCE_TEXT_BYTES);
    arena_free(arena);
    return NULL;
}

static bool read_nonce(const struct acme_nonces *n, struct view text, uint64_t *ret)
{
    uint8_t want[SHA256_BYTES];
    struct arena *arena = arena_new(1024);
    struct view octets = {NULL, 0};
    struct err *e = text.n == ACME_NONCE_TEXT_BYTES - 1 ? base64url_parse(arena, text, &octets) : NULL;
    bool ours = !e && octets.n == OCTETS && (octets.p[0] << 8 | octets.p[1]) == n->replica;
    if (ours) {
        memcpy(ret, octets.p + 2, sizeof *ret);
        *ret = be64toh(*ret);
        mac(n, octets.p, want);
        ours = digest_eq(want, octets.p + BODY_BYTES, MAC_BYTES);
    }
    err_free(e);
    arena_free(arena);
    return ours;
}

struct err *acme_nonce_check(const struct acme_nonces *n, struct view text)
{
    uint64_t counter;
    /* acme.sh looks for these very words. */
    static const char words[] = "JWS has an invalid anti-replay nonce";
    if (!read_nonce(n, text, &counter) || counter >= n->next)
        return err_new(ERR_BAD_NONCE, "%s: it was not made here (RFC 8555 6.5.2)", words);
    if (n->next - counter > ACME_NONCE_WINDOW || is_gone(n, counter))
        return err_new(ERR_BAD_NONCE, "%s: it was used, or is too old (RFC 8555 6.5.2)", words);
    return NULL;
}

void acme_nonce_use(struct acme_nonces *n, struct view text)
{
    uint64_t counter;
    if (read_nonce(n, text, &counter))
        set_gone(n, counter, true);
}
