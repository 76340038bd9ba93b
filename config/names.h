/* Own names and URLs as text. Private to config. */
#ifndef CHANCERY_CONFIG_NAMES_H
#define CHANCERY_CONFIG_NAMES_H

#include "base/arena.h"

/* scheme://host[:port] and perhaps a path, without query and end slash. */
bool names_url_ok(const char *url);
/* "https://[::1]:8443/x" -> "::1"; of a URL that is ok. */
const char *names_url_host(struct arena *arena, const char *url);

/* "dns:ca.example" or "ip:127.0.0.1", the kind read off the text where it is not said; NULL where it is
 * neither. */
const char *names_own(struct arena *arena, const char *text);

#endif
