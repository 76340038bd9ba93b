/*
 * The vault as a whole: opened from setup and a first generation, reloaded in two phases, asked for its
 * state, closed. Opens roll and roster before the token, so that a broken book is found before a key is
 * touched. The vault's loop.
 */
#include "vault_act.h"
#include "vault_grant.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/der.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"

/* --- counted life --- */

void vault_hold(struct hsm_vault *v)
{
    v->refs++;
}

void vault_release(struct hsm_vault *v)
{
    if (--v->refs > 0)
        return;
    module_close(v->module);
    roll_file_close(v->roll);
    responder_free(v->responders);
    known_free(v->known);
    ceiling_free(v->ceilings);
    house_unref(v->house);
    house_unref(v->previous);
    house_unref(v->prepared);
    hsm_roster_free(v->prepared_roster);
    hsm_roster_free(v->roster);
    act_book_free(v->acts);
    freeze_book_free(v->freezes);
    state_book_free(v->states);
    vault_grant_drop(v);
    arena_free(v->scratch);
    arena_free(v->arena);
    free(v);
}

void hsm_vault_free(struct hsm_vault *v)
{
    if (!v)
        return;
    v->closing = true;
    vault_order_stop(v);
    vault_peer_drop_all(v);
    worker_stop(v->judge);
    v->judge = NULL;
    vault_token_stop(v);
    worker_stop(v->syncer);
    v->syncer = NULL;
    vault_roll_drop_all(v);
    vault_seal_drop_all(v);
    vault_release(v);
}

/* --- opening --- */

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_str(arena, view_str(text)) : NULL;
}

static const char *const *copy_list(struct arena *arena, const char *const *env)
{
    size_t n = 0;
    while (env && env[n])
        n++;
    const char **ret = arena_array(arena, n + 1, sizeof *ret);
    for (size_t i = 0; i < n; i++)
        ret[i] = copy(arena, env[i]);
    return ret;
}

static void copy_token(struct arena *arena, const struct hsm_token_setup *from, struct vault_token_setup *to)
{
    *to = (struct vault_token_setup){.name = copy(arena, from->name ? from->name : "token"),
                                     .uri = copy(arena, from->uri),
                                     .pin_state_path = copy(arena, from->pin_state_path),
                                     .lock_path = copy(arena, from->lock_path),
                                     .sync_path = copy(arena, from->sync_path),
                                     .unsaid = copy_list(arena, from->unsaid),
                                     .pin_fd = from->pin_fd};
}

void vault_setup_copy(struct arena *arena, const struct hsm_vault_setup *setup, struct vault_setup *to)
{
    const struct hsm_token_setup first = {.name = setup->token_name,
                                          .uri = setup->token_uri,
                                          .pin_fd = setup->pin_fd,
                                          .pin_state_path = setup->pin_state_path,
                                          .lock_path = setup->lock_path,
                                          .sync_path = setup->sync_path,
                                          .unsaid = setup->unsaid};
    CHECK(setup->n_more < HSM_TOKENS_MAX);
    *to = (struct vault_setup){.name = copy(arena, setup->name),
                               .module = copy(arena, setup->module),
                               .init_args = copy(arena, setup->init_args),
                               .roll_dir = copy(arena, setup->roll_dir),
                               .make_label = copy(arena, setup->make_label),
                               .env = copy_list(arena, setup->env),
                               .make_so_pin_fd = setup->make_so_pin_fd,
                               .threads = setup->threads,
                               .n_tokens = 1 + setup->n_more};
    copy_token(arena, &first, &to->tokens[0]);
    for (size_t i = 0; i < setup->n_more; i++)
        copy_token(arena, &setup->more[i], &to->tokens[i + 1]);
}

static void seen(void *arg, const struct hsm_roll_entry *entry)
{
    struct hsm_vault *v = arg;
    if (entry->kind == HSM_ROLL_CERT)
        ceiling_note(v->ceilings, entry->key, entry->template, entry->time_ms / 1000);
    if (entry->kind == HSM_ROLL_ACT)
        act_book_note(v->acts, entry, world_now_s());
    if (entry->kind == HSM_ROLL_FREEZE || entry->kind == HSM_ROLL_THAW)
        freeze_book_note(v->freezes, entry);
    if (entry->kind == HSM_ROLL_STATE)
        state_book_note(v->states, entry);
    if (entry->kind == HSM_ROLL_ACT && view_eq_str(entry->template, hsm_act_row(HSM_ACT_ACCEPT_LOSS)->text))
        head_book_let_go(&v->heads);
    if (entry->kind == HSM_ROLL_HEAD)
        head_book_note(&v->heads, entry);
}

