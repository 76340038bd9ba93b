/* The two books in hand, shared by what verifies a running ledger and what verifies an export. */
#ifndef CHANCERY_CLI_LEDGER_BOOKS_H
#define CHANCERY_CLI_LEDGER_BOOKS_H

#include "cli.h"
#include "ledger_verify.h"

struct ledger_acts_rolled; /* ledger_acts.h */

/* One vault's roll. */
struct rolled {
    const char *path;
    size_t index;
    struct ledger_seal *seals;
    size_t n, cap;
    struct view file;
    struct ledger_acts_rolled *acts;
    size_t acts_n;
};

struct verifying {
    struct cli *cli;
    struct rolled rolls[LEDGER_ROLLS_MAX];
    size_t n, roll, at; /* in hand */
    json_t *findings;
};

/* For struct ledger_verify; arg: a struct verifying. */
struct err *ledger_next_seal(void *arg, struct ledger_seal *ret, bool *ret_more);
void ledger_found(void *arg, uint64_t seq, const char *what);

/* Paths of the configuration where the options name none; a roll for each vault. */
MUST_USE struct err *ledger_paths(struct verifying *v, const char **ledger, const char *rolls);
/* The whole file, mapped for good. */
MUST_USE struct err *ledger_map(const char *path, struct view *ret);
/* Walks and takes its seals. ERR_CORRUPT naming the place; what came before it is taken. */
MUST_USE struct err *ledger_roll_take(struct rolled *r, struct view whole);
void ledger_roll_drop(struct rolled *r);
/* Prints what was found, and is the error where anything was. */
MUST_USE struct err *ledger_say(struct verifying *v, const struct ledger_verify_report *report, json_t *more);

#endif
