/* See owned.h: aiming, firing, comparing. */
#include "owned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/world.h"
#include "floor.h"

int owned_off(struct owned *o, const char *check)
{
    struct world_rule r = {.action = WORLD_OFF};
    (void)snprintf(r.name, sizeof r.name, "%s", check);
    int at = world_page_rule(o->page, &r);
    assert_true(at >= 0);
    return at;
}

void owned_front_anew(struct owned *o)
{
    if (o->front >= 0)
        close(o->front);
    o->front = vault_scene_attach(o->s, HSM_PEER_FRONT, NULL);
}

/* Of the file: its chain is verified on the way. */
static uint64_t roll_count(struct owned *o)
{
    char path[96];
    struct view file;
    uint64_t n = 0;
    struct arena *arena = arena_new(64 << 20);
    (void)snprintf(path, sizeof path, "%s/%s", o->s->roll, HSM_ROLL_FILE);
    good(file_read(path, 32 << 20, arena, &file));
    good(hsm_roll_verify(file, NULL, NULL, &n, NULL));
    arena_free(arena);
    return n;
}

static void connect_peer(struct owned *o, enum hsm_peer peer)
{
    owned_front_anew(o);
    if (o->responder >= 0)
        close(o->responder);
    o->responder = peer == HSM_PEER_RESPONDER ? vault_scene_attach(o->s, HSM_PEER_RESPONDER, NULL) : -1;
}

struct view owned_body(struct owned *o, const char *const *texts, const struct view *octets, size_t n)
{
    return vault_scene_seq(o->s, texts, octets, n);
}

struct owned_shown owned_fire(struct owned *o, const struct owned_attack *a)
{
    struct owned_shot shot = {.fd = -1, .with_fd = -1};
    owned_front_anew(o);
    o->responder = a->peer == HSM_PEER_RESPONDER ? vault_scene_attach(o->s, HSM_PEER_RESPONDER, NULL) : -1;
    a->aim(o, a, &shot);
    if (shot.fd < 0)
        shot.fd = a->peer == HSM_PEER_RESPONDER ? o->responder : o->front;
    uint64_t n = roll_count(o), signs = atomic_load(&o->token->calls[P11WRAP_C_Sign]);
    struct err *e = vault_scene_ask(o->s, shot.fd, shot.kind, shot.body, shot.with_fd, NULL);
    if (e)
        print_message("    %s: %s\n", err_row(err_code(e))->name, err_detail(e));
    struct owned_shown shown = {.code = code_of(e)};
    if (shot.undo)
        shot.undo(o);
    if (shot.with_fd >= 0)
        close(shot.with_fd);
    if (o->responder >= 0)
        close(o->responder);
    o->responder = -1;
    shown.rolled = roll_count(o) - n;
    shown.signed_ = atomic_load(&o->token->calls[P11WRAP_C_Sign]) - signs;
    return shown;
}

static struct view changed(struct owned *o, struct view body, unsigned *seed)
{
    struct view ret = arena_dup(o->s->arena, body);
    for (int flips = 1 + rand_r(seed) % 3; flips > 0; flips--)
        ((uint8_t *)(uintptr_t)ret.p)[(size_t)rand_r(seed) % ret.n] ^= (uint8_t)(1 << rand_r(seed) % 8);
    return ret;
}

void owned_noise(struct owned *o, const struct owned_attack *a, int times)
{
    static unsigned seed = 1;
    struct owned_shot shot = {.fd = -1, .with_fd = -1};
    connect_peer(o, a->peer);
    a->aim(o, a, &shot);
    uint64_t n = roll_count(o), signs = atomic_load(&o->token->calls[P11WRAP_C_Sign]);
    for (int i = 0; i < times; i++) {
        int fd = a->peer == HSM_PEER_RESPONDER ? o->responder : o->front;
        if (code_of(vault_scene_ask(o->s, fd, shot.kind, changed(o, shot.body, &seed), shot.with_fd, NULL)) ==
            ERR_CANCELLED)
            connect_peer(o, a->peer);
    }
    if (shot.undo)
        shot.undo(o);
    if (shot.with_fd >= 0)
        close(shot.with_fd);
    connect_peer(o, HSM_PEER_FRONT);
    assert_int_equal(roll_count(o) - n, atomic_load(&o->token->calls[P11WRAP_C_Sign]) - signs);
    good(vault_scene_ask(o->s, o->front, FRAMES_STATUS, (struct view){NULL, 0}, -1, NULL));
}

/* What a refusal by this row looks like to the peer. */
static enum err_code refusal_of(const char *check)
{
    for (int i = 0; i < FLOOR__COUNT; i++) {
        const struct floor_row *row = floor_row((enum floor)i);
        if (strcmp(row->name, check) == 0)
            return row->code == ERR_PROTOCOL ? ERR_CANCELLED : row->code;
    }
    return ERR_POLICY; /* a template's rule */
}

static void refused(struct owned *o, const struct owned_attack *a, size_t by)
{
    unsigned long long seen = world_page_count(o->page, a->checks[by], NULL);
    struct owned_shown shown = owned_fire(o, a);
    if (world_page_count(o->page, a->checks[by], NULL) == seen || shown.code != refusal_of(a->checks[by]))
        fail_msg("%s: not refused by %s (%s)", a->what, a->checks[by],
                 shown.code == ERR__COUNT ? "it went through" : err_row(shown.code)->name);
    if (shown.rolled || shown.signed_)
        fail_msg("%s: refused, yet rolled or signed", a->what);
}

void owned_try(struct owned *o, const struct owned_attack *a)
{
    size_t n = 0;
    print_message("  %s\n", a->what);
    while (n < sizeof a->checks / sizeof *a->checks && a->checks[n])
        n++;
    assert_true(n > 0);
    world_page_clear(o->page, -1);
    refused(o, a, 0);
    for (size_t only = 0; n > 1 && only < n; only++) {
        world_page_clear(o->page, -1);
        for (size_t i = 0; i < n; i++)
            if (i != only)
                owned_off(o, a->checks[i]);
        refused(o, a, only);
    }
    world_page_clear(o->page, -1);
    for (size_t i = 0; i < n; i++)
        owned_off(o, a->checks[i]);
    struct owned_shown shown = owned_fire(o, a);
    world_page_clear(o->page, -1);
    if (shown.code != ERR__COUNT)
        fail_msg("%s: something else refuses it too (%s)", a->what, err_row(shown.code)->name);
    unsigned rolled = a->no_seal == OWNED_WITH_ACT ? 2 : 1;
    if (a->no_seal != 1 && (shown.rolled != rolled || shown.signed_ != 1))
        fail_msg("%s: went through, but rolled %llu and signed %llu", a->what,
                 (unsigned long long)shown.rolled, (unsigned long long)shown.signed_);
}
