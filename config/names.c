/*
 * The daemon's own names and URLs as text: what is accepted in the configuration, and in which form it goes
 * on. They stand in certificates, so nothing odd is let through. No I/O, nothing is looked up; any thread.
 */
#include "names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

bool names_url_ok(const char *url)
{
    const char *rest = strstr(url, "://");
    size_t n = strlen(url);

    if (!rest || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return false;
    rest += 3;
    if (*rest == 0 || *rest == '/' || *rest == ':' || url[n - 1] == '/')
        return false;
    for (; *rest; rest++)
        if (!isalnum((unsigned char)*rest) && !strchr("-._~:/[]%", *rest))
            return false;
    return true;
}

const char *names_url_host(struct arena *arena, const char *url)
{
    const char *host = strstr(url, "://") + 3;
    if (*host == '[')
        return arena_str(arena, view_of(host + 1, strcspn(host + 1, "]")));
    return arena_str(arena, view_of(host, strcspn(host, ":/")));
}

static bool dns_ok(const char *name)
{
    size_t n = strlen(name), label = 0;

    if (n == 0 || n > 253)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '.' && (label == 0 || name[i - 1] == '-'))
            return false;
        if (name[i] == '-' && label == 0)
            return false;
        if (name[i] != '.' && name[i] != '-' && !islower((unsigned char)name[i]) &&
            !isdigit((unsigned char)name[i]))
            return false;
        label = name[i] == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0 && name[n - 1] != '-';
}

const char *names_own(struct arena *arena, const char *text)
{
    uint8_t address[sizeof(struct in6_addr)];
    char written[INET6_ADDRSTRLEN];
    const char *bare = text;

    if (strncmp(text, "dns:", 4) == 0)
        return dns_ok(text + 4) ? text : NULL;
    if (strncmp(text, "ip:", 3) == 0)
        bare = text + 3;
    for (int family = AF_INET;; family = AF_INET6) {
        if (inet_pton(family, bare, address) == 1)
            return arena_printf(arena, "ip:%s", inet_ntop(family, address, written, sizeof written));
        if (family == AF_INET6)
            break;
    }
    return bare == text && dns_ok(text) ? arena_printf(arena, "dns:%s", text) : NULL;
}
