/*
 * Break-glass: what root does where no front answers. A freeze is an order to the vault; a revocation goes
 * into the ledger itself, which no front holds then, and lists and answers follow when one is back. Each use
 * is an entry, and an alarm of the vault's or the front's log. Never thaws, approves or issues.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "ca_revoke.h"
#include "cli.h"
#include "hsm_freeze.h"

enum { LOCK_TRIES = 50, LOCK_WAIT_MS = 100, ORDER_TRIES = 100 };

bool break_glass_due(const struct err *e)
{
    return e && (err_code(e) == ERR_STARTING || err_code(e) == ERR_IO) && geteuid() == 0;
}

static void wait_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static const char *who(struct cli *c)
{
    return arena_printf(c->arena, "local:%u", (unsigned)getuid());
}

/* A front that keeps starting and dying holds the ledger for moments. */
static struct err *open_ledger(const struct config *config, struct ledger **ret)
{
    struct err *e = NULL;
    for (int i = 0; i < LOCK_TRIES; i++) {
        e = ledger_open(config->paths.ledger, NULL, NULL, ret);
        if (!e || err_code(e) != ERR_WRONG_STATE || i + 1 == LOCK_TRIES)
            return e;
        err_free(e);
        wait_ms(LOCK_WAIT_MS);
    }
    return NULL;
}

static struct ledger_entry entry_of(struct cli *c, unsigned kind)
{
    return (struct ledger_entry){.kind = kind, .actor = who(c), .door = "break-glass"};
}

static struct err *note_use(struct cli *c, struct ledger *ledger, const char *what)
{
    struct ledger_result result;
    struct ledger_entry entry = entry_of(c, LEDGER_BREAK_GLASS);
    entry.body.note.what = what;
    log_error("break-glass", log_text("actor", entry.actor), log_text("what", what));
    return ledger_append_wait(ledger, &entry, &result);
}

/* The vault takes the file away when the freeze is durable. *ret: it did. */
static bool order_taken(struct cli *c, const char *roll, int *tries)
{
    const char *path = arena_printf(c->arena, "%s/%s", roll, HSM_ORDER_FILE);
    for (; *tries > 0; (*tries)--) {
        if (access(path, F_OK) != 0)
            return true;
        wait_ms(LOCK_WAIT_MS);
    }
    return false;
}

/* An issuer's to the vault of its key, all else to every vault. *ret_taken: they have it. */
static struct err *order(struct cli *c, const struct config *config, const struct hsm_freeze *what,
                         const char *reason, bool *ret_taken)
{
    struct err *e = NULL;
    size_t first = 0, end = config->vaults_n;
    int tries = ORDER_TRIES;
    for (size_t i = 0; what->what == HSM_FREEZE_ISSUER && i < config->issuers_n; i++)
        if (strcmp(config->issuers[i].name, what->name) == 0) {
            first = config->issuers[i].vault;
            end = first + 1;
        }
    for (size_t i = first; i < end; i++)
        TRY(hsm_order_write(config->vaults[i].roll, what, who(c), reason));
    *ret_taken = true;
    for (size_t i = first; i < end; i++)
        *ret_taken = order_taken(c, config->vaults[i].roll, &tries) && *ret_taken;
out:
    return e;
}

struct err *break_glass_freeze(struct cli *c, const struct hsm_freeze *what, const char *reason)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct ledger *ledger = NULL;
    struct ledger_result result;
    const char *text = arena_printf(c->arena, "%s%s%s: %s", hsm_freeze_what_text(what->what),
                                    what->name[0] ? ":" : "", what->name, reason);
    TRY(cli_config(c, &config));
    bool taken;
    TRY(order(c, config, what, reason, &taken));
    fprintf(stderr, taken
                        ? "no front answers: the vault holds the freeze\n"
                        : "neither front nor vault answers: the vault will take the order when it starts\n");
    TRY(err_wrap(open_ledger(config, &ledger), "the vault has the order, but the ledger no entry of it yet"));
    TRY(note_use(c, ledger, text));
    struct ledger_entry entry = entry_of(c, LEDGER_FREEZE);
    entry.body.note.what = text;
    TRY(ledger_append_wait(ledger, &entry, &result));
out:
    ledger_close(ledger);
    config_free(config);
    return e;
}

struct err *break_glass_revoke(struct cli *c, const char *issuer, const char *serial, const char *reason)
{
    struct err *e = NULL;
    struct config *config = NULL;
    struct ledger *ledger = NULL;
    struct ledger_result result;
    struct ledger_cert record;
    struct view octets;
    enum cert_reason parsed;
    TRY(err_wrap(hex_parse(c->arena, view_str(serial), &octets), "the serial"));
    TRY(ca_reason_parse(reason, &parsed));
    TRY(cli_config(c, &config));
    TRY(open_ledger(config, &ledger));
    TRY(ledger_find(ledger, issuer, octets, c->arena, &record));
    TRY(note_use(c, ledger, arena_printf(c->arena, "revoke %s of %s", serial, record.issuer)));
    struct ledger_entry entry = entry_of(c, LEDGER_REVOKE);
    entry.issuer = record.issuer;
    entry.serial = octets;
    entry.body.revoke.reason = parsed;
    TRY(ledger_append_wait(ledger, &entry, &result));
    fprintf(stderr,
            "no front answers: %s is revoked in the ledger; lists and answers follow with the next front\n",
            serial);
out:
    ledger_close(ledger);
    config_free(config);
    return e;
}
