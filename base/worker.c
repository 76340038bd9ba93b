/*
 * A worker: one thread and a queue under one mutex. The job runs here, then `done` is posted to its loop. The
 * thread takes no signals. Never drops a job: stop finishes what is queued, then joins.
 */
#include "base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct job {
    struct job *next;
    void (*job)(void *arg);
    struct loop *loop;
    void (*done)(void *arg);
    void *arg;
};

struct worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct job *first;
    struct job **last;
    size_t queued;
    size_t max_queued;
    bool stopping;
    char name[16];
};

/* The next job, or NULL where the worker is to end. Waits. */
static struct job *take(struct worker *w)
{
    pthread_mutex_lock(&w->mutex);
    while (!w->first && !w->stopping)
        pthread_cond_wait(&w->more, &w->mutex);
    struct job *j = w->first;
    if (j) {
        w->first = j->next;
        if (!w->first)
            w->last = &w->first;
        w->queued--;
    }
    pthread_mutex_unlock(&w->mutex);
    return j;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct job *j;
    while ((j = take(w)) != NULL) {
        j->job(j->arg);
        if (j->done)
            loop_post(j->loop, j->done, j->arg);
        free(j);
    }
    return NULL;
}

/* Signals belong to the loop's thread: the new thread inherits a mask that blocks all. */
static int start_thread(struct worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_setname_np(w->thread, w->name);
    return rc;
}

struct err *worker_start(const char *name, size_t max_queued, struct worker **ret)
{
    CHECK(strlen(name) < sizeof((*ret)->name));
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return err_new(ERR_NOMEM, "no memory for a worker");
    memcpy(w->name, name, strlen(name));
    w->max_queued = max_queued;
    w->last = &w->first;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->more, NULL);
    int rc = start_thread(w);
    if (rc != 0) {
        pthread_cond_destroy(&w->more);
        pthread_mutex_destroy(&w->mutex);
        free(w);
        return err_sys(ERR_NOMEM, rc, "thread %s cannot be started", name);
    }
    *ret = w;
    return NULL;
}

struct err *worker_submit(struct worker *w, void (*job)(void *arg), struct loop *loop,
                          void (*done)(void *arg), void *arg)
{
    CHECK(loop || !done);
    struct job *j = malloc(sizeof(*j));
    if (!j)
        return err_new(ERR_NOMEM, "no memory for a job");
    *j = (struct job){NULL, job, loop, done, arg};
    pthread_mutex_lock(&w->mutex);
    CHECK(!w->stopping);
    bool full = w->queued >= w->max_queued;
    if (!full) {
        *w->last = j;
        w->last = &j->next;
        w->queued++;
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->mutex);
    if (!full)
        return NULL;
    free(j);
    return err_new(ERR_BUSY, "%zu jobs are waiting, the limit", w->max_queued);
}

size_t worker_queued(const struct worker *w)
{
    struct worker *unlocked = (struct worker *)(uintptr_t)w; /* the mutex alone is changed */
    pthread_mutex_lock(&unlocked->mutex);
    size_t n = w->queued;
    pthread_mutex_unlock(&unlocked->mutex);
    return n;
}

void worker_stop(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
