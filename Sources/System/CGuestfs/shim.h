#include <guestfs.h>

/* Function-like and cast macros don't reach Swift; these are the ones in use. */
static const uint64_t rehost_add_drive_readonly = GUESTFS_ADD_DRIVE_OPTS_READONLY_BITMASK;
static const uint64_t rehost_add_drive_format = GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK;
static const uint64_t rehost_add_drive_cachemode = GUESTFS_ADD_DRIVE_OPTS_CACHEMODE_BITMASK;
static const uint64_t rehost_tar_out_numericowner = GUESTFS_TAR_OUT_OPTS_NUMERICOWNER_BITMASK;
static const uint64_t rehost_tar_out_excludes = GUESTFS_TAR_OUT_OPTS_EXCLUDES_BITMASK;
static const uint64_t rehost_tar_out_xattrs = GUESTFS_TAR_OUT_OPTS_XATTRS_BITMASK;
static const uint64_t rehost_tar_out_selinux = GUESTFS_TAR_OUT_OPTS_SELINUX_BITMASK;
static const uint64_t rehost_hivex_open_write = GUESTFS_HIVEX_OPEN_WRITE_BITMASK;
