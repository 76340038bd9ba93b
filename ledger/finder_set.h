/* What the files of the finder share: the parts of the index. */
#ifndef CHANCERY_LEDGER_FINDER_SET_H
#define CHANCERY_LEDGER_FINDER_SET_H

#include <stdatomic.h>

#include "base/worker.h"
#include "finder.h"
#include "tail.h"

enum { FINDER_TAILS = 64, FINDER_SEGMENTS = 256 };

struct finder_job { /* one at a time; the worker's from submit until `finished` */
    bool under_way, merge;
    atomic_bool finished;
    const struct segment *from[FINDER_MERGE];
    size_t n;
    const struct tail *tail;
    struct segment *result;
    struct err *error;
};

struct finder {
    char *dir;
    bool readonly;
    struct worker *worker;                     /* NULL: jobs run at once */
    struct segment *segments[FINDER_SEGMENTS]; /* in the order of the log */
    size_t segments_n;
    struct tail *tails[FINDER_TAILS]; /* likewise; the last one grows */
    size_t tails_n;
    uint64_t next, rest_until; /* entry; no job before this one */
    struct finder_job job;
};

/* finder_files.c: what lies in the folder and is of this log. */
MUST_USE struct err *finder_files_take(struct finder *f, const struct finder_setup *setup);

#endif
