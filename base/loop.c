/*
 * The event loop: libevent for descriptors and signals, a heap of our own for timers (so that they follow
 * world_mono_ms), an eventfd and a list under a mutex for what other threads post. One turn: wait, run what
 * is ready, run the timers that are due, then what was left for the end of the turn. One thread, but for
 * loop_post and loop_stop.
 */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/world.h"

/* A wait is never longer while a timer is set: a moved clock or a machine that slept is noticed within it. */
#define WAIT_MAX_MS 1000
#define NEVER       INT64_MAX
#define NO_CLOCK    INT64_MIN

struct task {
    void (*fn)(void *arg);
    void *arg;
};
struct tasks {
    struct task *v;
    size_t n, cap;
};

struct loop_watch {
    struct loop *loop;
    struct event read, write;
    int what;
    void (*fn)(void *arg, int ready);
    void *arg;
};

/* due is when to run; key is where it stands in the heap, never later than due. Pushing a timer out (what
 * deadlines do with every request) so costs nothing; it is sorted anew when key comes up. */
struct loop_timer {
    struct loop *loop;
    int64_t due, key;
    size_t at; /* index in the heap + 1; 0 where not in it */
    void (*fn)(void *arg);
    void *arg;
};

struct loop_sig {
    struct loop_sig *next;
    struct event *event;
    void (*fn)(void *arg, int signo);
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *wake, *tick;
    struct loop_sig *signals;
    int wake_fd;
    atomic_bool stop;
    pthread_mutex_t mutex; /* guards posted */
    struct tasks posted;
    struct tasks posted_now; /* swapped with posted when run */
    struct tasks after, after_now;
    struct loop_timer **heap;
    size_t heap_n, heap_cap;
    bool in_turn;
    int64_t *now_ms; /* of this turn, or NO_CLOCK; behind a pointer so that reading stays const */
};

static void tasks_put(struct tasks *t, void (*fn)(void *arg), void *arg)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 16;
        struct task *v = realloc(t->v, cap * sizeof(*v));
        CHECK(v);
        t->v = v;
        t->cap = cap;
    }
    t->v[t->n++] = (struct task){fn, arg};
}

static void tasks_run(struct tasks *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->v[i].fn(t->v[i].arg);
    t->n = 0;
}

static void tasks_swap(struct tasks *a, struct tasks *b)
{
    struct tasks t = *a;
    *a = *b;
    *b = t;
}

/* ---- heap of timers, the least key first ---- */

static void heap_place(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->at = i + 1;
}

static void heap_up(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];
    for (; i > 0 && l->heap[(i - 1) / 2]->key > t->key; i = (i - 1) / 2)
        heap_place(l, i, l->heap[(i - 1) / 2]);
    heap_place(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= l->heap_n)
            break;
        if (child + 1 < l->heap_n && l->heap[child + 1]->key < l->heap[child]->key)
            child++;
        if (l->heap[child]->key >= t->key)
            break;
        heap_place(l, i, l->heap[child]);
        i = child;
    }
    heap_place(l, i, t);
}

static void heap_remove(struct loop *l, struct loop_timer *t)
{
    if (t->at == 0)
        return;
    size_t i = t->at - 1;
    t->at = 0;
    struct loop_timer *last = l->heap[--l->heap_n];
    if (last == t)
        return;
    heap_place(l, i, last);
    heap_up(l, i);
    heap_down(l, last->at - 1);
}

static void heap_put(struct loop *l, struct loop_timer *t)
{
    if (l->heap_n == l->heap_cap) {
        size_t cap = l->heap_cap ? l->heap_cap * 2 : 16;
        struct loop_timer **heap = realloc(l->heap, cap * sizeof(struct loop_timer *));
        CHECK(heap);
        l->heap = heap;
        l->heap_cap = cap;
    }
    t->key = t->due;
    heap_place(l, l->heap_n++, t);
    heap_up(l, l->heap_n - 1);
}

static void timers_run(struct loop *l)
{
    int64_t now = loop_now_ms(l);
    while (l->heap_n > 0 && l->heap[0]->key <= now) {
        struct loop_timer *t = l->heap[0];
        heap_remove(l, t);
        if (t->due > now) {
            if (t->due != NEVER)
                heap_put(l, t);
            continue;
        }
        t->due = NEVER;
        t->fn(t->arg); /* may set it again, or free it */
    }
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct loop_timer *t = calloc(1, sizeof(*t));
    CHECK(t);
    *t = (struct loop_timer){.loop = l, .due = NEVER, .fn = fn, .arg = arg};
    return t;
}

void loop_timer_set(struct loop_timer *t, int64_t ms)
{
    CHECK(ms >= 0);
    /* A timer set while timers run is not due in this turn: 0 means the next turn, not an endless one. */
    t->due = loop_now_ms(t->loop) + (ms > 0 ? ms : 1);
    if (t->at != 0 && t->key <= t->due)
        return;
    heap_remove(t->loop, t);
    heap_put(t->loop, t);
}

void loop_timer_clear(struct loop_timer *t)
{
    t->due = NEVER;
}

void loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    heap_remove(t->loop, t);
    free(t);
}

/* ---- posting ---- */

