/*
 * --check, and the parse of a generation before the first start. Whatever looks at file contents or at the
 * token does so in a forked child, jailed as the process it stands for; the parent has one thread and only
 * waits. Prints findings in --check; otherwise says nothing.
 */
#include "prove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "landlock.h"
#include "ledger.h"
#include "process.h"
#include "role_vault.h"
#include "sockets.h"

enum { TEXT_BYTES = 4096, PINS_FROM = 64 };

/* --- in a child --- */

/* Runs fn in a fork; what it wrote to the descriptor comes back, cut at TEXT_BYTES. Its exit status is the
 * answer. */
static struct err *in_child(int (*fn)(void *arg, int fd), void *arg, char text[TEXT_BYTES], int *ret_status)
{
    int pipe_fds[2], status = 0;
    size_t n = 0;
    ssize_t got;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return err_sys(ERR_NOMEM, errno, "pipe");
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(ERR_NOMEM, errno, "fork");
    if (pid == 0) {
        close(pipe_fds[0]);
        _exit(fn(arg, pipe_fds[1]));
    }
    close(pipe_fds[1]);
    while (n < TEXT_BYTES - 1 && (got = read(pipe_fds[0], text + n, TEXT_BYTES - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = 0;
    close(pipe_fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *ret_status = status;
    return NULL;
}

/* paths NULL: it opens nothing at all. */
static struct err *jail_as(enum message_process kind, const struct users *u, const struct jail_path *paths,
                           size_t n, enum jail_connects connects)
{
    struct jail_state state;
    const struct jail jail = {
        .parent = getppid(),
        .drop = u->drop,
        .uid = u->of[kind].uid,
        .gid = u->of[kind].gid,
        .paths = paths,
        .n = n,
        .connects = connects,
    };

    return jail_enter(&jail, &state);
}

static int fail(struct err *e, int fd)
{
    dprintf(fd, "%s", err_detail(e));
    err_free(e);
    return 1;
}

struct reading {
    int fd;
    const struct config *config;
    const struct users *users;
};

static int read_generation(void *arg, int fd)
{
    const struct reading *r = arg;
    struct setup *s = NULL;
    struct err *e = jail_as(MESSAGE_RESPONDER, r->users, NULL, 0, JAIL_CONNECTS_NONE);

    if (!e)
        e = setup_read(r->fd, r->config->file, &s);
    return e ? fail(e, fd) : 0;
}

struct err *prove_generation(int fd, const struct config *c, const struct users *u)
{
    struct err *e = NULL;
    struct reading r = {fd, c, u};
    char text[TEXT_BYTES];
    int status;

    TRY(in_child(read_generation, &r, text, &status));
    if (status == 0)
        return NULL;
    return err_new(ERR_CONFIG, "%s",
                   text[0] ? text : "the configuration could not be read (its reader died)");
out:
    return e;
}

/* --- isolation --- */

struct err *prove_isolation(const struct config *c, const struct users *u)
{
    struct jail_state state = {.own_user = u->own, .landlock = landlock_abi()};
    const char *why = jail_refusal(jail_level(&state), c->isolation, c->demo);

    return why ? err_new(ERR_CONFIG, "isolation '%s': %s", jail_level_text(jail_level(&state)), why) : NULL;
}

/* --- --check --- */

struct checking {
    const struct config *config;
    unsigned vault; /* in hand */
    const struct users *users;
    int generation_fd;
    bool wrong;
};

static void tell(void *arg, bool wrong, const char *what)
{
    struct checking *k = arg;
    k->wrong = k->wrong || wrong;
    printf("%s  %s\n", wrong ? "WRONG" : "ok   ", what);
}

/* Tells and frees e, or tells what is fine. */
static bool told(struct checking *k, struct err *e, const char *fine)
{
    tell(k, e != NULL, e ? err_detail(e) : fine);
    bool ok = e == NULL;
    err_free(e);
    return ok;
}

/* One behind the other, as a vault gets them. */
static int open_pins(const struct checking *k)
{
    const struct config_vault *v = &k->config->vaults[k->vault];
    int first = -1;
    for (size_t i = 0; i < v->tokens_n; i++) {
        int fd =
            open(k->config->tokens[v->tokens[i]].pin_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (i == 0)
            first = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, PINS_FROM);
        else if (fd >= 0)
            dup3(fd, first + (int)i, O_CLOEXEC);
        if (fd >= 0)
            close(fd);
    }
    return first;
}

/* As the vault, in its jail: module, token, PIN, keys, roll. Findings go straight to stdout. */
static int check_vault(void *arg, int fd)
{
    struct checking *k = arg;
    struct setup *s = NULL;
    struct arena *arena = arena_new(1 << 20);
    size_t n;
    const struct jail_path *paths = process_paths(MESSAGE_VAULT, k->vault, k->config, arena, &n);
    int pin = open_pins(k);
    struct err *e = setup_read(k->generation_fd, k->config->file, &s);

    if (!e)
        e = jail_as(MESSAGE_VAULT, k->users, paths, n, process_connects(MESSAGE_VAULT, k->vault, k->config));
    if (e)
        return fail(e, fd);
    struct hsm_vault_setup setup = role_vault_setup(s->config, k->vault, pin, arena);
    struct hsm_vault_config config = role_vault_config(s, k->vault);
    bool well = hsm_vault_check(&setup, &config, &s->templates, tell, k);
    fflush(stdout);
    return well ? 0 : 1;
}

static void check_token(struct checking *k)
{
    char text[TEXT_BYTES];
    int status = 0;

    if (!told(k, in_child(check_vault, k, text, &status), "the vault's files, seen from its jail"))
        return;
    if (status != 0 && text[0])
        tell(k, true, text);
    if (WIFSIGNALED(status))
        tell(k, true, "the check of the token died: the PKCS#11 library crashes");
    k->wrong = k->wrong || status != 0;
}

/* As the front, in its jail. */
static int open_ledger(void *arg, int fd)
{
    const struct checking *k = arg;
    struct ledger *ledger = NULL;
    struct arena *arena = arena_new(1 << 20);
    size_t n;
    const struct jail_path *paths = process_paths(MESSAGE_FRONT, 0, k->config, arena, &n);
    struct err *e = jail_as(MESSAGE_FRONT, k->users, paths, n, JAIL_CONNECTS_NONE);

    if (!e)
        e = ledger_open_readonly(k->config->paths.ledger, &ledger);
    ledger_close(ledger);
    return e ? fail(e, fd) : 0;
}

static void check_ledger(struct checking *k)
{
    char text[TEXT_BYTES];
    int status = 0;
    struct err *e = in_child(open_ledger, k, text, &status);

    if (!e && status != 0)
        e = err_new(ERR_CONFIG, "the ledger: %s", text[0] ? text : "it cannot be read (its reader died)");
    told(k, e, "the ledger can be read by the front");
}

static bool check_generation(struct checking *k, struct view bytes, struct arena *arena)
{
    struct err *e = NULL;
    struct generation g;
    uint8_t sha256[SHA256_BYTES];

    TRY(config_gather(k->config, bytes, 1, arena, &g));
    TRY(generation_seal(&g, sha256, &k->generation_fd));
    TRY(prove_generation(k->generation_fd, k->config, k->users));
out:
    return told(k, e, "templates, roster and the issuers' certificates");
}

static void check_house(struct checking *k, struct view bytes, struct arena *arena)
{
    struct users users;

    if (!told(k, users_find(k->config, &users), "users of the processes"))
        return;
    k->users = &users;
    told(k, prove_isolation(k->config, &users), "isolation of the processes");
    (void)folders_check(k->config, &users, tell, k);
    told(k, sockets_try(k->config), "addresses to listen on");
    if (!check_generation(k, bytes, arena))
        return;
    if (!told(k, folders_make(k->config, &users), "folders of the house") || k->config->responders_only)
        return; /* there is no ledger and no token where only responders run */
    check_ledger(k);
    for (k->vault = 0; k->vault < process_count(MESSAGE_VAULT, k->config); k->vault++)
        check_token(k);
}

int prove_all(const char *file)
{
    struct arena *arena = arena_new(GENERATION_ARENA_BYTES);
    struct checking k = {.generation_fd = -1};
    struct config *config = NULL;
    struct view bytes;

    if (told(&k, config_load(file, arena, &bytes, &config), "chancery.yaml")) {
        k.config = config;
        check_house(&k, bytes, arena);
    }
    printf("%s\n", k.wrong ? "something is wrong" : "all is well");
    if (k.generation_fd >= 0)
        close(k.generation_fd);
    config_free(config);
    arena_free(arena);
    return k.wrong ? 1 : 0;
}
