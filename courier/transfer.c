/*
 * Uploads by libcurl's multi interface, driven by our loop: its sockets are watched here, its one timer is
 * ours. Nothing of an answer is kept but its status. No redirects, no cookies, no proxies from the
 * environment, TLS verified always. The loop's thread; names are looked up by a thread of libcurl's own.
 */
#include "transfer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

enum { CONNECT_S = 10, STALL_S = 30, STALL_BYTES_S = 1024, WHOLE_S = 1800, LINE_MAX_BYTES = 4096 };

struct transfers {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    struct transfer *first;
};

struct transfer {
    struct transfers *all;
    struct transfer *next;
    CURL *easy;
    struct curl_slist *headers;
    int fd;
    off_t at;
    transfer_done *done;
    void *arg;
    char why[CURL_ERROR_SIZE];
};

/* A socket of libcurl's. */
struct watched {
    struct transfers *all;
    curl_socket_t fd;
    struct loop_watch *watch;
};

static void transfer_free(struct transfer *x)
{
    struct transfer **at = &x->all->first;
    while (*at && *at != x)
        at = &(*at)->next;
    if (*at)
        *at = x->next;
    if (x->easy) {
        curl_multi_remove_handle(x->all->multi, x->easy);
        curl_easy_cleanup(x->easy);
    }
    curl_slist_free_all(x->headers);
    if (x->fd >= 0)
        close(x->fd);
    free(x);
}

void transfers_cut(struct transfer *x)
{
    transfer_free(x);
}

static struct err *outcome(const struct transfer *x, CURLcode code)
{
    long status = 0;
    if (code != CURLE_OK)
        return err_new(ERR_IO, "%s", *x->why ? x->why : curl_easy_strerror(code));
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return NULL;
    return err_new(ERR_IO, "it answered with status %ld", status);
}

static void finish(struct transfers *t)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(t->multi, &left)) != NULL) {
        struct transfer *x = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
        struct err *e = outcome(x, m->data.result);
        transfer_done *done = x->done;
        void *arg = x->arg;
        transfer_free(x);
        done(arg, e);
    }
}

/* --- libcurl's sockets and timer --- */

static void act(struct transfers *t, curl_socket_t fd, int what)
{
    int running;
    curl_multi_socket_action(t->multi, fd, what, &running);
    finish(t);
}

static void on_socket_ready(void *arg, int ready)
{
    const struct watched *w = arg;
    act(w->all, w->fd,
        (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *kept)
{
    struct transfers *t = user;
    struct watched *w = kept;
    int wanted = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            loop_unwatch(w->watch);
        free(w);
        curl_multi_assign(t->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        CHECK(w);
        *w = (struct watched){.all = t, .fd = fd};
        w->watch = loop_watch(t->loop, fd, wanted, on_socket_ready, w);
        curl_multi_assign(t->multi, fd, w);
        return 0;
    }
    loop_watch_set(w->watch, wanted);
    return 0;
}

static void on_time(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *user)
{
    struct transfers *t = user;
    (void)multi;
    if (ms < 0)
        loop_timer_clear(t->timer);
    else
        loop_timer_set(t->timer, ms < 1 ? 1 : ms);
    return 0;
}

struct err *transfers_new(struct loop *loop, struct transfers **ret)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_new(ERR_INTERNAL, "libcurl does not start");
    struct transfers *t = calloc(1, sizeof *t);
    CHECK(t);
    t->loop = loop;
    t->multi = curl_multi_init();
    CHECK(t->multi);
    t->timer = loop_timer_new(loop, on_time, t);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    *ret = t;
    return NULL;
}

void transfers_free(struct transfers *t)
{
    if (!t)
        return;
    while (t->first)
        transfer_free(t->first);
    curl_multi_cleanup(t->multi);
    loop_timer_free(t->timer);
    free(t);
}

/* --- one upload --- */

static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct transfer *x = arg;
    ssize_t got = pread(x->fd, to, size * n, x->at);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    x->at += got;
    return (size_t)got;
}

static int seek(void *arg, curl_off_t at, int from)
{
    struct transfer *x = arg;
    if (from != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    x->at = at;
    return CURL_SEEKFUNC_OK;
}

static size_t drop(char *p, size_t size, size_t n, void *arg)
{
    (void)p, (void)arg;
    return size * n;
}

static void add_header(struct transfer *x, const char *line)
{
    x->headers = curl_slist_append(x->headers, line);
    CHECK(x->headers);
}

static struct err *set_up(struct transfer *x, const struct transfer_put *put, off_t bytes)
{
    char type[LINE_MAX_BYTES];
    CURL *c = x->easy;
    snprintf(type, sizeof type, "Content-Type: %s", put->type);
    add_header(x, type);
    add_header(x, "Expect:"); /* without a round trip of its own */
    if (put->header)
        add_header(x, put->header);
    curl_easy_setopt(c, CURLOPT_PRIVATE, x);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->why);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "chancery");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)WHOLE_S);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_READDATA, x);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, seek);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, x);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
    if (put->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, put->ca_file);
    if (curl_easy_setopt(c, CURLOPT_URL, put->url) != CURLE_OK)
        return err_new(ERR_IO, "not an address that can be reached");
    return NULL;
}

struct err *transfers_put(struct transfers *t, const struct transfer_put *put, transfer_done *done, void *arg,
                          struct transfer **ret)
{
    struct err *e = NULL;
    struct stat st;
    struct transfer *x = calloc(1, sizeof *x);
    CHECK(x);
    *x = (struct transfer){.all = t, .fd = -1, .done = done, .arg = arg};
    if (fstat(put->fd, &st) != 0 || !S_ISREG(st.st_mode))
        TRY(err_new(ERR_PROTOCOL, "what is to be sent is no file"));
    x->easy = curl_easy_init();
    CHECK(x->easy);
    TRY(set_up(x, put, st.st_size));
    if (curl_multi_add_handle(t->multi, x->easy) != CURLM_OK)
        TRY(err_new(ERR_BUSY, "no transfer can be begun"));
    x->fd = put->fd;
    x->next = t->first;
    t->first = x;
    *ret = x;
    return NULL;
out:
    transfer_free(x);
    return e;
}