static void wake(struct loop *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->wake_fd, &one, sizeof(one)); /* fails only where the counter is full: awake anyway */
    (void)n;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop *l = arg;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n;
    pthread_mutex_lock(&l->mutex);
    tasks_swap(&l->posted, &l->posted_now);
    pthread_mutex_unlock(&l->mutex);
    tasks_run(&l->posted_now);
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&l->mutex);
    bool first = l->posted.n == 0;
    tasks_put(&l->posted, fn, arg);
    pthread_mutex_unlock(&l->mutex);
    if (first)
        wake(l);
}

void loop_after_turn(struct loop *l, void (*fn)(void *arg), void *arg)
{
    tasks_put(&l->after, fn, arg);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stop, true);
    wake(l);
}

/* ---- turns ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void arm_tick(struct loop *l)
{
    if (l->heap_n == 0)
        return;
    int64_t ms = l->heap[0]->key - world_mono_ms();
    ms = ms < 0 ? 0 : ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    event_add(l->tick, &tv);
}

static void turn(struct loop *l)
{
    arm_tick(l);
    *l->now_ms = NO_CLOCK;
    l->in_turn = true;
    event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | (l->after.n > 0 ? EVLOOP_NONBLOCK : 0));
    timers_run(l);
    tasks_swap(&l->after, &l->after_now);
    tasks_run(&l->after_now);
    l->in_turn = false;
}

void loop_run(struct loop *l)
{
    while (!atomic_exchange(&l->stop, false))
        turn(l);
}

int64_t loop_now_ms(const struct loop *l)
{
    if (!l->in_turn)
        return world_mono_ms();
    if (*l->now_ms == NO_CLOCK)
        *l->now_ms = world_mono_ms();
    return *l->now_ms;
}

struct event_base *loop_event_base(struct loop *l)
{
    return l->base;
}

/* ---- descriptors ---- */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct loop_watch *w = arg;
    w->fn(w->arg, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
}

struct loop_watch *loop_watch(struct loop *l, int fd, int what, void (*fn)(void *arg, int ready), void *arg)
{
    struct loop_watch *w = calloc(1, sizeof(*w));
    CHECK(w);
    *w = (struct loop_watch){.loop = l, .fn = fn, .arg = arg};
    CHECK(event_assign(&w->read, l->base, fd, EV_READ | EV_PERSIST, on_ready, w) == 0);
    CHECK(event_assign(&w->write, l->base, fd, EV_WRITE | EV_PERSIST, on_ready, w) == 0);
    loop_watch_set(w, what);
    return w;
}

void loop_watch_set(struct loop_watch *w, int what)
{
    int change = w->what ^ what;
    w->what = what;
    if (change & LOOP_READ)
        CHECK((what & LOOP_READ ? event_add(&w->read, NULL) : event_del(&w->read)) == 0);
    if (change & LOOP_WRITE)
        CHECK((what & LOOP_WRITE ? event_add(&w->write, NULL) : event_del(&w->write)) == 0);
}

void loop_unwatch(struct loop_watch *w)
{
    if (!w)
        return;
    event_del(&w->read);
    event_del(&w->write);
    free(w);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    (void)what;
    struct loop_sig *s = arg;
    s->fn(s->arg, signo);
}

void loop_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
    struct loop_sig *s = calloc(1, sizeof(*s));
    CHECK(s);
    *s = (struct loop_sig){.next = l->signals, .fn = fn, .arg = arg};
    s->event = evsignal_new(l->base, signo, on_signal, s);
    CHECK(s->event && event_add(s->event, NULL) == 0);
    l->signals = s;
}

/* ---- birth and death ---- */

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct err *loop_new(struct loop **ret)
{
    struct err *e = NULL;
    struct loop *l = calloc(1, sizeof(*l));
    if (!l)
        return err_new(ERR_NOMEM, "no memory for an event loop");
    pthread_mutex_init(&l->mutex, NULL);
    l->now_ms = calloc(1, sizeof(*l->now_ms));
    l->base = base_new();
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!l->now_ms || !l->base || l->wake_fd < 0) {
        e = err_sys(ERR_NOMEM, errno, "an event loop cannot be made");
        loop_free(l);
        return e;
    }
    l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
    l->tick = event_new(l->base, -1, 0, on_tick, l);
    CHECK(l->wake && l->tick && event_add(l->wake, NULL) == 0);
    *ret = l;
    return NULL;
}

static void free_events(struct loop *l)
{
    while (l->signals) {
        struct loop_sig *s = l->signals;
        l->signals = s->next;
        event_free(s->event);
        free(s);
    }
    if (l->wake)
        event_free(l->wake);
    if (l->tick)
        event_free(l->tick);
    if (l->base)
        event_base_free(l->base);
}

/* What was left for the end of the turn still runs (owners free themselves there); what was posted does not.
 */
void loop_free(struct loop *l)
{
    if (!l)
        return;
    while (l->after.n > 0) {
        tasks_swap(&l->after, &l->after_now);
        tasks_run(&l->after_now);
    }
    free_events(l);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    pthread_mutex_destroy(&l->mutex);
    free(l->posted.v);
    free(l->posted_now.v);
    free(l->after.v);
    free(l->after_now.v);
    free(l->heap);
    free(l->now_ms);
    free(l);
}
