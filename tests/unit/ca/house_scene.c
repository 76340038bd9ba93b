/* The front's half of house_scene.h. */
#include "house_scene.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/world.h"
#include "cert/chain.h"

enum { PATIENCE_MS = 10000 };

static struct world_page *page;

struct world_page *house_world(char **argv)
{
    const char *path = getenv("CHANCERY_WORLD");
    char made[] = "/tmp/chancery-world-XXXXXX";
    if (path) {
        page = world_page_open(path);
        unlink(path);
        return page;
    }
    close(mkstemp(made));
    page = world_page_create(made);
    setenv("CHANCERY_WORLD", made, 1);
    execv("/proc/self/exe", argv);
    return NULL;
}

/* --- running the loop --- */

struct waiting {
    struct house *h;
    bool (*is)(void *arg);
    void *arg;
    struct loop_timer *timer;
    int64_t until_ms;
    bool late;
};

static void look(void *arg)
{
    struct waiting *w = arg;
    w->late = world_mono_ms() > w->until_ms;
    if (w->is(w->arg) || w->late)
        loop_stop(w->h->loop);
    else
        loop_timer_set(w->timer, 1);
}

void house_wait(struct house *h, bool (*is)(void *arg), void *arg)
{
    struct waiting w = {.h = h, .is = is, .arg = arg, .until_ms = world_mono_ms() + PATIENCE_MS};
    w.timer = loop_timer_new(h->loop, look, &w);
    loop_timer_set(w.timer, 1);
    loop_run(h->loop);
    loop_timer_free(w.timer);
    if (w.late && !is(arg))
        fail_msg("what was waited for did not come");
}

static bool is_set(void *arg)
{
    return *(const bool *)arg;
}

void house_await(struct house *h, const bool *flag)
{
    house_wait(h, is_set, (void *)(uintptr_t)flag);
}

static bool is_over(void *arg)
{
    return world_mono_ms() >= *(int64_t *)arg;
}

void house_run(struct house *h, int64_t ms)
{
    int64_t until = world_mono_ms() + ms;
    house_wait(h, is_over, &until);
}

static void set_flag(void *arg, struct err *e, const struct ledger_result *r)
{
    (void)r;
    OK(e);
    *(bool *)arg = true;
}

static void set_shelved(void *arg, struct err *e)
{
    OK(e);
    *(bool *)arg = true;
}

static bool is_idle(void *arg)
{
    struct house *h = arg;
    return ca_under_way(h->ca) == 0 && (!h->is_quiet || h->is_quiet(h));
}

void house_quiet(struct house *h)
{
    bool written = false, shelved = false;
    const struct shelf_item item = {.bytes = {(const uint8_t *)"x", 1}, .etag = ""};
    const struct ledger_entry entry = {.kind = LEDGER_NOTE, .actor = "test", .body.note = {.what = "quiet"}};
    house_wait(h, is_idle, h);
    OK(ledger_append(h->ledger, &entry, set_flag, &written, NULL));
    house_await(h, &written);
    OK(shelf_put_blob(h->shelf, "test/quiet", &item, set_shelved, &shelved));
    house_await(h, &shelved);
    house_wait(h, is_idle, h);
}

/* --- the vault's coming and going --- */

static void recovered(void *arg, struct err *e)
{
    struct house *h = arg;
    h->recovered = e == NULL;
    h->recover_code = house_code(e);
    if (h->recovered && h->on_recovered)
        h->on_recovered(h);
}

static void on_ready(void *arg, uint64_t roll_n)
{
    struct house *h = arg;
    (void)roll_n;
    h->ready++;
    ca_recover(h->ca, h->hsm, recovered, h);
}

static void on_lost(void *arg, const struct err *why)
{
    struct house *h = arg;
    (void)why;
    h->lost++;
    ca_vault_lost(h->ca, h->hsm);
}

void house_connect(struct house *h)
{
    h->recovered = false;
    hsm_attach(h->hsm, house_vault_connect(h->vault, HSM_PEER_FRONT));
}

void house_attach(struct house *h)
{
    house_connect(h);
    house_await(h, &h->recovered);
}

struct losing {
    const struct house *h;
    int n;
};

static bool is_lost(void *arg)
{
    const struct losing *l = arg;
    return l->h->lost >= l->n;
}

