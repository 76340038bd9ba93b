/* A ledger in a folder of its own, for the tests of this room. One thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core.h"
#include "scene.h"

enum { RING = 64 };

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void scene_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void open_ledger(struct scene *s)
{
    struct ledger_options o = {.map_bytes = s->map_bytes};
    OK(core_open(s->ops ? s->ops : &store_lmdb, s->dir, &o, s->loop, &s->ledger));
}

int scene_setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->map_bytes = 64 << 20;
    snprintf(s->dir, sizeof(s->dir), "/tmp/chancery-ledger-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->arena = arena_new(64 << 20);
    OK(loop_new(&s->loop));
    open_ledger(s);
    *state = s;
    return 0;
}

int scene_teardown(void **state)
{
    struct scene *s = *state;
    ledger_close(s->ledger);
    loop_free(s->loop);
    arena_free(s->arena);
    scene_remove(s->dir);
    free(s);
    return 0;
}

void scene_reopen(struct scene *s)
{
    ledger_close(s->ledger);
    s->ledger = NULL;
    open_ledger(s);
}

void scene_done(void *arg, struct err *e, const struct ledger_result *r)
{
    struct scene_end *end = arg;
    assert_false(end->done);
    end->done = true;
    end->failed = e != NULL;
    if (e)
        end->code = err_code(e);
    if (r)
        end->result = *r;
    err_free(e);
    if (!end->left || --*end->left == 0)
        loop_stop(end->scene->loop);
}

struct scene_end scene_append(struct scene *s, const struct ledger_entry *entry)
{
    struct scene_end end = {.scene = s};
    OK(ledger_append(s->ledger, entry, scene_done, &end, NULL));
    assert_false(end.done);
    loop_run(s->loop);
    assert_true(end.done);
    return end;
}

uint64_t scene_put(struct scene *s, const struct ledger_entry *entry)
{
    struct scene_end end = scene_append(s, entry);
    if (end.failed)
        fail_msg("append: %s", err_row(end.code)->name);
    assert_int_equal(end.result.outcome, LEDGER_WRITTEN);
    return end.result.seq;
}

struct view scene_serial(unsigned n)
{
    static uint8_t ring[RING][SERIAL_BYTES];
    static unsigned at;
    uint8_t *b = ring[at++ % RING];
    memset(b, 0, SERIAL_BYTES);
    b[0] = 0x40;
    b[12] = (uint8_t)(n >> 24);
    b[13] = (uint8_t)(n >> 16);
    b[14] = (uint8_t)(n >> 8);
    b[15] = (uint8_t)n;
    return view_of(b, SERIAL_BYTES);
}

struct view scene_hash(uint8_t of)
{
    static uint8_t ring[RING][SHA256_BYTES];
    static unsigned at;
    uint8_t *b = ring[at++ % RING];
    memset(b, of, SHA256_BYTES);
    return view_of(b, SHA256_BYTES);
}

static const char *const *one_name(const char *name)
{
    static char texts[RING][2400];
    static const char *lists[RING][1];
    static unsigned at;
    unsigned i = at++ % RING;
    snprintf(texts[i], sizeof(texts[i]), "%s", name);
    lists[i][0] = texts[i];
    return lists[i];
}

/* A tbs that no other serial has. */
static struct view some_tbs(unsigned serial)
{
    static uint8_t ring[RING][700];
    static unsigned at;
    uint8_t *b = ring[at++ % RING];
    memset(b, 0x5a, sizeof(ring[0]));
    memcpy(b, &serial, sizeof(serial));
    return view_of(b, sizeof(ring[0]));
}

struct ledger_entry scene_intent(unsigned serial, const char *name)
{
    return (struct ledger_entry){.kind = LEDGER_INTENT,
                                 .actor = "token:01",
                                 .door = "rest",
                                 .peer = "127.0.0.1",
                                 .request = "req",
                                 .issuer = "issuing",
                                 .serial = scene_serial(serial),
                                 .body.intent = {.template = "server",
                                                 .generation = 1,
                                                 .names = {1, one_name(name)},
                                                 .subject = "CN=x",
                                                 .not_before = 1700000000,
                                                 .not_after = 2000000000,
                                                 .spki_sha256 = scene_hash((uint8_t)serial),
                                                 .roll_floor = 0,
                                                 .tbs = some_tbs(serial)}};
}

struct ledger_entry scene_record(uint64_t intent, uint64_t n)
{
    return (struct ledger_entry){
        .kind = LEDGER_RECORD,
        .ref = intent,
        .body.record = {.n = n, .alg = "ecdsa-sha256", .signature = view_str("signature")}};
}

struct ledger_entry scene_close(uint64_t intent, enum ledger_close_reason reason)
{
    return (struct ledger_entry){
        .kind = LEDGER_CLOSE,
        .ref = intent,
        .body.close = {.reason = reason, .n = reason == LEDGER_SEALED_LOST ? intent : 0, .detail = "test"}};
}

struct ledger_entry scene_revoke(unsigned serial, unsigned reason)
{
    return (struct ledger_entry){.kind = LEDGER_REVOKE,
                                 .actor = "roster:ann",
                                 .issuer = "issuing",
                                 .serial = scene_serial(serial),
                                 .body.revoke = {.reason = reason}};
}

struct ledger_entry scene_token(uint8_t id, uint64_t uses)
{
    static const char *const templates[] = {"server", "client"};
    static const char *const names[] = {"dns:**.example.internal"};
    return (struct ledger_entry){.kind = LEDGER_TOKEN_CREATE,
                                 .actor = "roster:ann",
                                 .body.token = {.id = scene_hash(id),
                                                .label = "test",
                                                .templates = {2, templates},
                                                .names = {1, names},
                                                .uses = uses}};
}

uint64_t scene_issue(struct scene *s, unsigned serial, const char *name)
{
    struct ledger_entry intent = scene_intent(serial, name);
    uint64_t seq = scene_put(s, &intent);
    struct ledger_entry record = scene_record(seq, serial);
    scene_put(s, &record);
    return seq;
}
