/*
 * A year of lists in seconds: everything together on a clock that is pushed, certificates issued and
 * revoked all along, and each list that comes out held to the rules of RFC 5280 5 and to what was revoked.
 */
#include <stdio.h>
#include <string.h>

#include "base/world.h"
#include "cert/chain.h"
#include "cert/key.h"
#include "press.h"

enum { DAY_S = 86400, STEPS = 365, EVERY_STEPS = 7, WHOLE_DAYS = 2, SIZE = 20, GONE_MAX = 64 };

/* A certificate, from its revocation to the end of its last entry. */
struct gone {
    uint8_t serial[SERIAL_BYTES];
    int64_t not_after, at;
    const char *part;    /* its partition's list */
    bool seen[2];        /* whole, part: it stood there */
    bool left[2];        /* and does no more */
    uint64_t numbers[2]; /* of the lists on which it was seen past its end; 0: none */
};

struct year {
    struct house *h;
    struct cert_chain_cert issuer;
    struct gone gone[GONE_MAX];
    size_t n;
    unsigned issued;
    uint64_t seen[3]; /* numbers of whole, delta and root as last looked at */
    size_t lists;
};

static void holds_now(struct year *y, const char *name, const struct press_list *l)
{
    int64_t now = world_now_s();
    const char *root = strcmp(name, "root") == 0 ? "root" : NULL;
    if (l->crl.this_update > now || l->crl.next_update <= now)
        fail_msg("%s does not hold", name);
    if (!root)
        OK(cert_key_verify(&y->issuer.key, l->sealed.alg, l->sealed.tbs, l->sealed.sig));
}

/* Each number once and rising. */
static void look(struct year *y, const char *name, uint64_t *seen)
{
    struct press_list l = press_list(y->h, name);
    holds_now(y, name, &l);
    assert_true(l.crl.number >= *seen);
    y->lists += l.crl.number > *seen;
    *seen = l.crl.number;
}

/* An entry stays until it was on one list past the certificate's end, and then goes (RFC 5280 3.3). */
static void look_for(struct year *y, struct gone *g, int which, const char *name)
{
    struct press_list l = press_list(y->h, name);
    bool stands = press_finds(y->h, name, view_of(g->serial, SERIAL_BYTES), NULL);
    if (!stands && !g->seen[which] && l.crl.this_update <= g->at)
        return; /* a list of before */
    if (stands && g->left[which])
        fail_msg("%s: an entry came back", name);
    g->seen[which] = true;
    if (!stands && !g->left[which] && (g->numbers[which] == 0 || l.crl.this_update <= g->not_after))
        fail_msg("%s: an entry left before it was on a list past its end", name);
    if (stands && l.crl.this_update > g->not_after) {
        if (g->numbers[which] && g->numbers[which] != l.crl.number)
            fail_msg("%s: an entry on two lists past its end", name);
        g->numbers[which] = l.crl.number;
    }
    g->left[which] = !stands;
}

/* Whole list and delta together say of each certificate what is so, whichever list a client keeps. */
static void look_at_deltas(struct year *y)
{
    struct press_list whole = press_list(y->h, "issuing"), delta = press_list(y->h, "-delta/issuing");
    if (delta.crl.base > whole.crl.number)
        fail_msg("the delta builds on a list that is not there yet");
    if (y->n == 0)
        return;
    struct view last = view_of(y->gone[y->n - 1].serial, SERIAL_BYTES);
    assert_true(press_finds(y->h, "issuing", last, NULL) || press_finds(y->h, "-delta/issuing", last, NULL));
}

static void issue_and_revoke(struct year *y)
{
    struct house_issued got;
    struct gone *g = &y->gone[y->n++];
    assert_true(y->n <= GONE_MAX);
    house_good(y->h, "y.example.internal", &got);
    memcpy(g->serial, got.serial_bytes, SERIAL_BYTES);
    g->not_after = got.not_after;
    g->at = world_now_s();
    g->part = arena_printf(y->h->arena, "issuing/%u", y->issued++ / SIZE + 1);
    press_revoke(y->h, view_of(g->serial, SERIAL_BYTES), CERT_REASON_SUPERSEDED);
    press_await(y->h, "-delta/issuing", view_of(g->serial, SERIAL_BYTES));
    press_await(y->h, g->part, view_of(g->serial, SERIAL_BYTES));
}

static void look_at_all(struct year *y)
{
    struct arena *kept = y->h->arena;
    y->h->arena = arena_new(64 << 20);
    look(y, "issuing", &y->seen[0]);
    look(y, "-delta/issuing", &y->seen[1]);
    look(y, "root", &y->seen[2]);
    look_at_deltas(y);
    for (size_t k = 0; k < y->n; k++) {
        if (y->gone[k].left[0] && y->gone[k].left[1] && k + SIZE < y->n)
            continue; /* long gone */
        look_for(y, &y->gone[k], 0, "issuing");
        look_for(y, &y->gone[k], 1, y->gone[k].part);
    }
    arena_free(y->h->arena);
    y->h->arena = kept;
}

/* Looked at before the revocation too: it makes lists anew on which an ended certificate stands no more. */
static void step(struct year *y, unsigned i)
{
    house_pass(y->h, DAY_S);
    press_await_above(y->h, "-delta/issuing", y->seen[1]);
    look_at_all(y);
    if (i % EVERY_STEPS != 0)
        return;
    issue_and_revoke(y);
    look_at_all(y);
}

static void every_list_of_a_year(void **state)
{
    static struct year y;
    struct house *h = *state;
    struct crl_issuer to = press_like(h);
    y.h = h;
    OK(cert_chain_read(h->issuers[1].certificate, h->arena, &y.issuer));
    press(h)->issuers[0].every_s = to.every_s = WHOLE_DAYS * DAY_S;
    press(h)->issuers[0].lifetime_s = to.lifetime_s = 7 * DAY_S;
    to.delta_s = DAY_S;
    press_partition(h, SIZE);
    press_change(h, &to);
    for (unsigned i = 0; i < STEPS; i++)
        step(&y, i);
    size_t left = 0;
    for (size_t k = 0; k < y.n; k++)
        left += y.gone[k].left[0] && y.gone[k].left[1];
    print_message("%zu lists looked at, %zu of %zu entries have left\n", y.lists, left, y.n);
    assert_true(y.lists > 600);
    assert_in_range(left, y.n / 2, y.n); /* certificates of 90 days */
    assert_null(crl_maker_ready(press(h)->maker));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_list_of_a_year)};
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, press_setup, house_teardown);
}
