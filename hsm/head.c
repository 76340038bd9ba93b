/*
 * The text of a tree head and the note around it, as C2SP's tlog-checkpoint and signed-note have them. Knows
 * no vault. Any thread.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cert/key.h"
#include "hsm_head.h"

enum { KEY_ID = 4 };
static const char dash[] = "\xe2\x80\x94 "; /* an em dash and a space */

struct err *hsm_head_origin_check(const char *origin)
{
    size_t n = strlen(origin);
    if (n == 0 || n > HSM_ORIGIN_MAX)
        return err_new(ERR_CONFIG, "a log's origin has 1 to %d octets", HSM_ORIGIN_MAX);
    for (size_t i = 0; i < n; i++)
        if (origin[i] <= ' ' || origin[i] == '+' || origin[i] == 0x7f)
            return err_new(ERR_CONFIG, "a log's origin is ASCII without spaces and '+'");
    return NULL;
}

const char *hsm_head_text(struct arena *arena, const char *origin, const struct hsm_head *head)
{
    return arena_printf(arena, "%s\n%llu\n%s\n", origin, (unsigned long long)head->size,
                        base64_of(arena, view_of(head->root, SHA256_BYTES)));
}

/* What stands before the key, and whether the key is the SPKI or the bare octets. RSA has no type of its own
 * in signed-note: 0xff and a name. */
static const struct {
    enum cert_key_kind kind;
    const char *type;
    bool spki;
} types[] = {
    {CERT_KEY_ED25519, "\x01", false},
    {CERT_KEY_P256, "\x02", true},
    {CERT_KEY_RSA,
     "\xff"
     "chancery-rsa-sha256\n",
     true},
};
enum { TYPES = sizeof types / sizeof types[0] };

/* What stands for the key: its type and the key; and its id, over the origin and these, but for an ECDSA key
 * over the SPKI alone. */
struct log_key {
    struct cert_key key;
    enum cert_alg alg;
    struct view body;
    uint8_t id[KEY_ID];
};

static struct err *key_of(struct arena *arena, const char *origin, struct view spki, struct log_key *ret)
{
    struct err *e = NULL;
    uint8_t hash[SHA256_BYTES];
    TRY(cert_key_parse(spki, &ret->key));
    size_t i = 0;
    while (i < TYPES && types[i].kind != ret->key.kind)
        i++;
    if (i == TYPES)
        TRY(err_new(ERR_BAD_KEY, "a log's key is Ed25519, P-256 or RSA"));
    ret->alg = cert_alg_default(ret->key.kind);
    struct view public = types[i].spki ? spki : ret->key.public;
    size_t n = strlen(types[i].type);
    uint8_t *body = arena_alloc(arena, n + public.n);
    memcpy(body, types[i].type, n);
    memcpy(body + n, public.p, public.n);
    ret->body = view_of(body, n + public.n);
    digest_sha256_parts((const struct view[]){view_str(origin), view_str("\n"), ret->body}, 3, hash);
    if (ret->key.kind == CERT_KEY_P256)
        digest_sha256(spki, hash);
    memcpy(ret->id, hash, KEY_ID);
out:
    return e;
}

struct err *hsm_head_note(struct arena *arena, const char *origin, struct view spki, const char *text,
                          struct view signature, struct view *ret)
{
    struct err *e = NULL;
    struct log_key key;
    TRY(key_of(arena, origin, spki, &key));
    uint8_t *line = arena_alloc(arena, KEY_ID + signature.n);
    memcpy(line, key.id, KEY_ID);
    memcpy(line + KEY_ID, signature.p, signature.n);
    *ret = view_str(arena_printf(arena, "%s\n%s%s %s\n", text, dash, origin,
                                 base64_of(arena, view_of(line, KEY_ID + signature.n))));
out:
    return e;
}

struct err *hsm_head_vkey(struct arena *arena, const char *origin, struct view spki, const char **ret)
{
    struct err *e = NULL;
    struct log_key key;
    TRY(key_of(arena, origin, spki, &key));
    *ret = arena_printf(arena, "%s+%s+%s", origin, hex_of(arena, view_of(key.id, KEY_ID)),
                        base64_of(arena, key.body));
out:
    return e;
}

