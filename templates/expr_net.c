/*
 * Functions of expressions over names, by the patterns of templates and grants, and over addresses.
 *
 * Any thread.
 */
#include "expr_node.h"

#include "pattern.h"

static bool covered(struct view text, const struct expr_value *patterns)
{
    struct pattern name;
    for (size_t i = 0; pattern_name_parse(text, &name) && i < patterns->n_list; i++) {
        if (pattern_covers(pattern_parse(patterns->list[i].s), name))
            return true;
    }
    return false;
}

static struct err *patterns_ok(const struct expr_value *patterns)
{
    struct err *e = NULL;
    for (size_t i = 0; i < patterns->n_list; i++)
        TRY(pattern_check(patterns->list[i].s));
    return NULL;
out:;
    struct err *said = err_new(ERR_POLICY, "%s", err_detail(e));
    err_free(e);
    return said;
}

struct err *expr_net_covered_one(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    struct err *e = patterns_ok(&args[1]);
    return e ? e : expr_run_say(ret, covered(args[0].s, &args[1]));
}

struct err *expr_net_covered_all(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    struct err *e = patterns_ok(&args[1]);
    bool all = true;
    for (size_t i = 0; !e && all && i < args[0].n_list; i++)
        all = covered(args[0].list[i].s, &args[1]);
    return e ? e : expr_run_say(ret, all);
}

static bool ip_ok(struct view text, bool net)
{
    return pattern_ip_ok(text) && (net || view_find(text, '/') == text.n);
}

struct err *expr_net_is_ip(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    return expr_run_say(ret, ip_ok(args[0].s, false));
}

struct err *expr_net_cidr(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    if (!ip_ok(args[0].s, true))
        return err_new(ERR_POLICY, "a network is written 10.0.0.0/8, with no host bits set");
    ret->s = args[0].s;
    return NULL;
}

struct err *expr_net_contains_ip(struct expr_run *run, const struct expr_value *args, struct expr_value *ret)
{
    (void)run;
    if (!ip_ok(args[1].s, false))
        return err_new(ERR_POLICY, "containsIP() of what is no address");
    return expr_run_say(ret, pattern_covers((struct pattern){PATTERN_IP, args[0].s},
                                            (struct pattern){PATTERN_IP, args[1].s}));
}
