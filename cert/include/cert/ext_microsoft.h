/*
 * Microsoft's extensions (MS-WCCE 2.2.2.7.7): which template of a Windows authority a certificate stands for,
 * and the security identifier of the account it belongs to. Written as Windows writes them, never critical;
 * errors as in ext.h. Pure; any thread.
 */
#ifndef CHANCERY_CERT_EXT_MICROSOFT_H
#define CHANCERY_CERT_EXT_MICROSOFT_H

#include "cert/ext.h"

/* 1.3.6.1.4.1.311.20.2, a BMPString: the template's name, UTF-8 here, 1 to 255 characters of the Basic
 * Multilingual Plane. */
MUST_USE struct err *cert_ext_write_ms_template_name(const char *name, struct arena *arena,
                                                     struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_ms_template_name(struct view value, struct arena *arena, const char **ret);

/* 1.3.6.1.4.1.311.21.7: the template's OID and version. */
struct cert_ms_template {
    struct view oid;
    int64_t major, minor; /* 0 to 2^32 - 1; -1: left out (minor only with major) */
};
MUST_USE struct err *cert_ext_write_ms_template(const struct cert_ms_template *t, struct arena *arena,
                                                struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_ms_template(struct view value, struct cert_ms_template *ret);

/* 1.3.6.1.4.1.311.25.2: "S-1-5-21-...-1104" (MS-DTYP 2.4.2.1), as an otherName. */
MUST_USE struct err *cert_ext_write_ms_security(const char *sid, struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_ms_security(struct view value, struct arena *arena, const char **ret_sid);

#endif
