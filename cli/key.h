/*
 * A person's signing key, for acts and rosters: a PEM file (its passphrase asked for at the terminal) or a
 * key in a token of theirs. Never the authority's.
 */
#ifndef CHANCERY_CLI_KEY_H
#define CHANCERY_CLI_KEY_H

#include "cli.h"
#include "hsm_act.h"

/* --key FILE, or --key pkcs11:object=... with --token, --module and --pin-file. */
struct key_options {
    const char *key, *token, *module, *pin_file;
};
#define KEY_OPTIONS(k)                                                                                       \
    {"--key", &(k).key, NULL, NULL}, {"--token", &(k).token, NULL, NULL},                                    \
        {"--module", &(k).module, NULL, NULL},                                                               \
    {                                                                                                        \
        "--pin-file", &(k).pin_file, NULL, NULL                                                              \
    }
struct key;
MUST_USE struct err *key_open(struct cli *c, const struct key_options *options, struct key **ret);
void key_close(struct key *k);             /* accepts NULL */
struct view key_spki(const struct key *k); /* borrowed */
/* *ret lives in the run's arena, its spki as long as the key. */
MUST_USE struct err *key_sign(struct cli *c, struct key *k, struct view bytes, struct hsm_act_signature *ret);

#endif
