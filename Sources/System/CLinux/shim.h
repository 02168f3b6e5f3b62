/* Calls of Linux that the C library shows only to programs that ask for them (_GNU_SOURCE), which Swift's don't. */
#include <sys/types.h>

extern int pipe2(int ends[2], int flags);
extern int syncfs(int descriptor);
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);

/* mallopt(3); M_MMAP_THRESHOLD is -3 */
extern int mallopt(int what, int value);

/* lseek(2) */
static const int rehost_seek_data = 3;
static const int rehost_seek_hole = 4;
/* fcntl(2): F_OFD_GETLK, F_OFD_SETLK */
static const int rehost_ofd_getlk = 36;
static const int rehost_ofd_setlk = 37;
/* fallocate(2): FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */
static const int rehost_punch_hole = 2 | 1;