/* The roster of this configuration, held to the pinned one; *ret_new: to be pinned. NULL: there is none. */
static struct err *admit_roster(const char *dir, const struct hsm_vault_config *config,
                                struct hsm_roster **ret, bool *ret_new)
{
    struct err *e = NULL;
    struct hsm_roster *roster = NULL;
    *ret_new = false;
    *ret = NULL;
    if (config->roster_yaml.n == 0)
        return NULL;
    TRY(hsm_roster_parse("roster.yaml", config->roster_yaml, &roster));
    TRY(roster_admit(dir, roster, config->roster_sigs, ret_new));
    *ret = roster;
    roster = NULL;
out:
    hsm_roster_free(roster);
    return e;
}

/* Among several vaults: the folder says whose it is, so that a list of tokens in another order does not give
 * one vault the book of another. */
static struct err *check_name(const struct hsm_vault *v)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    struct view was;
    if (!v->setup.name)
        goto out;
    const char *path = arena_printf(arena, "%s/vault", v->setup.roll_dir);
    e = file_read(path, HOUSE_NAME_MAX, arena, &was);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        e = file_write(path, view_str(v->setup.name), 0600);
        goto out;
    }
    if (!e && !view_eq_str(was, v->setup.name))
        e = err_new(
            ERR_CONFIG,
            "the seal roll in %s is of the token '%.*s', not of '%s': the list of tokens has another order, "
            "or one has another name",
            v->setup.roll_dir, (int)was.n, (const char *)was.p, v->setup.name);
out:
    arena_free(arena);
    return e;
}

static struct err *open_books(struct hsm_vault *v, const struct hsm_vault_config *config)
{
    struct err *e = NULL;
    bool fresh;
    TRY(check_name(v));
    TRY(roll_file_open(v->setup.roll_dir, seen, v, &v->roll));
    TRY(responder_load(v->setup.roll_dir, &v->responders));
    TRY(admit_roster(v->setup.roll_dir, config, &v->roster, &fresh));
    if (fresh)
        TRY(roster_pin(v->setup.roll_dir, v->roster));
out:
    return e;
}

static struct hsm_vault *vault_new(struct loop *l, const struct hsm_vault_setup *setup)
{
    struct hsm_vault *v = calloc(1, sizeof *v);
    CHECK(v != NULL);
    v->loop = l;
    v->refs = 1;
    v->known = known_new();
    v->arena = arena_new(1 << 20);
    v->scratch = arena_new(8 << 20);
    vault_setup_copy(v->arena, setup, &v->setup);
    v->ceilings = ceiling_new();
    v->acts = act_book_new();
    v->freezes = freeze_book_new();
    v->states = state_book_new();
    v->batch_end = &v->batch;
    v->unsynced_end = &v->unsynced;
    v->waits_end = &v->waits;
    return v;
}

struct err *hsm_vault_open(struct loop *l, const struct hsm_vault_setup *setup,
                           const struct hsm_vault_config *config, struct templates **templates,
                           struct hsm_vault **ret)
{
    struct err *e = NULL;
    struct templates *kept = *templates;
    struct hsm_vault *v = vault_new(l, setup);
    TRY(house_new(config, templates, &v->house));
    TRY(open_books(v, config));
    TRY(worker_start("vault-sync", 4, &v->syncer));
    TRY(worker_start("vault-judge", HOUSE_ISSUERS_MAX, &v->judge));
    TRY(vault_token_start(v));
    vault_order_start(v);
    log_info("vault.open", log_text("token", hsm_vault_token_state(v)),
             log_num("n", (long long)roll_file_n(v->roll)), log_num("generation", v->house->generation));
    *ret = v;
    v = NULL;
out:
    if (e && v->house) {
        v->house->templates = NULL; /* stays the caller's */
        *templates = kept;
    }
    hsm_vault_free(v);
    return e;
}

/* --- generations --- */

