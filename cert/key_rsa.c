/*
 * RSA public keys: size, exponent, and what a modulus of two large primes can never be.
 *
 * Trial division uses products of primes that fit 32 bits, so that a 2048-bit modulus costs a few
 * microseconds. Never allocates. Any thread.
 */
#include "key_rsa.h"

#include "cert/key.h"

/* Odd primes to 751, the bound of NIST SP 800-89 5.3.3. */
static const uint16_t primes[] = {
    3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73,  79,  83,  89,  97,  101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271,
    277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389,
    397, 401, 409, 419, 421, 431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503,
    509, 521, 523, 541, 547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619, 631,
    641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709, 719, 727, 733, 739, 743, 751,
};
enum { PRIMES = sizeof primes / sizeof *primes };

static struct err *magnitude(struct view *integer, const char *what)
{
    if (integer->p[0] & 0x80)
        return err_new(ERR_BAD_KEY, "RSA key: the %s is negative (RFC 8017 3.1)", what);
    if (integer->p[0] == 0)
        *integer = view_from(*integer, 1);
    return NULL;
}

static unsigned bits_of(struct view magnitude)
{
    if (!magnitude.n)
        return 0;
    unsigned bits = (unsigned)(magnitude.n - 1) * 8;
    for (unsigned top = magnitude.p[0]; top; top >>= 1)
        bits++;
    return bits;
}

static uint32_t mod_word(struct view magnitude, uint32_t divisor)
{
    uint64_t rest = 0;
    size_t i = 0;
    for (; i < magnitude.n % 4; i++)
        rest = ((rest << 8) | magnitude.p[i]) % divisor;
    for (; i < magnitude.n; i += 4) {
        const uint8_t *p = magnitude.p + i;
        uint32_t word = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        rest = ((rest << 32) | word) % divisor;
    }
    return (uint32_t)rest;
}

static void residues(struct view modulus, uint16_t rest[PRIMES])
{
    for (size_t from = 0, to; from < PRIMES; from = to) {
        uint64_t product = 1;
        for (to = from; to < PRIMES && product * primes[to] <= UINT32_MAX; to++)
            product *= primes[to];
        uint32_t word = mod_word(modulus, (uint32_t)product);
        for (size_t i = from; i < to; i++)
            rest[i] = (uint16_t)(word % primes[i]);
    }
}

static bool is_power_of_65537(unsigned rest, unsigned prime)
{
    unsigned power = 1;
    do {
        if (power == rest)
            return true;
        power = power * (65537 % prime) % prime;
    } while (power != 1);
    return false;
}

/* Keys of a faulty vendor library (CVE-2017-15361, "ROCA"): the modulus is a power of 65537 modulo each of
 * these primes; a sound key is so by a chance of less than one in a hundred million. */
static bool is_roca(const uint16_t rest[PRIMES])
{
    static const uint8_t marks[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
    size_t at = 0;
    for (size_t i = 0; i < sizeof marks; i++) {
        while (primes[at] != marks[i])
            at++;
        if (!is_power_of_65537(rest[at], primes[at]))
            return false;
    }
    return true;
}

static struct err *check_modulus(struct view modulus, unsigned bits)
{
    uint16_t rest[PRIMES];
    if (bits < CERT_RSA_MIN_BITS || bits > CERT_RSA_MAX_BITS)
        return err_new(ERR_BAD_KEY, "RSA key: %u bits; %d to %d are allowed (RFC 8017 3.1, NIST SP 800-57)",
                       bits, CERT_RSA_MIN_BITS, CERT_RSA_MAX_BITS);
    if (!(modulus.p[modulus.n - 1] & 1))
        return err_new(ERR_BAD_KEY, "RSA key: the modulus is even (RFC 8017 3.1)");
    residues(modulus, rest);
    for (size_t i = 0; i < PRIMES; i++) {
        if (rest[i] == 0)
            return err_new(ERR_BAD_KEY, "RSA key: the modulus has the small factor %u (RFC 8017 3.1)",
                           primes[i]);
    }
    if (is_roca(rest))
        return err_new(ERR_BAD_KEY, "RSA key: made by a faulty library (CVE-2017-15361); make a new key");
    return NULL;
}

static struct err *check_exponent(struct view exponent, unsigned bits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < exponent.n && bits <= 64; i++)
        value = value << 8 | exponent.p[i];
    if (bits > 64 || value < 65537 || !(value & 1))
        return err_new(ERR_BAD_KEY,
                       "RSA key: the exponent must be odd and 65537 to 2^64-1 (RFC 8017 3.1, NIST SP "
                       "800-89 5.3.3)");
    return NULL;
}

struct err *key_rsa_check(struct view *modulus, struct view *exponent, unsigned *ret_bits)
{
    struct err *e = NULL;
    TRY(magnitude(modulus, "modulus"));
    TRY(magnitude(exponent, "exponent"));
    *ret_bits = bits_of(*modulus);
    TRY(check_exponent(*exponent, bits_of(*exponent)));
    TRY(check_modulus(*modulus, *ret_bits));
out:
    return e;
}
