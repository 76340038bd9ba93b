/* A press: the maker's hooks in a house, and readers of its lists. */
#include "press.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/world.h"

struct press *press(struct house *h)
{
    return h->more;
}

/* --- the room in the house --- */

static struct crl_issuer plain(struct house *h, int i)
{
    const struct ca_issuer *from = &h->issuers[i];
    return (struct crl_issuer){.name = from->name,
                               .parent = from->parent_name,
                               .certificate = from->certificate,
                               .subject = from->facts.subject,
                               .key_id = from->facts.key_id,
                               .alg = from->facts.alg,
                               .url = arena_printf(h->arena, "%s/crl/%s", from->facts.base_url, from->name),
                               .full = true,
                               .not_after = from->facts.not_after,
                               .every_s = PRESS_EVERY_S,
                               .lifetime_s = PRESS_LIFETIME_S};
}

static void on_open(struct house *h)
{
    struct press *p = h->more;
    for (int i = 0; i < 2 && !p->changed; i++)
        p->issuers[i] = plain(h, i);
    OK(crl_maker_new(h->loop, h->ledger, h->shelf, h->hsm, &p->maker));
    crl_maker_set(p->maker, 1, p->issuers, 2);
}

static void on_recovered(struct house *h)
{
    crl_maker_go(press(h)->maker);
}

static bool is_quiet(struct house *h)
{
    const struct crl_maker *m = press(h)->maker;
    for (size_t i = 0; i < m->states_n; i++) {
        const struct crl_state *s = &m->states[i];
        if (s->job)
            return false;
        for (size_t k = 0; k < s->n; k++)
            if (s->served && s->lists[k]->served && s->lists[k]->wanted && hsm_ready(h->hsm))
                return false;
    }
    return bind_quiet(m) && deliver_quiet(m);
}

static void on_close(struct house *h)
{
    crl_maker_free(press(h)->maker);
}

int press_setup(void **state)
{
    static struct press the_press;
    struct house *h = house_build();
    h->more = &the_press;
    h->on_open = on_open;
    h->on_recovered = on_recovered;
    h->on_close = on_close;
    h->is_quiet = is_quiet;
    house_start(h);
    house_quiet(h);
    *state = h;
    return 0;
}

struct crl_issuer press_like(struct house *h)
{
    return plain(h, 1);
}

void press_change(struct house *h, const struct crl_issuer *issuing)
{
    struct press *p = press(h);
    p->changed = true;
    p->issuers[1] = *issuing;
    crl_maker_set(p->maker, 1, p->issuers, 2);
    house_quiet(h);
}

void press_partition(struct house *h, uint64_t size)
{
    h->issuers[1].partition = size;
    h->issuers[1].facts.partitioned = size > 0;
}

/* --- looking at lists --- */

struct view press_bytes(struct house *h, const struct shelf_item *item)
{
    int fd;
    struct view bytes;
    if (!item->file)
        return item->bytes;
    OK(shelf_item_open(h->shelf, item, &fd));
    OK(file_read_fd(fd, item->file_bytes, h->arena, &bytes));
    close(fd);
    return bytes;
}

static bool get(struct house *h, const char *name, struct shelf_item *ret)
{
    const char *blob =
        name[0] == '-' ? arena_printf(h->arena, "crl%s", name) : arena_printf(h->arena, "crl/%s", name);
    OK(shelf_get_blob(h->shelf, blob, h->arena, ret));
    ret->bytes = press_bytes(h, ret);
    return ret->bytes.p != NULL;
}

bool press_has(struct house *h, const char *name)
{
    struct shelf_item item;
    return get(h, name, &item);
}

struct press_list press_list(struct house *h, const char *name)
{
    struct press_list l;
    if (!get(h, name, &l.item))
        fail_msg("no list %s on the shelf", name);
    OK(cert_crl_open_any(l.item.bytes, &l.sealed, &l.crl));
    OK(cert_crl_check(&l.crl, &l.n));
    return l;
}

bool press_finds(struct house *h, const char *name, struct view serial, struct cert_crl_entry *ret)
{
    struct press_list l = press_list(h, name);
    struct cert_crl_entry entry;
    bool found;
    OK(cert_crl_find(&l.crl, serial, &found, ret ? ret : &entry));
    return found;
}

bool press_lists(struct house *h, struct view serial, struct cert_crl_entry *ret)
{
    return press_finds(h, "issuing", serial, ret);
}

struct awaited {
    struct house *h;
    const char *name;
    struct view serial;
    uint64_t above;
};

static bool is_listed(void *arg)
{
    const struct awaited *a = arg;
    return press_has(a->h, a->name) && press_finds(a->h, a->name, a->serial, NULL);
}

void press_await(struct house *h, const char *name, struct view serial)
{
    struct awaited a = {h, name, serial, 0};
    house_wait(h, is_listed, &a);
    house_quiet(h);
}

void press_await_listed(struct house *h, struct view serial)
{
    press_await(h, "issuing", serial);
}

static bool is_above(void *arg)
{
    const struct awaited *a = arg;
    return press_has(a->h, a->name) && press_list(a->h, a->name).crl.number > a->above;
}

void press_await_above(struct house *h, const char *name, uint64_t number)
{
    struct awaited a = {.h = h, .name = name, .above = number};
    house_wait(h, is_above, &a);
    house_quiet(h);
}

/* --- certificates --- */

void press_revoke(struct house *h, struct view serial, enum cert_reason reason)
{
    struct house_revoked gone;
    assert_int_equal(house_revoke(h, house_asker(h, CA_ROLE_ADMIN, "roster:a"), serial, reason, &gone),
                     ERR__COUNT);
}

struct view press_issue(struct house *h)
{
    struct house_issued *got = ARENA_NEW(h->arena, struct house_issued);
    house_good(h, "l.example.internal", got);
    return view_of(got->serial_bytes, SERIAL_BYTES);
}
