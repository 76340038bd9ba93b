/*
 * A SoftHSM token in a folder of its own, for demos and rehearsals: its configuration, its store, random PINs
 * that nobody has to know. The token itself is made by the vault, by its label.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"
#include "init.h"

enum { PIN_BYTES = 16 };

static const char *in_dir(struct init *in, const char *name)
{
    return arena_printf(in->cli->arena, "%s/%s", in->dir, name);
}

/* A random PIN in a file of its own. */
static struct err *write_pin(struct init *in, const char *name)
{
    uint8_t random[PIN_BYTES];
    char text[2 * PIN_BYTES + 1];
    world_random(random, sizeof random);
    hex_put(text, view_of(random, sizeof random));
    struct err *e = file_write(in_dir(in, name), view_str(text), 0600);
    secret_wipe(random, sizeof random);
    secret_wipe(text, sizeof text);
    return e;
}

struct err *init_softhsm_files(struct init *in)
{
    struct err *e = NULL;
    if (access(INIT_SOFTHSM_MODULE, R_OK) != 0)
        return err_new(ERR_CONFIG, "this needs SoftHSM: apt-get install softhsm2 (" INIT_SOFTHSM_MODULE ")");
    TRY(file_mkdir(in_dir(in, "token"), 0700));
    TRY(file_mkdir(in_dir(in, "secret"), 0700));
    TRY(write_pin(in, "secret/pin"));
    TRY(write_pin(in, "secret/so-pin"));
    TRY(file_write(in_dir(in, "softhsm2.conf"),
                   view_str(arena_printf(in->cli->arena,
                                         "directories.tokendir = %s/token\nobjectstore.backend = file\n"
                                         "log.level = ERROR\nslots.removable = false\n",
                                         in->dir)),
                   0644));
    in->so_pin_fd = open(in_dir(in, "secret/so-pin"), O_RDONLY | O_CLOEXEC);
    if (in->so_pin_fd < 0)
        TRY(err_sys(ERR_IO, errno, "secret/so-pin"));
out:
    return e;
}