/* --- reading --- */

static struct err *bad_note(const char *why)
{
    return err_new(ERR_CORRUPT, "not a checkpoint: %s", why);
}

/* Takes a line off the front, without its end. */
static bool take_line(struct view *in, struct view *ret)
{
    size_t n = view_find(*in, '\n');
    if (n == in->n)
        return false;
    *ret = view_of(in->p, n);
    *in = view_from(*in, n + 1);
    return true;
}

static struct err *read_size(struct view line, uint64_t *ret)
{
    uint64_t size = 0;
    if (line.n == 0 || line.n > 19 || (line.p[0] == '0' && line.n > 1))
        return bad_note("the tree's size");
    for (size_t i = 0; i < line.n; i++) {
        if (!isdigit(line.p[i]))
            return bad_note("the tree's size");
        size = size * 10 + (uint64_t)(line.p[i] - '0');
    }
    *ret = size;
    return NULL;
}

static struct err *read_text(struct view *in, struct arena *arena, const char **ret_origin,
                             struct hsm_head *ret)
{
    struct err *e = NULL;
    struct view origin, size, root, empty, hash;
    if (!take_line(in, &origin) || !take_line(in, &size) || !take_line(in, &root))
        return bad_note("fewer than three lines");
    *ret_origin = arena_str(arena, origin);
    TRY(hsm_head_origin_check(*ret_origin));
    TRY(read_size(size, &ret->size));
    TRY(base64_parse(arena, root, &hash));
    if (hash.n != SHA256_BYTES)
        TRY(bad_note("the root is no SHA-256 hash"));
    memcpy(ret->root, hash.p, SHA256_BYTES);
    if (!take_line(in, &empty) || empty.n != 0)
        e = bad_note("no empty line after the root");
out:
    return e;
}

struct err *hsm_head_peek(struct view note, struct arena *arena, const char **ret_origin,
                          struct hsm_head *ret)
{
    struct err *e = NULL;
    struct hsm_head head;
    TRY(read_text(&note, arena, ret_origin, &head));
    *ret = head;
out:
    return e;
}

/* Whether this line is of that name and key; *ret: its signature. */
static struct err *read_line(struct view line, const char *origin, const struct log_key *key,
                             struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct view name, bytes;
    *ret = (struct view){NULL, 0};
    if (!view_take(&line, sizeof dash - 1, &name) || !view_eq_str(name, dash))
        return bad_note("a line that is no signature");
    size_t n = view_find(line, ' ');
    if (n == line.n)
        return bad_note("a signature without a name");
    name = view_of(line.p, n);
    TRY(base64_parse(arena, view_from(line, n + 1), &bytes));
    if (view_eq_str(name, origin) && bytes.n > KEY_ID && memcmp(bytes.p, key->id, KEY_ID) == 0)
        *ret = view_from(bytes, KEY_ID);
out:
    return e;
}

struct err *hsm_head_read(struct view note, struct view spki, struct arena *arena, const char **ret_origin,
                          struct hsm_head *ret)
{
    struct err *e = NULL;
    struct log_key key;
    struct hsm_head head;
    struct view in = note, line, signature;
    bool signed_ = false;
    const char *origin;
    TRY(read_text(&in, arena, &origin, &head));
    TRY(key_of(arena, origin, spki, &key));
    struct view text = view_of(note.p, (size_t)(in.p - note.p) - 1);
    while (in.n > 0) {
        if (!take_line(&in, &line))
            TRY(bad_note("its end is cut off"));
        TRY(read_line(line, origin, &key, arena, &signature));
        if (!signature.p)
            continue;
        TRY(cert_key_verify(&key.key, key.alg, text, signature));
        signed_ = true;
    }
    if (!signed_)
        TRY(err_new(ERR_BAD_SIGNATURE, "no signature of the log's key is on the checkpoint"));
    *ret_origin = origin;
    *ret = head;
out:
    return e;
}
