/*
 * Counters, gauges and histograms in one shared page, and their text for Prometheus. The page's layout
 * follows metric.def; processes of one start run one program, so they agree. What another process wrote is
 * shown, never trusted. Never blocks, never fails. Any thread.
 */
#include "base/metric.h"
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum type { COUNTER, GAUGE, HISTOGRAM };

struct row {
    enum type type;
    const char *name, *help;
};

static const struct row rows[METRIC__COUNT] = {
#define METRIC(name, type, text, help) [METRIC_##name] = {type, text, help},
#include "base/metric.def"
#undef METRIC
};

/* Upper bounds in microseconds, 0.5 ms to 10 s; the last bucket takes the rest. */
static const uint32_t bounds_us[] = {500,    1000,   2500,   5000,    10000,   25000,   50000,
                                     100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
enum { BOUNDS = sizeof bounds_us / sizeof *bounds_us };

struct histogram {
    _Atomic uint64_t buckets[BOUNDS + 1]; /* not cumulative */
    _Atomic uint64_t sum_us;
};

struct page {
    _Atomic uint64_t values[METRIC__COUNT];
    struct histogram histograms[METRIC__COUNT]; /* of the rows that are one; the others stay zero */
    _Atomic uint64_t errors[ERR__COUNT];
};

/* The process-wide state: the page in use. Set once by main, before any thread. */
static struct page private_page;
static _Atomic(struct page *) joined = &private_page;

static struct page *page(void)
{
    return atomic_load_explicit(&joined, memory_order_acquire);
}

struct err *metric_page_new(int *ret_fd)
{
    int fd = memfd_create("chancery-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_sys(ERR_IO, errno, "cannot make the metric page");
    /* Sealed in size: a child that goes wrong cannot take the ground from under the others. */
    if (ftruncate(fd, sizeof(struct page)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        struct err *e = err_sys(ERR_IO, errno, "cannot size the metric page");
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return NULL;
}

struct err *metric_page_join(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_sys(ERR_IO, errno, "cannot look at the metric page");
    if (st.st_size != (off_t)sizeof(struct page))
        return err_new(ERR_PROTOCOL, "the metric page has %lld octets, not %zu", (long long)st.st_size,
                       sizeof(struct page));
    void *p = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(ERR_IO, errno, "cannot map the metric page");
    atomic_store_explicit(&joined, p, memory_order_release);
    return NULL;
}

static void add(_Atomic uint64_t *value, uint64_t n)
{
    atomic_fetch_add_explicit(value, n, memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void metric_add(enum metric_id id, uint64_t n)
{
    CHECK((unsigned)id < METRIC__COUNT && rows[id].type != HISTOGRAM);
    add(&page()->values[id], n);
}

void metric_set(enum metric_id id, int64_t value)
{
    CHECK((unsigned)id < METRIC__COUNT && rows[id].type == GAUGE);
    atomic_store_explicit(&page()->values[id], (uint64_t)value, memory_order_relaxed);
}

void metric_observe_us(enum metric_id id, uint64_t us)
{
    size_t i = 0;
    CHECK((unsigned)id < METRIC__COUNT && rows[id].type == HISTOGRAM);
    struct histogram *h = &page()->histograms[id];
    while (i < BOUNDS && us > bounds_us[i])
        i++;
    add(&h->buckets[i], 1);
    add(&h->sum_us, us);
}

static uint64_t observed(struct histogram *h)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= BOUNDS; i++)
        n += get(&h->buckets[i]);
    return n;
}

int64_t metric_get(enum metric_id id)
{
    CHECK((unsigned)id < METRIC__COUNT);
    if (rows[id].type == HISTOGRAM)
        return (int64_t)observed(&page()->histograms[id]);
    return (int64_t)get(&page()->values[id]);
}

void metric_error(enum err_code code)
{
    CHECK((unsigned)code < ERR__COUNT);
    add(&page()->errors[code], 1);
}

/* --- text --- */

enum { TEXT_BYTES = 64 * 1024 };

struct text {
    char *p;
    size_t n;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->p + t->n, TEXT_BYTES - t->n, fmt, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < TEXT_BYTES - t->n); /* all of it stands in our own tables */
    t->n += (size_t)n;
}

static void put_head(struct text *t, const char *name, const char *help, enum type type)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};
    put(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, names[type]);
}

static void put_seconds(struct text *t, uint64_t us)
{
    put(t, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void put_histogram(struct text *t, const char *name, struct histogram *h)
{
    uint64_t below = 0; /* counted from what is printed, so that _count is the last bucket */
    for (size_t i = 0; i < BOUNDS; i++) {
        below += get(&h->buckets[i]);
        put(t, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds_us[i] / 1e6, below);
    }
    below += get(&h->buckets[BOUNDS]);
    put(t, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, below, name);
    put_seconds(t, get(&h->sum_us));
    put(t, "\n%s_count %" PRIu64 "\n", name, below);
}

static void put_row(struct text *t, struct page *p, size_t i)
{
    put_head(t, rows[i].name, rows[i].help, rows[i].type);
    if (rows[i].type == HISTOGRAM)
        put_histogram(t, rows[i].name, &p->histograms[i]);
    if (rows[i].type == COUNTER)
        put(t, "%s %" PRIu64 "\n", rows[i].name, get(&p->values[i]));
    if (rows[i].type == GAUGE)
        put(t, "%s %" PRId64 "\n", rows[i].name, (int64_t)get(&p->values[i]));
}

struct view metric_text(struct arena *arena)
{
    struct text t = {arena_alloc(arena, TEXT_BYTES), 0};
    struct page *p = page();
    for (size_t i = 0; i < METRIC__COUNT; i++)
        put_row(&t, p, i);
    put_head(&t, "chancery_errors_total", "Errors given to askers, by problem type.", COUNTER);
    for (size_t i = 0; i < ERR__COUNT; i++)
        put(&t, "chancery_errors_total{type=\"%s\"} %" PRIu64 "\n", err_row((enum err_code)i)->type,
            get(&p->errors[i]));
    return view_of(t.p, t.n);
}
