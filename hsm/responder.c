/*
 * The list of responder keys and its file. Never makes a key, never signs; a key counts only after its row is
 * durable. The vault's loop.
 */
#include "responder.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/when.h"

enum { FILE_MAX_BYTES = 1 << 20, PATH_BYTES = 4096, SPKI_MAX_BYTES = 1024 };

struct responder_keys {
    char path[PATH_BYTES];
    struct arena *arena; /* of the rows; made anew when a row is added */
    struct responder_key *keys;
    size_t n;
};

static struct err *fill_key(struct arena *arena, struct view spki, struct responder_key *to)
{
    struct err *e = NULL;
    TRY(cert_key_parse(arena_dup(arena, spki), &to->key));
    to->alg = cert_alg_default(to->key.kind);
    cert_key_sha256(&to->key, to->spki_sha256);
    cert_key_sha1(&to->key, to->spki_sha1);
    to->roll_key = arena_printf(arena, "%s/ocsp/%.16s", to->issuer,
                                hex_of(arena, view_of(to->spki_sha256, SHA256_BYTES)));
out:
    return e;
}

static struct err *read_row(struct view *in, struct arena *arena, struct responder_key *to)
{
    struct err *e = NULL;
    struct view row, spki;
    uint64_t made;
    TRY(der_read(in, DER_SEQUENCE, &row));
    TRY(der_read_text(&row, arena, HOUSE_NAME_MAX, &to->issuer));
    TRY(der_read_text(&row, arena, RESPONDER_LABEL_MAX - 1, &to->label));
    TRY(der_read_uint(&row, INT64_MAX, &made));
    TRY(der_read(&row, DER_OCTET_STRING, &spki));
    TRY(der_end(row));
    to->made_s = (int64_t)made;
    TRY(fill_key(arena, spki, to));
out:
    return e;
}

static struct err *read_rows(struct view file, struct responder_keys *r)
{
    struct err *e = NULL;
    struct view whole, rows;
    uint64_t version;
    TRY(der_read(&file, DER_SEQUENCE, &whole));
    TRY(der_end(file));
    TRY(der_read_uint(&whole, UINT32_MAX, &version));
    if (version != 1)
        TRY(err_new(ERR_CORRUPT, "version %llu; this program knows version 1", (unsigned long long)version));
    TRY(der_read(&whole, DER_SEQUENCE, &rows));
    TRY(der_end(whole));
    for (; rows.n > 0; r->n++) {
        if (r->n == RESPONDER_MAX)
            TRY(err_new(ERR_CORRUPT, "more than %d keys", RESPONDER_MAX));
        TRY(read_row(&rows, r->arena, &r->keys[r->n]));
    }
out:
    return e;
}

static struct arena *rows_arena(struct responder_key **ret_keys)
{
    struct arena *arena = arena_new(4 << 20);
    *ret_keys = arena_array(arena, RESPONDER_MAX + 1, sizeof **ret_keys);
    return arena;
}

struct err *responder_load(const char *dir, struct responder_keys **ret)
{
    struct err *e = NULL;
    struct responder_keys *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    CHECK((size_t)snprintf(r->path, sizeof r->path, "%s/%s", dir, RESPONDER_FILE) < sizeof r->path);
    r->arena = rows_arena(&r->keys);
    struct view file;
    e = file_read(r->path, FILE_MAX_BYTES, r->arena, &file);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = NULL;
        file = (struct view){NULL, 0};
    }
    TRY(e);
    if (file.n > 0)
        TRY(err_wrap(read_rows(file, r), "%s", r->path));
    *ret = r;
    r = NULL;
out:
    responder_free(r);
    return e;
}

void responder_free(struct responder_keys *r)
{
    if (!r)
        return;
    arena_free(r->arena);
    free(r);
}

size_t responder_count(const struct responder_keys *r)
{
    return r->n;
}

struct responder_key *responder_at(const struct responder_keys *r, size_t i)
{
    CHECK(i < r->n);
    return &r->keys[i];
}

const struct responder_key *responder_newest(const struct responder_keys *r, struct view issuer)
{
    for (size_t i = r->n; i > 0; i--)
        if (view_eq_str(issuer, r->keys[i - 1].issuer))
            return &r->keys[i - 1];
    return NULL;
}

const struct responder_key *responder_find(const struct responder_keys *r, struct view spki_sha256)
{
    for (size_t i = 0; i < r->n; i++)
        if (view_eq(spki_sha256, view_of(r->keys[i].spki_sha256, SHA256_BYTES)))
            return &r->keys[i];
    return NULL;
}

