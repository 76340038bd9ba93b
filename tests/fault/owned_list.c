/* What an owned front tries with SEAL_CRL. */
#include <stdio.h>
#include <sys/mman.h>
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
    bool unsealed;
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

static int unsealed(struct view bytes)
{
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
    return fd;
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
    if (how->unsealed)
        to->with_fd = unsealed(tbs);
    else
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
#define TRIES(what, change, damage, unsealed, ...)                                                           \
    {                                                                                                        \
        what, HSM_PEER_FRONT, aim, {__VA_ARGS__}, &(const struct how){change, damage, unsealed}, false       \
    }
    TRIES("a list that can still be changed", NULL, NULL, true, "crl.sealed"),
    TRIES("another issuer's name", other_issuer, NULL, false, "crl.issuer"),
    TRIES("another algorithm", other_algorithm, NULL, false, "crl.alg"),
    TRIES("another issuer's key identifier", other_key_id, NULL, false, "crl.aki"),
    TRIES("a number sealed already", old_number, NULL, false, "crl.number"),
    TRIES("a number below", older_number, NULL, false, "crl.number"),
    TRIES("thisUpdate of two hours ago", of_yesterday, NULL, false, "crl.this_update"),
    TRIES("thisUpdate in an hour", of_tomorrow, NULL, false, "crl.this_update"),
    TRIES("a list that is over", over, NULL, false, "crl.next_update"),
    TRIES("a list for five weeks and a day", too_long, NULL, false, "crl.too_long"),
    TRIES("a list that leaves out CAs", for_users_only, NULL, false, "crl.scope"),
    TRIES("a list that leaves out all but CAs", for_cas_only, NULL, false, "crl.scope"),
    TRIES("a list from elsewhere", elsewhere, NULL, false, "crl.point"),
    TRIES("entries in disorder", NULL, descending, false, "crl.order"),
    TRIES("one entry twice", NULL, twice, false, "crl.order"),
    TRIES("a revocation to come", revoked_tomorrow, NULL, false, "crl.revoked_ahead"),
    TRIES("removeFromCRL in a full list", NULL, removed, false, "crl.remove"),
    {0},
};
