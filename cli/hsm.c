/*
 * chancery hsm info, login, pin change. `info` asks the daemon; the others write the PIN file's neighbour and
 * wake the warden with a signal, for the front is never shown a PIN and cannot ask for a try of one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"
#include "cli.h"

#define NEW_SUFFIX ".new" /* as the warden looks for it */

enum { PIN_RANDOM_BYTES = 16, PIN_BYTES_MAX = 255, WAIT_S = 30, LOOK_MS = 200 };

/* --- info --- */

static void print_object(const struct cli *c, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const struct cli_column column = {key, key};
        cli_print_object(c, object, &column, 1);
    }
}

static void print_info(const struct cli *c, const json_t *answer)
{
    static const struct cli_column keys[] = {
        {"KEY", "label"},
        {"TOKEN", "token"},
        {"TYPE", "type"},
        {"SENSITIVE", "sensitive"},
        {"ALWAYS", "always_sensitive"},
        {"EXTRACTABLE", "extractable"},
        {"NEVER", "never_extractable"},
        {"LOCAL", "local"},
        {"ID", "id"},
    };
    static const struct cli_column lanes[] = {
        {"LANE", "name"}, {"WEIGHT", "weight"}, {"UNDER WAY", "under_way"}, {"BOUND", "bound"}};
    static const struct cli_column mechanisms[] = {
        {"MECHANISM", "name"}, {"MIN", "min"}, {"MAX", "max"}, {"USES", "uses"}};
    static const struct cli_column state[] = {{"vault", "vault"}, {"state", "state"}, {"detail", "detail"}};

    cli_print_object(c, answer, state, 3);
    if (!json_object_get(answer, "token"))
        return;
    printf("\nmodule\n");
    print_object(c, json_object_get(answer, "module"));
    printf("\ntoken\n");
    json_t *token;
    size_t i;
    json_array_foreach(json_object_get(answer, "tokens"), i, token)
    {
        print_object(c, token);
    }
    printf("\n");
    cli_print_list(c, answer, "keys", keys, sizeof keys / sizeof keys[0]);
    printf("\n");
    cli_print_list(c, answer, "lanes", lanes, sizeof lanes / sizeof lanes[0]);
    printf("\n");
    cli_print_list(c, answer, "mechanisms", mechanisms, sizeof mechanisms / sizeof mechanisms[0]);
}

static struct err *ask_info(struct cli *c, const char *vault, json_t **ret)
{
    json_decref(*ret);
    *ret = NULL;
    return cli_call(c, "GET",
                    vault ? arena_printf(c->arena, "/v1/hsm?vault=%s", cli_escape(c, vault)) : "/v1/hsm",
                    NULL, ret);
}

/* Of a house of several vaults: one after the other. */
static struct err *print_others(struct cli *c, const json_t *first)
{
    struct err *e = NULL;
    json_t *answer = NULL, *one;
    size_t i;
    json_array_foreach(json_object_get(first, "vaults"), i, one)
    {
        if (i == 0)
            continue;
        TRY(ask_info(c, json_string_value(json_object_get(one, "vault")), &answer));
        printf("\n");
        print_info(c, answer);
    }
out:
    json_decref(answer);
    return e;
}

struct err *hsm_info_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    json_t *answer = NULL;
    const char *vault = NULL;
    const struct cli_option options[] = {{"--vault", &vault, NULL, NULL}};
    TRY(cli_options(options, 1, &argc, argv, 0, 0));
    TRY(ask_info(c, vault, &answer));
    if (c->json)
        cli_print_json(answer);
    else
        print_info(c, answer);
    if (!c->json && !vault)
        TRY(print_others(c, answer));
out:
    json_decref(answer);
    return e;
}

/* --- the warden --- */

static struct err *signal_warden(struct cli *c, const struct config *config, int number)
{
    struct err *e = NULL;
    struct view text;
    TRY(file_read(arena_printf(c->arena, "%s/pid", config->paths.run), 32, c->arena, &text));
    long pid = strtol(arena_str(c->arena, text), NULL, 10);
    if (pid <= 1 || kill((pid_t)pid, number) != 0)
        e = err_sys(ERR_WRONG_STATE, errno,
                    "the daemon (process %ld) cannot be signalled: run this as root or "
                    "as its user",
                    pid);
out:
    return e;
}

