/*
 * A template as it lies in memory: the values of its file (fields.def says where each goes), and below each
 * group what load made of them. Written by load alone; read by any thread.
 */
#ifndef CHANCERY_TEMPLATES_TEMPLATE_H
#define CHANCERY_TEMPLATES_TEMPLATE_H

#include "base/conf.h"
#include "cert/alg.h"
#include "cert/ext.h"
#include "cert/ext_constraints.h"
#include "cert/name.h"
#include "cert/san.h"
#include "template_limits.h"
#include "template_tree.h"

enum {
    SUBJECT_ATTRS = 22, /* attribute types with a short name, in subject.c */
    BACKDATE_MAX_S = 48 * 3600,
};
#define VALIDITY_MAX_S INT64_C(3153600000) /* 100 years */

enum group {
#define GROUP(id, key, doc) GROUP_##id,
#define FIELD(...)
#include "fields.def"
#undef GROUP
#undef FIELD
    GROUP__COUNT
};

/* Where a value may come from, in the order in which sources count. */
enum source {
    SOURCE_TEMPLATE = 1u,
    SOURCE_REQUEST = 2u, /* beside the CSR */
    SOURCE_CSR = 4u,
    SOURCE_ISSUER = 8u, /* its configuration */
    SOURCE_ASKED = SOURCE_REQUEST | SOURCE_CSR,
};

/* What is not taken from a source: the request is refused, or the value dropped. */
enum source_other { SOURCE_REFUSE, SOURCE_DROP };

struct template_from {
    struct conf_texts texts;
    int other;     /* enum source_other */
    unsigned mask; /* enum source */
};

enum subject_other { SUBJECT_REFUSE, SUBJECT_DROP };
enum subject_cn { SUBJECT_CN_SAN, SUBJECT_CN_FREE };

struct template_head {
    const char *given_name; /* "": the file's */
    const char *extends;    /* "": none */
    const char *description;
    bool internal, enabled, baseline, caa;
    struct conf_texts issuers;
    struct conf_texts asker_texts;
    int64_t ceiling_per_hour;
    unsigned askers;                     /* enum templates_asker */
    const json_t *overrides_tree;        /* during load only */
    struct template_override *overrides; /* one for each row of analyser.def */
};

struct template_validity {
    int64_t default_s, max_s, backdate_s, jitter_s;
    const char *until_text, *computed_text;
    const struct expr *computed; /* NULL: default_s counts */
    int64_t until;               /* INT64_MAX: left out */
};

struct template_keys {
    struct conf_texts allow_texts;
    int64_t rsa_min, rsa_max;
    unsigned allow; /* 1 << enum cert_key_kind */
};

struct template_subject {
    const json_t *fixed_tree, *patterns_tree; /* during load only */
    struct conf_texts allow_texts, require_texts;
    int other; /* enum subject_other */
    int cn;    /* enum subject_cn */
    bool from_csr, from_request;
    uint32_t allow, require, fixed_set, patterned; /* 1 << attribute */
    const char *fixed[SUBJECT_ATTRS];              /* NULL: not fixed */
    struct conf_texts patterns[SUBJECT_ATTRS];
    const json_t *from_tree; /* during load only */
    struct template_tree computed_tree;
    uint32_t sourced; /* those that `from` names */
    struct conf_texts forbid_texts, order_texts;
    uint32_t forbid;                            /* 1 << attribute */
    unsigned sources[SUBJECT_ATTRS];            /* enum source, of each that may be given */
    unsigned ordered[SUBJECT_ATTRS];            /* attributes in the order in which they are written */
    const struct expr *computed[SUBJECT_ATTRS]; /* NULL: not computed */
    uint32_t computed_set;
    uint32_t own_set; /* fixed, or computed from what no asker says */
};

struct template_sans {
    struct conf_texts kind_texts;
    int64_t min, max, wildcard_labels;
    bool wildcard, from_cn, from_csr, from_request;
    struct conf_texts allow, deny;
    struct conf_texts computed_texts;
    struct expr *computed; /* as many; each gives a name or a list of them */
    int other;             /* enum source_other */
    unsigned kinds;        /* 1 << enum cert_san_kind; 0: no SANs */
};

struct template_key_usage {
    struct conf_texts usage_texts, rsa_texts, allow_texts;
    bool critical;
    unsigned usages, rsa; /* CERT_KU_ masks; 0: no extension */
    unsigned allow;       /* what may be asked for */
    struct template_from from;
};

struct template_ext_key_usage {
    struct conf_texts usage_texts, allow_texts;
    bool critical;
    struct view *oids;
    size_t n; /* 0: no extension */
    struct view *allow;
    size_t allow_n; /* 0: any that may be asked for at all */
    struct template_from from;
};

struct template_constraints {
    bool present, ca, critical;
    int64_t path_len; /* -1: none */
    struct template_from from;
};

struct template_pointers {
    bool ocsp, crl, issuer, ocsp_nocheck, no_rev_avail;
    struct conf_texts freshest_crl;
    struct template_from crl_from;
};

struct template_name_constraints {
    struct conf_texts permitted, excluded;
};

struct template_policies {
    struct template_tree values;
    bool critical;
};

struct template_policy_constraints {
    int64_t require_explicit, inhibit_mapping, inhibit_any; /* -1: left out */
};

struct template_microsoft {
    const char *template_name, *template_oid, *sid; /* "": none */
    int64_t major, minor;                           /* -1: none */
};

enum { READY_MAX = 12, CUSTOM_MAX = 10 };

struct template_custom {
    const json_t *values_tree; /* during load only */
    struct cert_ext *values;
    size_t n;
    struct conf_texts allow_texts;
    struct view *allow;
    size_t allow_n; /* 0: any without a group of its own */
    struct template_from from;
};

struct template
{
    const char *name;
    const json_t *nodes[GROUP__COUNT]; /* during load only */
    const struct templates_file *file; /* during load only */
    const struct template *parent;     /* that it extends, or NULL */
    struct template_head head;
    struct template_limits limits;
    struct template_approval approval;
    struct template_validity validity;
    struct template_keys keys;
    struct template_subject subject;
    struct template_sans sans;
    struct template_key_usage key_usage;
    struct template_ext_key_usage ext_key_usage;
    struct template_constraints constraints;
    struct template_pointers pointers;
    struct template_name_constraints name_constraints;
    struct template_policies policies;
    struct template_policy_constraints policy_constraints;
    struct template_tree info_access, directory;
    struct conf_texts tls_features;
    struct template_microsoft microsoft;
    struct template_custom custom;
    struct template_conditions conditions;
    struct cert_ext ready[READY_MAX]; /* the same in every certificate */
    size_t ready_n;
};

#endif
