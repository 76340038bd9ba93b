/* Tags from JSON, and the entry that changes them. On the loop's thread. */
#include "asker.h"
#include "ca_tags.h"
#include "house.h"

#include <stdlib.h>

/* What may stand in a key or a value, beside letters, digits and octets of UTF-8. */
static bool is_plain(const char *text, const char *more)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool fits = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80 ||
                    strchr(more, c);
        if (!fits)
            return false;
    }
    return true;
}

static struct err *check_one(const char *key, const char *value)
{
    if (!*key || strlen(key) > CA_TAG_KEY_BYTES || !is_plain(key, " _.:/+-@"))
        return err_new(ERR_BAD_FIELD, "a tag's key has 1 to %d letters, digits, blanks or _ . : / + - @",
                       CA_TAG_KEY_BYTES);
    if (strlen(value) > CA_TAG_VALUE_BYTES || !is_plain(value, " _.:/=+-@"))
        return err_new(ERR_BAD_FIELD,
                       "a tag's value has at most %d letters, digits, blanks or _ . : / = + - @",
                       CA_TAG_VALUE_BYTES);
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct err *ca_tags_make(const struct ca_tag *tags, size_t n, struct arena *arena, struct ledger_texts *ret)
{
    struct err *e = NULL;
    if (n > CA_TAGS_MAX)
        TRY(err_new(ERR_TOO_MANY, "%zu tags; a certificate has at most %d", n, CA_TAGS_MAX));
    const char **items = arena_array(arena, n + 1, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        TRY(check_one(tags[i].key, tags[i].value));
        items[i] = arena_printf(arena, "%s=%s", tags[i].key, tags[i].value);
    }
    if (n > 1)
        qsort(items, n, sizeof *items, by_text);
    *ret = (struct ledger_texts){n, items};
out:
    return err_at(e, "/tags");
}

/* --- changing them --- */

struct tagging {
    ca_tagged *done;
    void *arg;
};

static void tagged(void *arg, struct err *e, const struct ledger_result *r)
{
    struct tagging *t = arg;
    t->done(t->arg, e, e ? 0 : r->seq);
    free(t);
}

struct err *ca_tag(struct ca *ca, const struct ca_asker *asker, const char *issuer, struct view serial,
                   const struct ledger_texts *tags, ca_tagged *done, void *arg)
{
    struct err *e = NULL;
    struct ledger_cert record;
    struct tagging *t = NULL;
    struct arena *arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    TRY(ledger_find(ca->ledger, issuer, serial, arena, &record));
    if (!ca_may_see(asker, &record))
        TRY(err_new(ERR_NOT_FOUND, "no certificate of this serial is on record"));
    const struct ledger_entry entry = {.kind = LEDGER_TAGS,
                                       .actor = asker->id,
                                       .door = asker->door,
                                       .peer = asker->peer,
                                       .request = asker->request_id,
                                       .issuer = record.issuer,
                                       .serial = record.serial,
                                       .body.tags = {*tags}};
    t = calloc(1, sizeof *t);
    CHECK(t);
    *t = (struct tagging){done, arg};
    TRY(ledger_append(ca->ledger, &entry, tagged, t, NULL));
    t = NULL;
out:
    free(t);
    arena_free(arena);
    return e;
}
