/*
 * The roster as data: read from YAML or from its canonical form, searched by key hash. Knows no files, judges
 * no signatures (roster_change.c). Never changes after it is made. Any thread.
 */
#include "roster.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/conf.h"
#include "base/der.h"
#include "base/hex.h"

struct hsm_roster {
    struct arena *arena;
    unsigned quorum;
    struct hsm_roster_entry *entries; /* ascending by hash */
    size_t n;
    struct view canonical;
    uint8_t hash[SHA256_BYTES];
};

static const char *const role_names[] = {"none", "auditor", "operator", "admin", NULL};

struct yaml_roster {
    int64_t quorum;
    const json_t *roster;
};
static const struct conf_row roster_rows[] = {
    {.key = "quorum",
     .type = CONF_INT,
     .offset = offsetof(struct yaml_roster, quorum),
     .required = true,
     .min = 1,
     .max = ROSTER_MAX,
     .doc = "how many administrators must sign a change of this file"},
    {.key = "roster",
     .type = CONF_TREE,
     .offset = offsetof(struct yaml_roster, roster),
     .required = true,
     .doc = "who is administrator, operator, auditor"},
};

struct yaml_entry {
    const char *name, *spki_sha256;
    int role;
};
static const struct conf_row entry_rows[] = {
    {.key = "name",
     .type = CONF_TEXT,
     .offset = offsetof(struct yaml_entry, name),
     .required = true,
     .min = 1,
     .max = ROSTER_NAME_MAX,
     .doc = "a name for logs and books"},
    {.key = "role",
     .type = CONF_CHOICE,
     .offset = offsetof(struct yaml_entry, role),
     .required = true,
     .choices = role_names + 1,
     .doc = "what this key may do"},
    {.key = "spki_sha256",
     .type = CONF_TEXT,
     .offset = offsetof(struct yaml_entry, spki_sha256),
     .required = true,
     .min = 64,
     .max = 64,
     .doc = "SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal"},
};

static int by_hash(const void *a, const void *b)
{
    const struct hsm_roster_entry *x = a, *y = b;
    return memcmp(x->spki_sha256, y->spki_sha256, SHA256_BYTES);
}

static struct hsm_roster *roster_new(size_t n)
{
    struct hsm_roster *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    r->arena = arena_new(1 << 20);
    r->entries = arena_array(r->arena, n, sizeof *r->entries);
    return r;
}

static void write_canonical(struct hsm_roster *r)
{
    struct der_out out;
    der_out_init(&out, r->arena, 256 * 1024);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 1);
    der_put_uint(&out, r->quorum);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < r->n; i++) {
        size_t one = der_begin(&out, DER_SEQUENCE);
        der_put_text(&out, r->entries[i].name);
        der_put_enum(&out, r->entries[i].role);
        der_put_octets(&out, view_of(r->entries[i].spki_sha256, SHA256_BYTES));
        der_finish(&out, one);
    }
    der_finish(&out, list);
    der_finish(&out, whole);
    struct err *e = der_out_done(&out, &r->canonical);
    CHECK(e == NULL); /* ROSTER_MAX entries fit */
    digest_sha256(r->canonical, r->hash);
}

/* Sorts, checks what must hold over all entries, makes the canonical form. */
static struct err *complete(struct hsm_roster *r)
{
    unsigned admins = 0;
    qsort(r->entries, r->n, sizeof *r->entries, by_hash);
    for (size_t i = 0; i < r->n; i++) {
        admins += r->entries[i].role == HSM_ROLE_ADMIN;
        if (i > 0 && by_hash(&r->entries[i - 1], &r->entries[i]) == 0)
            return err_new(ERR_CONFIG, "the keys of '%s' and '%s' are one key: one person, one role",
                           r->entries[i - 1].name, r->entries[i].name);
    }
    if (admins < r->quorum)
        return err_new(ERR_CONFIG, "quorum is %u, but only %u administrators are on the roster", r->quorum,
                       admins);
    write_canonical(r);
    return NULL;
}

static struct err *read_entry(const struct conf *c, const json_t *node, struct hsm_roster *r)
{
    struct err *e = NULL;
    struct yaml_entry y = {0};
    struct view hash;
    struct hsm_roster_entry *to = &r->entries[r->n];
    TRY(conf_fill(c, node, entry_rows, sizeof entry_rows / sizeof *entry_rows, r->arena, &y));
    e = hex_parse(r->arena, view_str(y.spki_sha256), &hash);
    if (e || hash.n != SHA256_BYTES) {
        err_free(e);
        TRY(conf_error(c, json_object_get(node, "spki_sha256"),
                       "spki_sha256 of '%s' is not 64 hexadecimal digits", y.name));
    }
    to->name = y.name;
    to->role = (enum hsm_role)(y.role + 1);
    memcpy(to->spki_sha256, hash.p, SHA256_BYTES);
    r->n++;
out:
    return e;
}

