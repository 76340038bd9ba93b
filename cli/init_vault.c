/*
 * The vault of a ceremony: a child process of init, alone with the token. It is forked before init opens
 * anything, takes the user that will own the token, and ends when init closes the channel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "init.h"

static const char *const *environment(const struct config_token *t, struct arena *arena)
{
    const char **env = arena_array(arena, t->env_n + 1, sizeof *env);
    for (size_t i = 0; i < t->env_n; i++)
        env[i] = arena_printf(arena, "%s=%s", t->env_names[i], t->env_values[i]);
    return env;
}

/* The algorithms that the configuration names for its issuers. */
static struct err *read_wishes(const struct config *c, struct arena *arena, struct hsm_vault_config *to)
{
    struct err *e = NULL;
    struct hsm_issuer_wish *wishes = arena_array(arena, c->issuers_n, sizeof *wishes);
    to->wishes = wishes;
    for (size_t i = 0; i < c->issuers_n; i++)
        if (c->issuers[i].alg) {
            wishes[to->n_wishes].name = c->issuers[i].name;
            TRY(cert_alg_parse(view_str(c->issuers[i].alg), &wishes[to->n_wishes++].alg));
        }
out:
    return e;
}

static const char *const *ended(const struct conf_texts *t, struct arena *arena)
{
    const char **to = arena_array(arena, t->n + 1, sizeof *to);
    for (size_t i = 0; i < t->n; i++)
        to[i] = t->items[i];
    return to;
}

static struct err *body(struct init *in, int fd)
{
    struct err *e = NULL;
    const struct config *c = in->config;
    struct arena *arena = in->cli->arena;
    const struct hsm_vault_setup setup = {
        .module = c->tokens[0].module,
        .init_args = c->tokens[0].init_args,
        .env = environment(&c->tokens[0], arena),
        .token_uri = c->tokens[0].uri,
        .pin_fd = in->pin_fd,
        .pin_state_path = arena_printf(arena, "%s/pin.refused", c->paths.roll),
        .lock_path = arena_printf(arena, "%s/%s", c->paths.lock, c->tokens[0].name),
        .sync_path = c->tokens[0].writes.n ? c->tokens[0].writes.items[0] : NULL,
        .unsaid = ended(&c->tokens[0].unsaid, arena),
        .roll_dir = c->paths.roll,
        .make_label = in->make_label,
        .make_so_pin_fd = in->so_pin_fd,
    };
    struct hsm_vault_config config = {
        .generation = 1,
        .base_url = c->public_url,
        .log_origin = c->heads.origin,
        .self_names = c->names.items,
        .n_self_names = c->names.n,
    };
    TRY(read_wishes(c, arena, &config));
    TRY(init_user_become(c->users.vault));
    TRY(hsm_vault_run_init(&setup, &config, &in->templates, fd));
out:
    return e;
}

/* Never returns. */
static _Noreturn void child(struct init *in, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    struct err *e = body(in, fd);
    if (e)
        fprintf(stderr, "chancery: vault: %s\n", err_detail(e));
    _exit(e ? 1 : 0);
}

static struct err *open_pin(const struct config *c, int *ret_fd)
{
    *ret_fd = open(c->tokens[0].pin_file, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? err_sys(ERR_CONFIG, errno, "the PIN file %s cannot be opened", c->tokens[0].pin_file)
                       : NULL;
}

struct err *init_vault_start(struct init *in)
{
    struct err *e = NULL;
    int pair[2] = {-1, -1};

    TRY(open_pin(in->config, &in->pin_fd));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        TRY(err_sys(ERR_IO, errno, "socketpair"));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        TRY(err_sys(ERR_IO, errno, "fork"));
    if (pid == 0) {
        close(pair[0]);
        child(in, pair[1]);
    }
    in->child = pid;
    close(pair[1]);
    pair[1] = -1;
    int fd = pair[0];
    pair[0] = -1;
    TRY(hsm_ceremony_new(fd, 1, &in->ceremony));
out:
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    return e;
}

void init_vault_end(struct init *in)
{
    hsm_ceremony_free(in->ceremony);
    in->ceremony = NULL;
    if (in->child > 0)
        waitpid(in->child, NULL, 0);
    in->child = 0;
}