static void pause_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&ts, NULL);
}

/* The first, or the one named; and the vault that opens it. */
static struct err *find_token(const struct config *config, const char *token, const struct config_token **ret,
                              const char **ret_vault)
{
    for (size_t i = 0; i < config->tokens_n; i++)
        if (!token || strcmp(config->tokens[i].name, token) == 0) {
            *ret = &config->tokens[i];
            *ret_vault = config->vaults[config->tokens[i].vault].name;
            return NULL;
        }
    return err_new(ERR_NOT_FOUND, "no token is called '%s': see chancery hsm info", token);
}

/* What a list of the answer says of a token, or NULL. */
static const char *said_of(const json_t *answer, const char *list, const struct config_token *token,
                           const char *member)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(answer, list), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "token"));
        if (name && strcmp(name, token->name) == 0)
            return json_string_value(json_object_get(one, member));
    }
    return NULL;
}

/* How a token of the vault that was asked stands. */
static const char *member_of(const json_t *answer, const struct config_token *token, const char *member)
{
    const char *said = said_of(answer, "states", token, member);
    return said ? said : json_string_value(json_object_get(answer, member)); /* the vault is away */
}

static bool is_state(const json_t *answer, const struct config_token *token, const char *state)
{
    const char *now = member_of(answer, token, "state");
    return now && strcmp(now, state) == 0;
}

static const char *detail_of(const json_t *answer, const struct config_token *token)
{
    const char *detail = member_of(answer, token, "detail");
    return detail && detail[0] ? detail : "its log says why";
}

static void print_state(const struct cli *c, const json_t *answer, const char *words)
{
    if (c->json)
        cli_print_json(answer);
    else
        printf("%s\n", words);
}

/* --- login --- */

/* A change that was cut off between the token and the file: the token was given the new one. */
static struct err *take_new(struct cli *c, const char *pin_file)
{
    const char *fresh = arena_printf(c->arena, "%s" NEW_SUFFIX, pin_file);
    if (access(fresh, F_OK) != 0)
        return NULL;
    if (world_rename(fresh, pin_file) != 0)
        return err_sys(ERR_IO, errno, "%s", fresh);
    fprintf(stderr, "a change of the PIN was cut off: %s takes the place of %s\n", fresh, pin_file);
    return NULL;
}

struct err *hsm_login(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct config *config = NULL;
    const struct config_token *token;
    const char *name = NULL, *vault;
    const struct cli_option options[] = {{"--token", &name, NULL, NULL}};
    json_t *answer = NULL;

    TRY(cli_options(options, 1, &argc, argv, 0, 0));
    TRY(cli_config(c, &config));
    TRY(find_token(config, name, &token, &vault));
    TRY(ask_info(c, vault, &answer));
    if (is_state(answer, token, "ready")) {
        print_state(c, answer, "the token is logged in already: no PIN was tried");
        goto out;
    }
    if (is_state(answer, token, "pin-refused"))
        TRY(take_new(c, token->pin_file));
    TRY(signal_warden(c, config, SIGUSR1));
    for (int i = 0; i < WAIT_S * 1000 / LOOK_MS && !is_state(answer, token, "ready"); i++) {
        pause_ms(LOOK_MS);
        TRY(ask_info(c, vault, &answer));
    }
    if (!is_state(answer, token, "ready"))
        TRY(err_new(ERR_PIN_REFUSED, "the token does not let us in: %s", detail_of(answer, token)));
    print_state(c, answer, "the token is logged in");
out:
    json_decref(answer);
    config_free(config);
    return e;
}

/* --- pin change --- */

static struct err *random_pin(const json_t *token, struct secret **ret)
{
    uint8_t random[PIN_RANDOM_BYTES];
    char text[2 * PIN_RANDOM_BYTES + 1];
    const json_t *max = json_object_get(token, "pin_max");
    size_t n = json_is_integer(max) ? (size_t)json_integer_value(max) : 0;
    world_random(random, sizeof random);
    hex_put(text, view_of(random, sizeof random));
    if (n == 0 || n > sizeof text - 1)
        n = sizeof text - 1;
    struct err *e = secret_of(view_of(text, n), ret);
    secret_wipe(random, sizeof random);
    secret_wipe(text, sizeof text);
    return e;
}

