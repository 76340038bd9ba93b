/* base/worker: jobs in order on one thread, done on the loop, exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>

#include "base/worker.h"

struct work {
    struct loop *loop;
    pthread_t loop_thread, job_thread;
    sem_t gate, in_job;
    int jobs, dones, stop_at;
};

static void job(void *arg)
{
    struct work *w = arg;
    w->job_thread = pthread_self();
    w->jobs++;
}

static void waits(void *arg)
{
    struct work *w = arg;
    sem_post(&w->in_job);
    sem_wait(&w->gate);
    w->jobs++;
}

static void done(void *arg)
{
    struct work *w = arg;
    assert_true(pthread_equal(pthread_self(), w->loop_thread));
    if (++w->dones == w->stop_at)
        loop_stop(w->loop);
}

static int setup(void **state)
{
    static struct work w;
    w = (struct work){.loop_thread = pthread_self(), .stop_at = 100};
    sem_init(&w.gate, 0, 0);
    sem_init(&w.in_job, 0, 0);
    *state = &w;
    return loop_new(&w.loop) ? -1 : 0;
}

static int teardown(void **state)
{
    struct work *w = *state;
    loop_free(w->loop);
    sem_destroy(&w->gate);
    sem_destroy(&w->in_job);
    return 0;
}

static void jobs_run_there_and_done_runs_here(void **state)
{
    struct work *w = *state;
    struct worker *worker;
    assert_null(worker_start("test", 1000, &worker));
    for (int i = 0; i < 100; i++)
        assert_null(worker_submit(worker, job, w->loop, done, w));
    loop_run(w->loop);
    assert_int_equal(w->dones, 100);
    worker_stop(worker);
    assert_int_equal(w->jobs, 100);
    assert_false(pthread_equal(w->job_thread, w->loop_thread));
}

static void a_full_queue_refuses(void **state)
{
    struct work *w = *state;
    struct worker *worker;
    assert_null(worker_start("test", 2, &worker));
    assert_null(worker_submit(worker, waits, w->loop, done, w));
    sem_wait(&w->in_job); /* taken off the queue */
    assert_null(worker_submit(worker, job, w->loop, done, w));
    assert_null(worker_submit(worker, job, w->loop, done, w));
    assert_int_equal(worker_queued(worker), 2);
    struct err *e = worker_submit(worker, job, w->loop, done, w);
    assert_int_equal(err_code(e), ERR_BUSY);
    err_free(e);
    sem_post(&w->gate);
    w->stop_at = 3;
    loop_run(w->loop);
    worker_stop(worker);
    assert_int_equal(w->jobs, 3);
}

static void stop_finishes_what_is_queued(void **state)
{
    struct work *w = *state;
    struct worker *worker;
    assert_null(worker_start("test", 1000, &worker));
    assert_null(worker_submit(worker, waits, NULL, NULL, w));
    for (int i = 0; i < 50; i++)
        assert_null(worker_submit(worker, job, NULL, NULL, w));
    sem_post(&w->gate);
    worker_stop(worker);
    assert_int_equal(w->jobs, 51);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(jobs_run_there_and_done_runs_here),
        test(a_full_queue_refuses),
        test(stop_finishes_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
