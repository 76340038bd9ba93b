/* What an owned front tries with SEAL_CRL. */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/world.h"
#include "cert/crl.h"
#include "owned.h"

enum { HOUR = 3600, DAY = 24 * HOUR, LIST_MAX = 8192, ENTRIES = 2 };

/* A list about two certificates, as a front would make it. */
struct list {
    struct cert_crl crl;
    struct cert_crl_entry entries[ENTRIES];
};

struct how {
    void (*change)(struct owned *o, struct list *l);         /* before it is written */
    void (*damage)(struct owned *o, uint8_t *tbs, size_t n); /* what the writer would not write */
};

static const uint8_t low[SERIAL_BYTES] = {0x41, 1, 1, 1}, high[SERIAL_BYTES] = {0x42, 2, 2, 2};

static struct list list_new(struct owned *o)
{
    int64_t now = world_now_s();
    return (struct list){.crl = {.alg = CERT_ALG_ECDSA_SHA256,
                                 .issuer = o->s->issuing->facts.subject,
                                 .this_update = now,
                                 .next_update = now + DAY,
                                 .number = ++o->list_number,
                                 .aki = o->s->issuing->facts.key_id},
                         .entries = {{.serial = view_of(low, sizeof low), .revoked_at = now - HOUR},
                                     {.serial = view_of(high, sizeof high),
                                      .revoked_at = now - HOUR,
                                      .reason = CERT_REASON_SUPERSEDED}}};
}

static struct err *take(void *arg, struct view bytes)
{
    struct view *to = arg; /* room was made */
    assert_true(to->n + bytes.n <= LIST_MAX);
    memcpy((uint8_t *)(uintptr_t)to->p + to->n, bytes.p, bytes.n);
    to->n += bytes.n;
    return NULL;
}

static struct view written(struct owned *o, const struct list *l)
{
    struct cert_crl_writer *w = arena_alloc(o->s->arena, sizeof *w);
    struct view ret = {arena_alloc(o->s->arena, LIST_MAX), 0};
    size_t n = 0;
    for (size_t i = 0; i < ENTRIES; i++)
        n += cert_crl_entry_bytes(&l->entries[i]);
    good(cert_crl_begin(w, &l->crl, n, o->s->arena, take, &ret, NULL));
    for (size_t i = 0; i < ENTRIES; i++)
        good(cert_crl_add(w, &l->entries[i]));
    good(cert_crl_end(w));
    return ret;
}

static void aim(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    const struct how *how = a->how;
    struct list l = list_new(o);
    if (how->change)
        how->change(o, &l);
    struct view tbs = written(o, &l);
    if (how->damage)
        how->damage(o, (uint8_t *)(uintptr_t)tbs.p, tbs.n);
    good(file_sealed("list", tbs, &to->with_fd));
    to->kind = FRAMES_SEAL_CRL;
    to->body = owned_body(o, (const char *const[]){"issuing", NULL}, NULL, 0);
}

static void other_issuer(struct owned *o, struct list *l)
{
    l->crl.issuer = o->s->root->facts.subject;
}

static void other_algorithm(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.alg = CERT_ALG_ECDSA_SHA384;
}

static void other_key_id(struct owned *o, struct list *l)
{
    l->crl.aki = o->s->root->facts.key_id;
}

/* One is sealed first; the next has its number. */
static void old_number(struct owned *o, struct list *l)
{
    int fd;
    struct view body = owned_body(o, (const char *const[]){"issuing", NULL}, NULL, 0);
    good(file_sealed("list", written(o, l), &fd));
    good(vault_scene_ask(o->s, o->front, FRAMES_SEAL_CRL, body, fd, NULL));
    close(fd);
}

static void older_number(struct owned *o, struct list *l)
{
    old_number(o, l);
    l->crl.number--;
}

static void of_yesterday(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.this_update -= 2 * HOUR;
}

static void of_tomorrow(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.this_update += HOUR;
}

static void over(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.this_update -= 600;
    l->crl.next_update = l->crl.this_update + 300;
}

static void too_long(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.next_update = l->crl.this_update + 36 * DAY;
}

static void for_users_only(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.has_idp = true;
    l->crl.idp.only_user = true;
}

static void for_cas_only(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.has_idp = true;
    l->crl.idp.only_ca = true;
}

static void elsewhere(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.has_idp = true;
    l->crl.idp.uri = view_str("http://elsewhere.example/issuing.crl");
}

static const char *own(struct owned *o, enum templates_url which)
{
    return templates_issuer_url(&o->s->issuing->facts, which, o->s->arena);
}

static void other_partition(struct owned *o, struct list *l)
{
    l->crl.has_idp = true;
    l->crl.idp.uri = view_str(templates_partition_url(&o->s->root->facts, 3, o->s->arena));
}

