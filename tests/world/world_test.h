/*
 * The page through which a test moves the clock of running processes and makes their calls fail: a file,
 * mapped by each process that finds its path in CHANCERY_WORLD at its start. Changes are seen at once. Any
 * process, any thread; all counts are atomic.
 */
#ifndef CHANCERY_WORLD_TEST_H
#define CHANCERY_WORLD_TEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORLD_RULES = 32, WORLD_COUNTERS = 256, WORLD_NAME_BYTES = 40, WORLD_PATH_BYTES = 80 };
#define WORLD_MAGIC 0x63686e6377726c31u /* "chncwrl1" */

enum world_action {
    WORLD_NOTHING, /* only counts */
    WORLD_KILL,    /* SIGKILL to itself */
    WORLD_ERRNO,   /* the call fails with errno `value`; nothing was done */
    WORLD_STALL,   /* waits until the rule is cleared */
    WORLD_DELAY,   /* waits `value` ms, then goes on */
    WORLD_SHORT,   /* write, pwrite, send: at most `value` octets */
    WORLD_RESULT,  /* token calls: returns `value` as CKR_ */
    WORLD_OFF,     /* a check: what it finds is let through */
};

enum { WORLD_RULE_FREE, WORLD_RULE_MAKING, WORLD_RULE_ON };

struct world_rule {
    atomic_uint state;
    uint32_t action;
    int64_t value;
    uint64_t after; /* lets this many pass first */
    uint64_t times; /* then acts so often; 0: always */
    atomic_ullong seen;
    char name[WORLD_NAME_BYTES];    /* a point of world_points.def, a call ("fdatasync"), "token.C_Sign" */
    char process[WORLD_NAME_BYTES]; /* "vault"; empty: any */
    char path[WORLD_PATH_BYTES];    /* must be part of the file's path; empty: any */
};

struct world_counter {
    atomic_uint state; /* as of rules */
    atomic_ullong n;
    char name[WORLD_NAME_BYTES];
    char process[WORLD_NAME_BYTES];
};

struct world_page {
    uint64_t magic;
    atomic_llong wall_offset_ms;
    atomic_llong mono_offset_ms;
    atomic_llong frozen_ms; /* the wall clock stands here, plus the offset; 0: it runs */
    struct world_rule rules[WORLD_RULES];
    struct world_counter counters[WORLD_COUNTERS];
};

/* Makes the file anew, or maps one that is there; NULL and errno. Mapped for good. */
struct world_page *world_page_create(const char *path);
struct world_page *world_page_open(const char *path);

/* The index of the rule, or -1 where all are taken. Strings may be NULL. */
int world_page_rule(struct world_page *p, const struct world_rule *like);
void world_page_clear(struct world_page *p, int rule); /* -1: all */
/* How often `name` was passed; process NULL: by all together. */
unsigned long long world_page_count(const struct world_page *p, const char *name, const char *process);
/* Counts one more, for world_test.c. */
void world_page_pass(struct world_page *p, const char *name, const char *process);

#endif
