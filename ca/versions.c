/*
 * Versions of templates. A template is what its effective values are: the same values are the same version,
 * however the file is written. Compared by SHA-256 with the newest that the ledger has under the name.
 * Telling is spread over turns, for a set may be large; whoever needs a version before its turn has it told
 * at once. On the loop's thread.
 */
#include "versions.h"

#include <stdlib.h>

#include "base/log.h"
#include "house.h"

enum { A_TURN = 16, PAUSE_MS = 1, ARENA_BYTES = 1 << 20 };

struct versions {
    struct ca *ca;
    struct loop_timer *timer;
    const struct templates *set;
    uint64_t generation;
    uint64_t *of; /* by place in the set; 0: not told yet */
    size_t n, next;
};

static void go_on(void *arg);

struct versions *versions_new(struct ca *ca, struct loop *loop)
{
    struct versions *v = calloc(1, sizeof *v);
    CHECK(v);
    v->ca = ca;
    v->timer = loop_timer_new(loop, go_on, v);
    return v;
}

void versions_free(struct versions *v)
{
    if (!v)
        return;
    loop_timer_free(v->timer);
    free(v->of);
    free(v);
}

static struct err *tell(struct versions *v, const struct template *t, struct arena *arena, uint64_t *ret)
{
    struct err *e = NULL;
    const struct ledger_entry *last;
    size_t n;
    uint8_t hash[SHA256_BYTES];
    json_t *tree = templates_to_json(t);
    char *text = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK(text);
    digest_sha256(view_str(text), hash);
    TRY(ledger_template_versions(v->ca->ledger, templates_name(t), 0, 1, arena, &last, &n));
    *ret = n ? last->body.template.version : 0;
    if (n && view_eq(last->body.template.sha256, view_of(hash, sizeof hash)))
        goto out;
    const struct ledger_entry entry = {
        .kind = LEDGER_TEMPLATE,
        .actor = "self",
        .door = "self",
        .ref = n ? last->seq : 0,
        .body.template = {.name = templates_name(t),
                          .version = ++*ret,
                          .generation = v->generation,
                          .sha256 = view_of(hash, sizeof hash),
                          .text = view_str(text)},
    };
    ca_note(v->ca, &entry);
out:
    free(text);
    json_decref(tree);
    return e;
}

static void tell_at(struct versions *v, size_t place)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct err *e = v->of[place] ? NULL : tell(v, templates_at(v->set, place), arena, &v->of[place]);
    if (e)
        log_warn("template.untold", log_text("template", templates_name(templates_at(v->set, place))),
                 log_err(e));
    err_free(e);
    arena_free(arena);
}

static void go_on(void *arg)
{
    struct versions *v = arg;
    for (size_t i = 0; i < A_TURN && v->next < v->n; i++)
        tell_at(v, v->next++);
    if (v->next < v->n)
        loop_timer_set(v->timer, PAUSE_MS);
}

void versions_set(struct versions *v, const struct templates *set, uint64_t generation)
{
    size_t n = templates_count(set);
    v->of = reallocarray(v->of, n + 1, sizeof *v->of);
    CHECK(v->of);
    memset(v->of, 0, n * sizeof *v->of);
    v->set = set;
    v->generation = generation;
    v->n = n;
    v->next = 0;
    loop_timer_set(v->timer, PAUSE_MS);
}

uint64_t versions_of(struct versions *v, const struct template *t)
{
    size_t place = templates_place(v->set, t);
    if (!v->of[place])
        tell_at(v, place);
    return v->of[place];
}