/* One is sealed first, and the next builds on it. */
static void delta(struct owned *o, struct list *l)
{
    int fd;
    struct view body = owned_body(o, (const char *const[]){"issuing", NULL}, NULL, 0);
    good(file_sealed("list", written(o, l), &fd));
    good(vault_scene_ask(o->s, o->front, FRAMES_SEAL_CRL, body, fd, NULL));
    close(fd);
    l->crl.is_delta = true;
    l->crl.base = l->crl.number;
    l->crl.number = ++o->list_number;
}

static void delta_of_a_partition(struct owned *o, struct list *l)
{
    delta(o, l);
    l->crl.has_idp = true;
    l->crl.idp.uri = view_str(own(o, TEMPLATES_URL_CRL));
}

static void delta_on_nothing(struct owned *o, struct list *l)
{
    o->list_number += 5;
    l->crl.is_delta = true;
    l->crl.base = o->list_number - 1;
    l->crl.number = o->list_number;
}

static void freshest_elsewhere(struct owned *o, struct list *l)
{
    (void)o;
    l->crl.freshest = view_str("http://elsewhere.example/issuing-delta.crl");
}

static void freshest_of_a_partition(struct owned *o, struct list *l)
{
    l->crl.freshest = view_str(own(o, TEMPLATES_URL_DELTA));
    l->crl.has_idp = true;
    l->crl.idp.uri = view_str(templates_partition_url(&o->s->issuing->facts, 3, o->s->arena));
}

static void revoked_tomorrow(struct owned *o, struct list *l)
{
    (void)o;
    l->entries[1].revoked_at += DAY;
}

static uint8_t *find(uint8_t *tbs, size_t n, const uint8_t serial[SERIAL_BYTES])
{
    uint8_t *at = memmem(tbs, n, serial, SERIAL_BYTES);
    assert_non_null(at);
    return at;
}

static void descending(struct owned *o, uint8_t *tbs, size_t n)
{
    (void)o;
    uint8_t *first = find(tbs, n, low), *second = find(tbs, n, high);
    memcpy(first, high, SERIAL_BYTES);
    memcpy(second, low, SERIAL_BYTES);
}

static void twice(struct owned *o, uint8_t *tbs, size_t n)
{
    (void)o;
    memcpy(find(tbs, n, low), high, SERIAL_BYTES);
}

/* reasonCode { 2.5.29.21 }, OCTET STRING of an ENUMERATED: superseded becomes removeFromCRL. */
static void removed(struct owned *o, uint8_t *tbs, size_t n)
{
    static const uint8_t reason[] = {0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, CERT_REASON_SUPERSEDED};
    (void)o;
    uint8_t *at = memmem(tbs, n, reason, sizeof reason);
    assert_non_null(at);
    at[sizeof reason - 1] = CERT_REASON_REMOVE_FROM_CRL;
}

const struct owned_attack owned_list_attacks[] = {
#define TRIES(what, change, damage, ...)                                                                     \
    {                                                                                                        \
        what, HSM_PEER_FRONT, aim, {__VA_ARGS__}, &(const struct how){change, damage}, false                 \
    }
    TRIES("another issuer's name", other_issuer, NULL, "crl.issuer"),
    TRIES("another algorithm", other_algorithm, NULL, "crl.alg"),
    TRIES("another issuer's key identifier", other_key_id, NULL, "crl.aki"),
    TRIES("a number sealed already", old_number, NULL, "crl.number"),
    TRIES("a number below", older_number, NULL, "crl.number"),
    TRIES("thisUpdate of two hours ago", of_yesterday, NULL, "crl.this_update"),
    TRIES("thisUpdate in an hour", of_tomorrow, NULL, "crl.this_update"),
    TRIES("a list that is over", over, NULL, "crl.next_update"),
    TRIES("a list for five weeks and a day", too_long, NULL, "crl.too_long"),
    TRIES("a list that leaves out CAs", for_users_only, NULL, "crl.scope"),
    TRIES("a list that leaves out all but CAs", for_cas_only, NULL, "crl.scope"),
    TRIES("a list from elsewhere", elsewhere, NULL, "crl.point"),
    TRIES("the list of another issuer's partition", other_partition, NULL, "crl.point"),
    TRIES("a delta list over a partition", delta_of_a_partition, NULL, "crl.delta_scope"),
    TRIES("a delta list on a number never sealed", delta_on_nothing, NULL, "crl.base"),
    TRIES("delta lists from elsewhere", freshest_elsewhere, NULL, "crl.freshest"),
    TRIES("delta lists of a partition", freshest_of_a_partition, NULL, "crl.freshest_scope"),
    TRIES("entries in disorder", NULL, descending, "crl.order"),
    TRIES("one entry twice", NULL, twice, "crl.order"),
    TRIES("a revocation to come", revoked_tomorrow, NULL, "crl.revoked_ahead"),
    TRIES("removeFromCRL in a full list", NULL, removed, "crl.remove"),
    {0},
};
