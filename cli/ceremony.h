/*
 * What the files of `chancery ceremony` share. A ceremony is a file: who takes part, in what token, which
 * steps. It is read and checked as a whole before a key is touched, then run step by step; every step goes
 * into the transcript, with the hashes of all that it took and made. No daemon, no network.
 */
#ifndef CHANCERY_CLI_CEREMONY_H
#define CHANCERY_CLI_CEREMONY_H

#include "base/conf.h"
#include "init.h"

enum {
    CEREMONY_FILE_BYTES = 256 * 1024,
    CEREMONY_INPUT_BYTES = 1 << 20,
    CEREMONY_STEPS_MAX = 200,
    CEREMONY_ISSUERS_MAX = 32,
};

/* One step: the union of what the kinds take; each kind's rows (ceremony_file.c) say which. */
struct ceremony_step {
    const char *kind;    /* "root" */
    const json_t *place; /* for messages */
    const char *name, *issuer, *template, *subject, *key_kind;
    const char *file, *sha256, *out, *reason, *text;
    int64_t validity_s;
    bool reuse;
    struct conf_texts chain, by;
};

/* An issuer this ceremony can sign with. */
struct ceremony_issuer {
    const char *name;
    struct view certificate; /* DER */
    struct templates_issuer facts;
};

struct ceremony {
    struct init in; /* vault, ledger, templates */
    struct conf *conf;
    struct view file;   /* as it was read */
    const char *folder; /* of the file: inputs stand under it */
    const char *out;    /* where outputs go: the same, or the folder of a rehearsal */
    bool rehearsal;
    const char *title, *transcript_path, *books, *templates, *public_url;
    const json_t *token, *participants, *issuers_tree, *steps_tree;
    const struct ceremony_step *steps;
    size_t steps_n;
    struct ceremony_issuer issuers[CEREMONY_ISSUERS_MAX];
    size_t issuers_n;
    /* transcript.c */
    const char *text; /* so far */
    json_t *line;     /* of the step under way: what it took and made is added to it */
};

/* --- ceremony_file.c --- */
/* Everything that can be seen wrong without a key is: ERR_CONFIG with file, line and column. */
MUST_USE struct err *ceremony_file_read(struct ceremony *c, const char *path);
/* What the file says of its token, and where its books are, as a configuration. */
MUST_USE struct err *ceremony_file_config(struct ceremony *c);
MUST_USE struct err *ceremony_file_templates(struct ceremony *c);

/* --- ceremony_io.c: files in and out, each on record with its hash --- */
/* expected: its SHA-256 in hexadecimal, or NULL. ERR_CORRUPT where it is another. */
MUST_USE struct err *ceremony_io_read(struct ceremony *c, const char *name, const char *expected,
                                      struct view *ret);
MUST_USE struct err *ceremony_io_read_pem(struct ceremony *c, const char *name, const char *expected,
                                          const char *label, struct view *ret_der);
/* Never over a file that is there. */
MUST_USE struct err *ceremony_io_write(struct ceremony *c, const char *name, struct view bytes);
MUST_USE struct err *ceremony_io_write_pem(struct ceremony *c, const char *name, const char *label,
                                           struct view der);
/* Expected hashes of files that no step of this ceremony makes: before the first step. */
MUST_USE struct err *ceremony_io_check_first(struct ceremony *c);

/* --- ceremony_record.c: the transcript --- */
MUST_USE struct err *ceremony_record_begin(struct ceremony *c);
/* Begins a line; c->line is open for what the step adds. */
void ceremony_record_step(struct ceremony *c, const struct ceremony_step *s, size_t n);
void ceremony_record_text(struct ceremony *c, const char *key, const char *value);
void ceremony_record_hash(struct ceremony *c, const char *key, struct view bytes);
/* Ends the line, failed: why, or NULL; durable when it returns. */
MUST_USE struct err *ceremony_record_done(struct ceremony *c, const struct err *failed);
MUST_USE struct err *ceremony_record_end(struct ceremony *c);

/* --- ceremony_issuers.c --- */
const struct ceremony_issuer *ceremony_issuer_find(const struct ceremony *c, const char *name);
/* Known from now on; here and, where its key is in the token, in the vault. */
MUST_USE struct err *ceremony_issuer_add(struct ceremony *c, const char *name, struct view der);
/* Of a root that is about to be: its name, and what its key says. */
MUST_USE struct err *ceremony_issuer_root(struct ceremony *c, const char *name, const char *subject,
                                          struct view spki, struct templates_issuer *ret);

/* --- the steps: one function for each kind --- */
typedef struct err *ceremony_step_fn(struct ceremony *c, const struct ceremony_step *s);
ceremony_step_fn ceremony_key_make, ceremony_key_request; /* ceremony_key.c */
ceremony_step_fn ceremony_cert_root, ceremony_cert_subordinate, ceremony_cert_sign, ceremony_cert_cross,
    ceremony_cert_import;                                 /* ceremony_cert.c */
ceremony_step_fn ceremony_list_revoke, ceremony_list_crl; /* ceremony_list.c */
ceremony_step_fn ceremony_say_check, ceremony_say_text;   /* ceremony_say.c */
/* Who carries out the step says so; in a rehearsal nobody is asked. */
MUST_USE struct err *ceremony_say_confirm(struct ceremony *c, const struct ceremony_step *s);

struct ceremony_kind {
    const char *name;
    const struct conf_row *rows;
    size_t n;
    ceremony_step_fn *run;
    const char *doc;
};
/* i from 0 until NULL: for the file and for --help. */
const struct ceremony_kind *ceremony_kind(size_t i);

#endif
