/* A file over HTTP or HTTPS from an authority that is not trusted yet: what comes is judged by its
 * fingerprint. */
#include "trust_fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 256 * 1024 };

struct got {
    char *bytes;
    size_t n;
};

static size_t take(char *from, size_t size, size_t n, void *arg)
{
    struct got *got = arg;
    if (size * n > BYTES_MAX - got->n)
        return 0;
    memcpy(got->bytes + got->n, from, size * n);
    got->n += size * n;
    return size * n;
}

static struct err *transfer(CURL *easy, const char *url, struct got *got)
{
    long status = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); /* the fingerprint says whether it is the right one */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "chancery");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, got);
    CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK)
        return err_new(ERR_IO, "%s: %s", url, curl_easy_strerror(code));
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 ? NULL : err_new(ERR_IO, "%s: it answers %ld", url, status);
}

struct err *trust_fetch_url(const char *url, struct arena *arena, struct view *ret)
{
    struct got got = {.bytes = arena_alloc(arena, BYTES_MAX)};
    CURL *easy = curl_easy_init();
    struct err *e = easy ? transfer(easy, url, &got) : err_new(ERR_NOMEM, "no memory for a transfer");
    curl_easy_cleanup(easy);
    if (!e)
        *ret = view_of(got.bytes, got.n);
    return e;
}
