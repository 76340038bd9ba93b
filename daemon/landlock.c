/*
 * Landlock, from its first ABI (Linux 5.13) on: every right the running kernel knows is taken, and given back
 * beneath the listed paths alone; TCP (ABI 4), device ioctls (5), signals and abstract sockets (6) stay
 * taken. Numbers are written out here because the headers of Debian 12 end at ABI 2. One thread.
 */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NET_BIND = 1, NET_CONNECT = 2 };
enum { SYS_CREATE_RULESET = 444, SYS_ADD_RULE = 445, SYS_RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

#define FS(bit)        (1ULL << (bit))
#define FS_WRITE_FILE  FS(1)
#define FS_READ_FILE   FS(2)
#define FS_READ_DIR    FS(3)
#define FS_REMOVE_DIR  FS(4)
#define FS_REMOVE_FILE FS(5)
#define FS_MAKE_DIR    FS(7)
#define FS_MAKE_REG    FS(8)
#define FS_REFER       FS(13)
#define FS_TRUNCATE    FS(14)

#define FS_OF_FILES (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

/* struct landlock_ruleset_attr as of ABI 6; older kernels take the front part. */
struct ruleset_attr {
    uint64_t fs, net, scoped;
};
struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

int landlock_abi(void)
{
    long abi = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* All file-system rights that an ABI knows: 13 at first, then one more in ABI 2, 3 and 5. */
static uint64_t fs_known(int abi)
{
    if (abi >= 5)
        return FS(16) - 1;
    if (abi >= 3)
        return FS(15) - 1;
    return abi == 2 ? FS(14) - 1 : FS(13) - 1;
}

static uint64_t fs_of(unsigned access)
{
    uint64_t rights = 0;
    if (access & JAIL_READ)
        rights |= FS_READ_FILE | FS_READ_DIR;
    if (access & JAIL_UPDATE)
        rights |= FS_OF_FILES | FS_READ_DIR; /* truncate: LMDB sizes its lock file */
    if (access & JAIL_WRITE)
        rights |=
            FS_OF_FILES | FS_READ_DIR | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_REFER;
    return rights;
}

static struct err *allow(int ruleset, const struct jail_path *p, uint64_t known)
{
    struct err *e = NULL;
    struct stat st;
    int fd = open(p->path, O_PATH | O_CLOEXEC);

    if (fd < 0 && p->optional && (errno == ENOENT || errno == ENOTDIR))
        return NULL;
    if (fd < 0)
        return err_sys(ERR_CONFIG, errno, "%s", p->path);
    if (fstat(fd, &st) != 0) {
        e = err_sys(ERR_IO, errno, "%s", p->path);
        goto out;
    }
    struct path_beneath_attr rule = {fs_of(p->access) & known, fd};
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= FS_OF_FILES;
    if (syscall(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0)
        e = err_sys(ERR_IO, errno, "landlock: %s", p->path);
out:
    close(fd);
    return e;
}

static int ruleset_new(int abi, uint64_t fs, enum jail_connects connects)
{
    struct ruleset_attr attr = {fs, 0, 0};
    size_t size = sizeof attr.fs;

    if (abi >= 4) {
        attr.net = connects == JAIL_CONNECTS_NETWORK ? NET_BIND : NET_BIND | NET_CONNECT; /* of TCP */
        size = offsetof(struct ruleset_attr, scoped);
    }
    if (abi >= 6) {
        attr.scoped = 3; /* abstract unix sockets, signals */
        size = sizeof attr;
    }
    return (int)syscall(SYS_CREATE_RULESET, &attr, size, 0);
}

struct err *landlock_enter(const struct jail_path *paths, size_t n, struct jail_state *ret)
{
    struct err *e = NULL;
    int abi = landlock_abi();
    uint64_t fs = fs_known(abi);

    if (abi == 0)
        return NULL;
    int ruleset = ruleset_new(abi, fs, ret->connects);
    if (ruleset < 0)
        return err_sys(ERR_IO, errno, "landlock");
    for (size_t i = 0; i < n; i++)
        if (paths[i].path)
            TRY(allow(ruleset, &paths[i], fs));
    if (syscall(SYS_RESTRICT_SELF, ruleset, 0) != 0) {
        e = err_sys(ERR_IO, errno, "landlock");
        goto out;
    }
    ret->landlock = abi;
    ret->net = abi >= 4 && ret->connects != JAIL_CONNECTS_NETWORK;
    ret->scope = abi >= 6;
out:
    close(ruleset);
    return e;
}