/* An end that is closed at once takes the channel's place, and is lost too. */
void house_drop(struct house *h)
{
    int pair[2];
    struct losing l = {h, h->lost + 1 + (hsm_ready(h->hsm) ? 1 : 0)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    hsm_attach(h->hsm, pair[0]);
    house_wait(h, is_lost, &l);
    assert_false(hsm_ready(h->hsm));
}

void house_hold(struct house *h)
{
    house_vault_hold(h->vault);
}

void house_release(struct house *h)
{
    house_vault_release(h->vault);
}

void house_release_attach(struct house *h)
{
    h->recovered = false;
    hsm_attach(h->hsm, house_vault_release_with(h->vault));
    house_await(h, &h->recovered);
}

/* --- steering --- */

int house_rule(struct house *h, const char *point, enum world_action action, int64_t value)
{
    struct world_rule like = {.action = action, .value = value, .times = 1};
    snprintf(like.name, sizeof like.name, "%s", point);
    int rule = world_page_rule(h->page, &like);
    assert_true(rule >= 0);
    return rule;
}

unsigned long long house_count(const struct house *h, const char *point)
{
    return world_page_count(h->page, point, NULL);
}

struct passing {
    struct house *h;
    const char *point;
    unsigned long long n;
};

static bool has_passed(void *arg)
{
    const struct passing *p = arg;
    return house_count(p->h, p->point) >= p->n;
}

void house_passed(struct house *h, const char *point, unsigned long long n)
{
    struct passing p = {h, point, n};
    house_wait(h, has_passed, &p);
}

void house_leap(struct house *h, int64_t ms)
{
    atomic_fetch_add(&h->page->wall_offset_ms, ms);
}

void house_pass(struct house *h, int64_t s)
{
    atomic_fetch_add(&h->page->mono_offset_ms, s * 1000);
    atomic_fetch_add(&h->page->wall_offset_ms, s * 1000);
}

/* --- the ledger --- */

struct appended {
    bool done;
    uint64_t seq;
};

static void on_appended(void *arg, struct err *e, const struct ledger_result *r)
{
    struct appended *a = arg;
    OK(e);
    assert_int_equal(r->outcome, LEDGER_WRITTEN);
    a->seq = r->seq;
    a->done = true;
}

uint64_t house_append(struct house *h, const struct ledger_entry *entry)
{
    struct appended a = {.done = false};
    OK(ledger_append(h->ledger, entry, on_appended, &a, NULL));
    house_await(h, &a.done);
    return a.seq;
}

static size_t walk(struct house *h, unsigned kind, struct ledger_entry *ret)
{
    const struct ledger_entry *entries;
    size_t n, found = 0;
    uint64_t from = 1;
    do {
        OK(ledger_log(h->ledger, from, 100, h->arena, &entries, &n));
        for (size_t i = 0; i < n; i++) {
            if (entries[i].kind != kind)
                continue;
            if (ret)
                *ret = entries[i];
            found++;
        }
        from += n;
    } while (n);
    return found;
}

bool house_last(struct house *h, unsigned kind, struct ledger_entry *ret)
{
    return walk(h, kind, ret) > 0;
}

size_t house_entries(struct house *h, unsigned kind)
{
    return walk(h, kind, NULL);
}

enum err_code house_code(struct err *e)
{
    enum err_code code = e ? err_code(e) : ERR__COUNT;
    err_free(e);
    return code;
}

/* --- opening and closing --- */

static struct ca_issuer issuer_of(struct house *h, const char *name, struct view der, bool root)
{
    struct cert_chain_cert *cert = ARENA_NEW(h->arena, struct cert_chain_cert);
    struct view key_id;
    OK(cert_chain_read(der, h->arena, cert));
    OK(cert_ext_read_ski(cert_tbs_ext(&cert->tbs, CERT_EXT_SKI)->value, &key_id));
    return (struct ca_issuer){.name = name,
                              .certificate = der,
                              .root = root,
                              .parent_name = root ? NULL : "root",
                              .issue = !root,
                              .facts = {.name = name,
                                        .subject = cert->tbs.subject,
                                        .key_id = key_id,
                                        .alg = CERT_ALG_ECDSA_SHA256,
                                        .not_before = cert->tbs.not_before,
                                        .not_after = cert->tbs.not_after,
                                        .base_url = "http://pki.example.internal"}};
}

struct ca_issuer house_another_issuer(struct house *h, const char *name, struct view der)
{
    return issuer_of(h, name, der, false);
}

static void make_setup(struct house *h)
{
    static const char *const self_names[] = {HOUSE_SELF};
    h->issuers[0] = issuer_of(h, "root", h->root, true);
    h->issuers[1] = issuer_of(h, "issuing", h->issuing, false);
    h->setup = (struct ca_setup){.generation = 1,
                                 .templates = h->templates,
                                 .issuers = h->issuers,
                                 .issuers_n = 2,
                                 .default_issuer = "issuing",
                                 .self_names = self_names,
                                 .self_names_n = 1,
                                 .roster = h->roster};
}

void house_front_open(struct house *h)
{
    const struct ledger_options options = {.map_bytes = (size_t)1 << 30};
    h->recovered = false;
    OK(loop_new(&h->loop));
    OK(ledger_open(h->ledger_dir, &options, h->loop, &h->ledger));
    OK(shelf_open(h->shelf_dir, (size_t)64 << 20, h->loop, &h->shelf));
    h->hsm = hsm_new(h->loop, (struct hsm_events){on_ready, on_lost, h});
    OK(ca_new(h->loop, h->ledger, h->hsm, &h->setup, &h->ca));
    if (h->on_open)
        h->on_open(h);
}

void house_front_close(struct house *h)
{
    house_quiet(h);
    ca_quiet(h->ca);
    ledger_close(h->ledger);
    hsm_free(h->hsm);
    shelf_close(h->shelf);
    ca_free(h->ca);
    if (h->on_close)
        h->on_close(h);
    loop_free(h->loop);
}

struct house *house_build(void)
{
    struct house *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_non_null(page);
    h->page = page;
    h->arena = arena_new((size_t)1 << 30);
    snprintf(h->dir, sizeof h->dir, "/tmp/chancery-house-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    snprintf(h->ledger_dir, sizeof h->ledger_dir, "%s/ledger", h->dir);
    snprintf(h->shelf_dir, sizeof h->shelf_dir, "%s/shelf", h->dir);
    h->vault = house_vault_start(h);
    make_setup(h);
    return h;
}

void house_start(struct house *h)
{
    house_front_open(h);
    house_attach(h);
}

int house_setup(void **state)
{
    struct house *h = house_build();
    house_start(h);
    *state = h;
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *d;
    while (dir && (d = readdir(dir)) != NULL) {
        char below[1024];
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, d->d_name);
        remove_tree(below);
    }
    if (dir)
        closedir(dir);
    (void)remove(path);
}

int house_teardown(void **state)
{
    struct house *h = *state;
    world_page_clear(h->page, -1);
    house_front_close(h);
    house_vault_stop(h->vault);
    templates_free(h->templates);
    remove_tree(h->dir);
    arena_free(h->arena);
    free(h);
    return 0;
}