struct err *hsm_roster_parse(const char *file, struct view yaml, struct hsm_roster **ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct hsm_roster *r = roster_new(ROSTER_MAX);
    struct yaml_roster top = {0};
    TRY(conf_parse(file, yaml, &c));
    TRY(conf_fill(c, conf_root(c), roster_rows, sizeof roster_rows / sizeof *roster_rows, r->arena, &top));
    if (!json_is_array(top.roster))
        TRY(conf_error(c, top.roster, "roster must be a list"));
    if (json_array_size(top.roster) > ROSTER_MAX)
        TRY(conf_error(c, top.roster, "more than %d entries", ROSTER_MAX));
    for (size_t i = 0; i < json_array_size(top.roster); i++)
        TRY(read_entry(c, json_array_get(top.roster, i), r));
    r->quorum = (unsigned)top.quorum;
    TRY(err_wrap(complete(r), "%s", file));
    *ret = r;
    r = NULL;
out:
    conf_free(c);
    hsm_roster_free(r);
    return e;
}

static struct err *read_canonical_entry(struct view *in, struct hsm_roster *r)
{
    struct err *e = NULL;
    struct view one, hash;
    uint64_t role;
    if (r->n == ROSTER_MAX)
        return err_new(ERR_CORRUPT, "more than %d entries on a pinned roster", ROSTER_MAX);
    struct hsm_roster_entry *to = &r->entries[r->n];
    TRY(der_read(in, DER_SEQUENCE, &one));
    TRY(der_read_text(&one, r->arena, ROSTER_NAME_MAX, &to->name));
    TRY(der_read_enum(&one, HSM_ROLE_ADMIN, &role));
    TRY(der_read(&one, DER_OCTET_STRING, &hash));
    TRY(der_end(one));
    if (role == HSM_ROLE_NONE || hash.n != SHA256_BYTES)
        TRY(err_new(ERR_CORRUPT, "an entry of a pinned roster has no role or no key hash"));
    to->role = (enum hsm_role)role;
    memcpy(to->spki_sha256, hash.p, SHA256_BYTES);
    r->n++;
out:
    return e;
}

struct err *roster_of_canonical(struct view der, struct hsm_roster **ret)
{
    struct err *e = NULL;
    struct hsm_roster *r = roster_new(ROSTER_MAX);
    struct view whole, list, in = der;
    uint64_t version, quorum;
    TRY(der_read(&in, DER_SEQUENCE, &whole));
    TRY(der_end(in));
    TRY(der_read_uint(&whole, UINT32_MAX, &version));
    if (version != 1)
        TRY(err_new(ERR_CORRUPT, "the pinned roster has version %llu; this program knows version 1",
                    (unsigned long long)version));
    TRY(der_read_uint(&whole, ROSTER_MAX, &quorum));
    TRY(der_read(&whole, DER_SEQUENCE, &list));
    TRY(der_end(whole));
    while (list.n > 0)
        TRY(read_canonical_entry(&list, r));
    r->quorum = (unsigned)quorum;
    TRY(complete(r));
    if (!view_eq(r->canonical, der))
        TRY(err_new(ERR_CORRUPT, "the pinned roster is not in canonical form"));
    *ret = r;
    r = NULL;
out:
    hsm_roster_free(r);
    return e;
}

void hsm_roster_free(struct hsm_roster *r)
{
    if (!r)
        return;
    arena_free(r->arena);
    free(r);
}

const struct hsm_roster_entry *hsm_roster_find(const struct hsm_roster *r,
                                               const uint8_t spki_sha256[SHA256_BYTES])
{
    struct hsm_roster_entry wanted;
    memcpy(wanted.spki_sha256, spki_sha256, SHA256_BYTES);
    return r->n ? bsearch(&wanted, r->entries, r->n, sizeof *r->entries, by_hash) : NULL;
}

const char *hsm_roster_role_name(enum hsm_role role)
{
    return role_names[role];
}

size_t hsm_roster_count(const struct hsm_roster *r)
{
    return r->n;
}

const struct hsm_roster_entry *hsm_roster_at(const struct hsm_roster *r, size_t i)
{
    CHECK(i < r->n);
    return &r->entries[i];
}

unsigned hsm_roster_quorum(const struct hsm_roster *r)
{
    return r->quorum;
}

void hsm_roster_hash(const struct hsm_roster *r, uint8_t ret[SHA256_BYTES])
{
    memcpy(ret, r->hash, SHA256_BYTES);
}

struct view roster_canonical(const struct hsm_roster *r)
{
    return r->canonical;
}
