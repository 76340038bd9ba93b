/*
 * Evidence: what the vault must have seen of the asker before it seals a certificate by a template that says
 * so. A template with `approval` asks for an act of kind `certificate` that administrators have approved: its
 * payload holds the certificate to be but for what is not known yet,
 *
 *     Wanted ::= SEQUENCE { name UTF8String ("chancery-wanted"), issuer, template, asker UTF8String,
 *                           needed INTEGER, form OCTET STRING, request OCTET STRING (the front's own) }
 *     Form   ::= SEQUENCE { life INTEGER (notAfter - notBefore, seconds, at most), subject Name, spki
 *                           SubjectPublicKeyInfo, SEQUENCE OF Extension }
 *
 * Serial and dates come later, and so does the issuer's own distribution point, which may be of another
 * partition by then: all of these are the vault's and the template's to judge. Pure functions; any thread.
 */
#ifndef CHANCERY_HSM_PROOF_H
#define CHANCERY_HSM_PROOF_H

#include "cert/tbs.h"
#include "hsm_books.h"
#include "templates.h"

enum hsm_proof_kind {
    HSM_PROOF_APPROVED = 1, /* what: `Approved` (hsm_act.h); over: Wanted */
};

enum { HSM_PROOFS_MAX = 4, HSM_WANTED_MAX_BYTES = 90 * 1024 };

struct hsm_proof {
    enum hsm_proof_kind kind;
    struct view what, over;
};

/* Of this tbs, by an issuer with these facts. */
MUST_USE struct err *hsm_form_write(const struct cert_tbs *tbs, const struct templates_issuer *issuer,
                                    int64_t life_s, struct arena *arena, struct view *ret);
/* For people's eyes: what stands in a form. */
struct hsm_form {
    int64_t life_s;
    struct view subject, spki;
    const struct cert_ext *exts;
    size_t exts_n;
};
MUST_USE struct err *hsm_form_read(struct view der, struct arena *arena, struct hsm_form *ret);

struct hsm_wanted {
    const char *issuer, *template, *asker;
    unsigned needed;
    struct view form, request;
};
MUST_USE struct err *hsm_wanted_write(const struct hsm_wanted *w, struct arena *arena, struct view *ret);
MUST_USE struct err *hsm_wanted_read(struct view der, struct arena *arena, struct hsm_wanted *ret);

/* People who must approve a certificate by this template: the template's number, or the roster's. */
unsigned hsm_proof_needed(const struct hsm_roster *roster, const struct templates_approval *approval);

#endif
