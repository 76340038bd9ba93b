/*
 * Counters, gauges and histograms of all our processes, in one shared page that the warden makes (a memfd)
 * and each child maps; the front prints them. Rows stand in metric.def. Adding is one relaxed atomic; any
 * thread. Without a page (command line, unit tests) adding goes to a private one.
 */
#ifndef CHANCERY_BASE_METRIC_H
#define CHANCERY_BASE_METRIC_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum metric_id {
#define METRIC(name, type, text, help) METRIC_##name,
#include "base/metric.def"
#undef METRIC
    METRIC__COUNT
};

/* The page, for the warden; and joining it, for a child (maps fd, keeps it open or not as the caller likes).
 */
MUST_USE struct err *metric_page_new(int *ret_fd);
MUST_USE struct err *metric_page_join(int fd);

void metric_add(enum metric_id id, uint64_t n);
void metric_set(enum metric_id id, int64_t value);      /* gauges */
void metric_observe_us(enum metric_id id, uint64_t us); /* histograms */
int64_t metric_get(enum metric_id id);
/* Errors by type: label type="bad-csr". */
void metric_error(enum err_code code);

/* Prometheus text exposition 0.0.4 of the whole page, in the arena. */
struct view metric_text(struct arena *arena);

#endif
