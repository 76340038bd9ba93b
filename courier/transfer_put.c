/*
 * Uploads. Nothing of an answer is kept but its status. No redirects, no cookies, TLS verified always; names
 * are looked up by a thread of libcurl's own. The loop's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "transfer_kind.h"

enum { CONNECT_S = 10, STALL_S = 30, STALL_BYTES_S = 1024, WHOLE_S = 1800, LINE_MAX_BYTES = 4096 };

struct put {
    struct transfer transfer; /* first */
    struct curl_slist *headers;
    int fd;
    off_t at;
    transfer_done *done;
    void *arg;
    char why[CURL_ERROR_SIZE];
};

static void release(struct transfer *x)
{
    struct put *p = (struct put *)x;
    curl_slist_free_all(p->headers);
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

static struct err *outcome(const struct put *p, CURLcode code)
{
    long status = 0;
    if (code != CURLE_OK)
        return err_new(ERR_IO, "%s", *p->why ? p->why : curl_easy_strerror(code));
    curl_easy_getinfo(p->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return NULL;
    return err_new(ERR_IO, "it answered with status %ld", status);
}

static void end(struct transfer *x, CURLcode code)
{
    struct put *p = (struct put *)x;
    struct err *e = outcome(p, code);
    transfer_done *done = p->done;
    void *arg = p->arg;
    transfers_cut(x);
    done(arg, e);
}

static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct put *p = arg;
    ssize_t got = pread(p->fd, to, size * n, p->at);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    p->at += got;
    return (size_t)got;
}

static int seek(void *arg, curl_off_t at, int from)
{
    struct put *p = arg;
    if (from != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    p->at = at;
    return CURL_SEEKFUNC_OK;
}

static size_t drop(char *from, size_t size, size_t n, void *arg)
{
    (void)from, (void)arg;
    return size * n;
}

static void add_header(struct put *p, const char *line)
{
    p->headers = curl_slist_append(p->headers, line);
    CHECK(p->headers);
}

static struct err *set_up(struct put *p, const struct transfer_put *put, off_t bytes)
{
    char type[LINE_MAX_BYTES];
    CURL *c = p->transfer.easy;
    snprintf(type, sizeof type, "Content-Type: %s", put->type);
    add_header(p, type);
    add_header(p, "Expect:"); /* without a round trip of its own */
    if (put->header)
        add_header(p, put->header);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->why);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)WHOLE_S);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_READDATA, p);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, seek);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, p);
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
    struct put *p = calloc(1, sizeof *p);
    CHECK(p);
    *p = (struct put){.transfer = {.end = end, .release = release}, .fd = -1, .done = done, .arg = arg};
    transfer_init(&p->transfer, t);
    if (fstat(put->fd, &st) != 0 || !S_ISREG(st.st_mode))
        TRY(err_new(ERR_PROTOCOL, "what is to be sent is no file"));
    TRY(set_up(p, put, st.st_size));
    TRY(transfer_start(&p->transfer));
    p->fd = put->fd;
    *ret = &p->transfer;
    return NULL;
out:
    transfers_cut(&p->transfer);
    return e;
}