const struct responder_key *responder_find_sha1(const struct responder_keys *r, struct view spki_sha1)
{
    for (size_t i = 0; i < r->n; i++)
        if (view_eq(spki_sha1, view_of(r->keys[i].spki_sha1, SHA1_BYTES)))
            return &r->keys[i];
    return NULL;
}

struct responder_key responder_of_issuer(const struct house_issuer *issuer)
{
    struct responder_key key = {.issuer = issuer->name,
                                .label = "",
                                .key = issuer->key,
                                .roll_key = issuer->name,
                                .alg = issuer->facts.alg,
                                .token_key = issuer->token_key,
                                .spare = issuer->spare};
    memcpy(key.spki_sha256, issuer->spki_sha256, SHA256_BYTES);
    memcpy(key.spki_sha1, issuer->ocsp.key_sha1, SHA1_BYTES);
    return key;
}

void responder_label(struct view issuer, int64_t now_s, char to[RESPONDER_LABEL_MAX])
{
    struct when_fields f;
    when_split(now_s, &f);
    CHECK(snprintf(to, RESPONDER_LABEL_MAX, "ocsp-%.*s-%04u%02u%02u%02u%02u%02u", (int)issuer.n,
                   (const char *)issuer.p, (unsigned)f.year % 10000u, (unsigned)f.month % 100u,
                   (unsigned)f.day % 100u, (unsigned)f.hour % 100u, (unsigned)f.minute % 100u,
                   (unsigned)f.second % 100u) < RESPONDER_LABEL_MAX);
}

static struct err *write_rows(const struct responder_keys *r, const struct responder_key *keys, size_t n)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(4 << 20);
    struct der_out out;
    struct view file;
    der_out_init(&out, arena, FILE_MAX_BYTES);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 1);
    size_t rows = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        size_t row = der_begin(&out, DER_SEQUENCE);
        der_put_text(&out, keys[i].issuer);
        der_put_text(&out, keys[i].label);
        der_put_uint(&out, (uint64_t)keys[i].made_s);
        der_put_octets(&out, keys[i].key.spki);
        der_finish(&out, row);
    }
    der_finish(&out, rows);
    der_finish(&out, whole);
    TRY(der_out_done(&out, &file));
    TRY(file_write(r->path, file, 0600));
out:
    arena_free(arena);
    return e;
}

const struct responder_key *responder_outgoing(const struct responder_keys *r, struct view issuer)
{
    const struct responder_key *oldest = NULL;
    size_t of_issuer = 0;
    for (size_t i = r->n; i > 0; i--)
        if (view_eq_str(issuer, r->keys[i - 1].issuer)) {
            oldest = &r->keys[i - 1];
            of_issuer++;
        }
    return of_issuer >= RESPONDER_PER_ISSUER ? oldest : NULL;
}

/* Copies the rows to keep: all but the issuer's oldest where it has its full number. */
static struct err *copy_rows(const struct responder_keys *r, struct view issuer, struct arena *arena,
                             struct responder_key *keys, size_t *ret_n)
{
    struct err *e = NULL;
    size_t n = 0;
    const struct responder_key *outgoing = responder_outgoing(r, issuer);
    for (size_t i = 0; i < r->n; i++) {
        if (&r->keys[i] == outgoing)
            continue;
        keys[n] = r->keys[i];
        keys[n].issuer = arena_str(arena, view_str(r->keys[i].issuer));
        keys[n].label = arena_str(arena, view_str(r->keys[i].label));
        TRY(fill_key(arena, r->keys[i].key.spki, &keys[n]));
        n++;
    }
    *ret_n = n;
out:
    return e;
}

struct err *responder_add(struct responder_keys *r, struct view issuer, const char *label, int64_t now_s,
                          struct view spki, const struct token_key *token_key)
{
    struct err *e = NULL;
    struct responder_key *keys;
    struct arena *arena = rows_arena(&keys);
    size_t n;
    if (spki.n > SPKI_MAX_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a responder's key of %zu octets", spki.n));
    TRY(copy_rows(r, issuer, arena, keys, &n));
    if (n == RESPONDER_MAX)
        TRY(err_new(ERR_TOO_MANY, "more than %d responder keys", RESPONDER_MAX));
    keys[n].issuer = arena_str(arena, issuer);
    keys[n].label = arena_str(arena, view_str(label));
    keys[n].made_s = now_s;
    keys[n].token_key = token_key;
    TRY(fill_key(arena, spki, &keys[n]));
    TRY(write_rows(r, keys, n + 1));
    arena_free(r->arena);
    r->arena = arena;
    arena = NULL;
    r->keys = keys;
    r->n = n + 1;
out:
    arena_free(arena);
    return e;
}