struct err *vault_house(const struct hsm_vault *v, uint32_t generation, struct house **ret)
{
    bool previous = v->previous && v->previous->generation == generation;
    if (v->house->generation == generation)
        *ret = v->house;
    else if (previous && world_mono_ms() < v->previous_until_ms)
        *ret = v->previous;
    else
        return err_new(ERR_GENERATION, "configuration generation %u; the vault works under %u", generation,
                       v->house->generation);
    return NULL;
}

struct err *vault_issuer(const struct house *house, struct view name, struct house_issuer **ret)
{
    *ret = house_issuer(house, name);
    return *ret ? NULL
                : err_new(ERR_ISSUER_UNKNOWN, "the vault's generation %u has no such issuer",
                          house->generation);
}

struct err *hsm_vault_prepare(struct hsm_vault *v, const struct hsm_vault_config *config,
                              struct templates **templates)
{
    struct err *e = NULL;
    struct house *house = NULL;
    struct templates *kept = *templates;
    hsm_vault_abort(v);
    if (config->generation <= v->house->generation)
        return err_new(ERR_CONFIG, "generation %u does not follow %u", config->generation,
                       v->house->generation);
    TRY(house_new(config, templates, &house));
    TRY(vault_key_find_all(v, house, true));
    TRY(admit_roster(v->setup.roll_dir, config, &v->prepared_roster, &v->prepared_roster_new));
    v->prepared = house;
    return NULL;
out:
    if (house) {
        house->templates = NULL;
        *templates = kept;
    }
    house_unref(house);
    return e;
}

void hsm_vault_commit(struct hsm_vault *v)
{
    CHECK(v->prepared != NULL);
    if (v->prepared_roster_new) {
        /* Not pinned now, it is held to its signatures again at the next start. */
        struct err *e = roster_pin(v->setup.roll_dir, v->prepared_roster);
        if (e)
            log_error("roster.pin", log_err(e));
        err_free(e);
    }
    hsm_roster_free(v->roster);
    v->roster = v->prepared_roster;
    v->prepared_roster = NULL;
    house_unref(v->previous);
    v->previous = v->house;
    v->previous_until_ms = world_mono_ms() + VAULT_PREVIOUS_MS;
    v->house = v->prepared;
    v->prepared = NULL;
    log_info("vault.generation", log_num("generation", v->house->generation));
    hsm_vault_abort(v);
}

void hsm_vault_abort(struct hsm_vault *v)
{
    house_unref(v->prepared);
    v->prepared = NULL;
    hsm_roster_free(v->prepared_roster);
    v->prepared_roster = NULL;
    v->prepared_roster_new = false;
}

/* --- STATUS --- */

static void write_tokens(const struct hsm_vault *v, struct der_out *out)
{
    size_t list = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < v->n_tokens; i++) {
        size_t one = der_begin(out, DER_SEQUENCE);
        der_put_text(out, v->tokens[i].setup->name);
        der_put_text(out, vault_token_state_name(v->tokens[i].state));
        der_put_text(out, v->tokens[i].detail);
        der_finish(out, one);
    }
    der_finish(out, list);
}

struct err *vault_status(struct vault_call *call)
{
    const struct hsm_vault *v = call->v;
    struct der_out out;
    struct view body;
    der_out_init(&out, call->arena, 256 * 1024);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, hsm_vault_token_state(v));
    der_put_text(&out, v->tokens[0].detail);
    der_put_uint(&out, call->peer->kind == HSM_PEER_RESPONDER ? 0 : roll_file_n(v->roll));
    der_put_uint(&out, v->house->generation);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < v->house->n_issuers; i++) {
        const struct house_issuer *issuer = &v->house->issuers[i];
        int64_t until;
        size_t one = der_begin(&out, DER_SEQUENCE);
        der_put_text(&out, issuer->name);
        der_put_bool(&out, !issuer->key_uri || vault_key_usable(v, issuer->token_key, issuer->spare));
        der_put_text(&out, issuer->token_key || !issuer->key_uri ? "" : issuer->reason);
        der_put_text(&out, hsm_state_name(vault_state_of(v, issuer, &until)));
        der_put_uint(&out, (uint64_t)until);
        der_finish(&out, one);
    }
    der_finish(&out, list);
    der_put_octets(&out, view_of(roll_file_id(v->roll), ROLL_ID_BYTES));
    freeze_book_write(v->freezes, &out);
    write_tokens(v, &out);
    der_finish(&out, m);
    struct err *e = der_out_done(&out, &body);
    if (!e)
        vault_peer_answer(call->peer, call->id, body);
    return e;
}