static struct err *read_pin(const char *path, struct secret **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(ERR_CONFIG, errno, "%s", path);
    struct err *e = secret_read(fd, PIN_BYTES_MAX, ret);
    close(fd);
    if (!e && secret_view(*ret).n == 0)
        e = err_new(ERR_CONFIG, "%s is empty", path);
    return e;
}

/* Beside the PIN file, its owner's alone. */
static struct err *write_new(const char *path, const char *pin_file, const struct secret *pin)
{
    struct err *e = NULL;
    struct stat st;
    if (access(path, F_OK) == 0)
        return err_new(
            ERR_WRONG_STATE,
            "%s is there: a change of the PIN is under way, or was cut off. Where the token is ready "
            "remove it; else: chancery hsm login",
            path);
    if (stat(pin_file, &st) != 0)
        return err_sys(ERR_CONFIG, errno, "%s", pin_file);
    TRY(file_write(path, secret_view(pin), 0600));
    if (geteuid() == 0 && chown(path, st.st_uid, st.st_gid) != 0)
        e = err_sys(ERR_IO, errno, "%s", path);
out:
    return e;
}

static bool holds(const char *path, const struct secret *pin)
{
    struct secret *now = NULL;
    struct err *e = read_pin(path, &now);
    bool same = !e && view_eq(secret_view(now), secret_view(pin));
    secret_free(now);
    err_free(e);
    return same;
}

/* The warden takes the new file away: into the place of the old one, or off the disk. */
static struct err *await(struct cli *c, const char *vault, const struct config_token *token,
                         const char *fresh, const struct secret *pin, json_t **answer)
{
    struct err *e = NULL;
    for (int i = 0; i < WAIT_S * 1000 / LOOK_MS && access(fresh, F_OK) == 0; i++)
        pause_ms(LOOK_MS);
    if (holds(token->pin_file, pin))
        return NULL;
    TRY(ask_info(c, vault, answer));
    const char *why = said_of(*answer, "pins", token, "last_change");
    e = access(fresh, F_OK) == 0
            ? err_new(
                  ERR_TOKEN_AWAY,
                  "the daemon did not finish within %d seconds: %s stays; once the token is ready again see "
                  "with which of both PINs (chancery hsm login)",
                  WAIT_S, fresh)
            : err_new(ERR_CONFIG, "the PIN is as it was: %s", why ? why : "the daemon's log says why");
out:
    return e;
}

struct err *hsm_pin(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *from = NULL, *name = NULL, *vault, *fresh;
    const struct cli_option options[] = {{"--new", &from, NULL, NULL}, {"--token", &name, NULL, NULL}};
    struct config *config = NULL;
    const struct config_token *token;
    struct secret *pin = NULL;
    json_t *answer = NULL;

    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    if (strcmp(argv[0], "change") != 0)
        TRY(cli_usage("chancery hsm pin change"));
    TRY(cli_config(c, &config));
    TRY(find_token(config, name, &token, &vault));
    TRY(ask_info(c, vault, &answer));
    if (!is_state(answer, token, "ready"))
        TRY(err_new(ERR_WRONG_STATE, "the token is not ready: %s", detail_of(answer, token)));
    TRY(from ? read_pin(from, &pin) : random_pin(json_object_get(answer, "token"), &pin));
    if (holds(token->pin_file, pin))
        TRY(err_new(ERR_WRONG_STATE, "that is the PIN already"));
    fresh = arena_printf(c->arena, "%s" NEW_SUFFIX, token->pin_file);
    TRY(write_new(fresh, token->pin_file, pin));
    TRY(signal_warden(c, config, SIGUSR2));
    TRY(await(c, vault, token, fresh, pin, &answer));
    print_state(c, answer,
                arena_printf(c->arena, "the token has a new PIN, proven by a login; it stands in %s",
                             token->pin_file));
out:
    secret_free(pin);
    json_decref(answer);
    config_free(config);
    return e;
}
