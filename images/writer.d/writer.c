// Writes under load in a way that a check of the disk, taken at any moment, can verify; and is that check.
//
// What is written is a pure function of the seed and the number of a round. Round n is written when round n - 1 is
// on the disk in full (fsync), so a disk at any moment holds all of the rounds up to some S, perhaps a part of round
// S + 1, and nothing else. In a round, two threads write at the same time:
//   blocks  16 single blocks of 4 KiB and a run of 4 to 32, in place, in a file that was filled before; now and then
//           a run of 16 blocks of zeros, since zeros over old data are easily lost in a chain of images;
//   files   two whole files: a temporary name, fsync, rename, fsync of the folder; one of five is deleted instead.
//           Every 64 rounds fstrim discards what is free.
//
// The check needs no list of what was acknowledged, which could itself be as old as what it should find:
//   1. Each block and file says its round in its header. It counts only when all of its bytes are what the round
//      gives, so damage of any kind in the content is found, and so are blocks at a wrong place.
//   2. M, the greatest round seen, proves that M - 1 was on the disk. The check goes through all rounds up to M and
//      knows for each block and file what it must hold: the newest round that wrote it, exactly. An older one is a
//      write that was lost; one too many is a write from after the moment of the capture, which shows as the rest
//      that is missing. Round M may be there in part. Zeros and deletions leave no header: so M may also be
//      there in full, and zeros and deletions of M + 1 in part.
//   3. A disk which is old as a whole agrees with itself. Only the acknowledgement on the console, handed to the
//      check as the least round, finds that, and a loss that meets the last round only.
// Thus each lost write is found whose place wasn't written again, but for those that nobody can miss: free space, and
// what round M + 1 wrote when nothing of it was acknowledged. Losses of metadata show as files that are
// missing, old or of a wrong length, or in the check of the file system that follows.
//
// No false alarms: a block of 4 KiB, aligned, is never torn here. The file system writes it in one request,
// and a host that stops amid a request stops between pages.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    block_size = 4096,
    words = block_size / 8,
    folders = 16,
    singles = 16,
    run_least = 4,
    run_most = 32,
    zero_run = 16,
    files_in_round = 2,
    rounds_to_trim = 64,
    blocks_in_round_most = singles + run_most + zero_run,
    header_size = 32,
    file_size_most = header_size + (1 << 20),
    details_most = 8,
};

// What a random number is for, so that no two uses are alike.
enum use { use_single = 1, use_run, use_run_length, use_zero, use_zero_start, use_file, use_delete, use_size,
    use_hole };
enum kind { kind_block = 1, kind_file };

static const uint64_t magic = 0x7265746972777672;  // "rvwriter"
static const uint64_t is_zero = UINT64_C(1) << 63;
static const uint64_t is_damaged = UINT64_MAX;

// From the file `layout`, which is written last when the disk is made.
static uint64_t seed, block_count, slot_count;

static void fatal(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("ERROR %s\n", text);
    fflush(stdout);
    _exit(1);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) fatal("out of memory");
    return memory;
}

// MARK: what a round writes

// SplitMix64's finalizer.
static uint64_t mix(uint64_t value) {
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t pick(uint64_t round, enum use use, uint64_t which) {
    return mix(seed ^ mix(round ^ mix((uint64_t)use << 56 ^ which)));
}

static uint64_t place_of(enum kind kind, uint64_t index, uint64_t chunk) {
    return (uint64_t)kind << 56 | index << 24 | chunk;
}

static void fill(uint64_t *block, uint64_t place, uint64_t round) {
    uint64_t key = mix(seed ^ mix(place ^ mix(round)));
    block[0] = magic;
    block[1] = seed;
    block[2] = place;
    block[3] = round;
    for (unsigned i = header_size / 8; i < words; i++) block[i] = mix(key + i);
}

struct target {
    uint64_t block;
    bool zero;
};

// The blocks of a round, each once. `stamps` has the last round in which a block was named.
static unsigned blocks_of(uint64_t round, struct target *targets, uint64_t *stamps) {
    unsigned count = 0;
    uint64_t run = pick(round, use_run, 0) % (block_count - run_most);
    uint64_t length = run_least + pick(round, use_run_length, 0) % (run_most - run_least + 1);
    for (unsigned i = 0; i < singles + length; i++) {
        uint64_t block = i < singles ? pick(round, use_single, i) % block_count : run + i - singles;
        if (stamps[block] == round) continue;
        stamps[block] = round;
        targets[count++] = (struct target){block, false};
    }
    if (pick(round, use_zero, 0) % 4) return count;
    uint64_t start = pick(round, use_zero_start, 0) % (block_count - zero_run);
    for (uint64_t block = start; block < start + zero_run; block++) {
        if (stamps[block] == round) continue;
        stamps[block] = round;
        targets[count++] = (struct target){block, true};
    }
    return count;
}

struct file {
    uint64_t slot;
    bool delete;
};

static void files_of(uint64_t round, struct file *files) {
    uint64_t first = pick(round, use_file, 0) % slot_count;
    uint64_t step = 1 + pick(round, use_file, 1) % (slot_count - 1);
    files[0] = (struct file){first, pick(round, use_delete, 0) % 5 == 0};
    files[1] = (struct file){(first + step) % slot_count, pick(round, use_delete, 1) % 5 == 0};
}

// Small ones are as frequent as large ones.
static size_t size_of(uint64_t slot, uint64_t round) {
    uint64_t value = pick(round, use_size, slot);
    return header_size + (value >> 8) % (UINT64_C(1024) << (value & 255) % 11);
}

// The whole content of a file; some runs of 64 KiB in it are zeros. `buffer` has room for whole blocks.
static void fill_file(uint64_t *buffer, uint64_t slot, uint64_t round) {
    size_t size = size_of(slot, round);
    for (uint64_t chunk = 0; chunk * block_size < size; chunk++) {
        uint64_t *at = buffer + chunk * words, run = chunk / 16;
        if (run && pick(round, use_hole, slot << 24 | run) % 8 == 0) memset(at, 0, block_size);
        else fill(at, place_of(kind_file, slot, chunk), round);
    }
}

// MARK: the file system

static void open_layout(void) {
    FILE *layout = fopen("layout", "r");
    if (!layout) return;
    if (fscanf(layout, "rehost-writer 1 %" SCNx64 " %" SCNu64 " %" SCNu64, &seed, &block_count, &slot_count) != 3 ||
        block_count < 2 * run_most || block_count >> 32 || slot_count < 2 || slot_count >> 32)
        block_count = 0;
    fclose(layout);
}

static void write_fully(int file, const void *bytes, size_t size, off_t offset, const char *name) {
    while (size) {
        ssize_t written = pwrite(file, bytes, size, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fatal("could not write %s: %s", name, strerror(errno));
        bytes = (const char *)bytes + written;
        size -= written;
        offset += written;
    }
}

static void sync_folder(const char *name) {
    int folder = open(name, O_RDONLY | O_DIRECTORY);
    if (folder < 0 || fsync(folder) || close(folder)) fatal("could not sync folder %s: %s", name, strerror(errno));
}

static void write_file(const char *name, const void *bytes, size_t size) {
    char temporary[64];
    snprintf(temporary, sizeof temporary, "%s.tmp", name);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) fatal("could not create %s: %s", temporary, strerror(errno));
    write_fully(file, bytes, size, 0, temporary);
    if (fsync(file) || close(file)) fatal("could not sync %s: %s", temporary, strerror(errno));
    if (rename(temporary, name)) fatal("could not rename %s: %s", temporary, strerror(errno));
}

static void folder_name(char *name, uint64_t folder) {
    sprintf(name, "files/%02" PRIx64, folder);
}

static void file_name(char *name, uint64_t slot) {
    sprintf(name, "files/%02" PRIx64 "/%06" PRIu64, slot % folders, slot);
}

// Fills the blocks with round 0; no file is there in round 0.
static void make_layout(void) {
    struct statvfs space;
    if (statvfs(".", &space)) fatal("could not tell the size of the file system: %s", strerror(errno));
    uint64_t bytes = (uint64_t)space.f_blocks * space.f_frsize, mib = bytes >> 20;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) fatal("no random numbers");
    block_count = (bytes / 8 < 128 << 20 ? bytes / 8 : 128 << 20) / block_size;
    slot_count = mib < 32 ? 32 : mib > 1024 ? 1024 : mib;

    char name[64], text[128];
    mkdir("files", 0755);
    for (unsigned folder = 0; folder < folders; folder++) {
        folder_name(name, folder);
        if (mkdir(name, 0755) && errno != EEXIST) fatal("could not make %s: %s", name, strerror(errno));
    }
    int file = open("blocks", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) fatal("could not create blocks: %s", strerror(errno));
    enum { at_once = 64 };
    uint64_t *buffer = allocate(at_once, block_size);
    for (uint64_t block = 0; block < block_count; block += at_once) {
        uint64_t count = block_count - block < at_once ? block_count - block : at_once;
        for (uint64_t i = 0; i < count; i++) fill(buffer + i * words, place_of(kind_block, block + i, 0), 0);
        write_fully(file, buffer, count * block_size, block * block_size, "blocks");
    }
    free(buffer);
    if (fsync(file) || close(file)) fatal("could not sync blocks: %s", strerror(errno));
    sync();
    int size = snprintf(text, sizeof text, "rehost-writer 1 %" PRIx64 " %" PRIu64 " %" PRIu64 "\n", seed,
        block_count, slot_count);
    write_file("layout", text, size);
    sync_folder(".");
}

// MARK: the check

struct items {
    uint64_t *blocks, *files;
};

static struct items new_items(void) {
    return (struct items){allocate(block_count, 8), allocate(slot_count, 8)};
}

static void copy_items(struct items to, struct items from) {
    memcpy(to.blocks, from.blocks, block_count * 8);
    memcpy(to.files, from.files, slot_count * 8);
}

static void apply(struct items items, uint64_t round, uint64_t *stamps) {
    struct target targets[blocks_in_round_most];
    struct file files[files_in_round];
    unsigned count = blocks_of(round, targets, stamps);
    for (unsigned i = 0; i < count; i++) items.blocks[targets[i].block] = round | (targets[i].zero ? is_zero : 0);
    files_of(round, files);
    for (unsigned i = 0; i < files_in_round; i++) items.files[files[i].slot] = files[i].delete ? 0 : round;
}

// Why an item is damaged, and how many were.
static char **block_notes, **file_notes;

static void note(char **notes, uint64_t index, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!notes[index]) notes[index] = strdup(text);
}

static bool all_zero(const uint64_t *bytes, size_t size) {
    return !bytes[0] && (size <= 8 || !memcmp(bytes, (const char *)bytes + 8, size - 8));
}

// What the first `size` bytes of a block at `place` are, if they aren't what they should be.
static void describe(char *text, size_t room, const uint64_t *block, const uint64_t *wanted, size_t size,
    uint64_t place) {
    uint64_t other[words];
    if (all_zero(block, size)) {
        snprintf(text, room, "zeros");
        return;
    }
    if (size >= header_size && block[0] == magic && block[1] == seed) {
        fill(other, block[2], block[3]);
        if (!memcmp(block, other, size)) {
            uint64_t index = block[2] >> 24 & UINT32_MAX, chunk = block[2] & 0xffffff;
            if (block[2] == place) snprintf(text, room, "that of round %" PRIu64, block[3]);
            else if (block[2] >> 56 == kind_block) snprintf(text, room, "block %" PRIu64 " of round %" PRIu64, index,
                block[3]);
            else snprintf(text, room, "part %" PRIu64 " of file %" PRIu64 " of round %" PRIu64, chunk, index, block[3]);
            return;
        }
        if (!wanted && block[2] == place) wanted = other;
    } else if (size >= header_size && block[0] == magic) {
        snprintf(text, room, "of another disk, or damaged in its header");
        return;
    }
    size_t differing = 0;
    if (wanted)
        while (differing < size && ((const char *)block)[differing] == ((const char *)wanted)[differing]) differing++;
    snprintf(text, room, "damaged at byte %zu", differing);
}

static void observe_blocks(struct items seen, uint64_t *greatest) {
    enum { at_once = 64 };
    uint64_t *buffer = allocate(at_once, block_size), wanted[words];
    char text[128];
    int file = open("blocks", O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status)) {
        note(block_notes, 0, "cannot be opened: %s", strerror(errno));
        seen.blocks[0] = is_damaged;
        return;
    }
    if ((uint64_t)status.st_size != block_count * block_size) {
        note(block_notes, 0, "is in a file of the wrong size %" PRIu64, (uint64_t)status.st_size);
        seen.blocks[0] = is_damaged;
    }
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (uint64_t index = 0; index < block_count; index++) {
        uint64_t *block = buffer + index % at_once * words;
        if (index % at_once == 0 && pread(file, buffer, at_once * block_size, index * block_size) < block_size)
            memset(buffer, 0xff, at_once * block_size);
        if (seen.blocks[index] == is_damaged) continue;
        if (block[0] == magic && block[1] == seed && block[2] == place_of(kind_block, index, 0)) {
            fill(wanted, block[2], block[3]);
            if (!memcmp(block, wanted, block_size)) {
                seen.blocks[index] = block[3];
                if (block[3] > *greatest) *greatest = block[3];
                continue;
            }
        } else if (all_zero(block, block_size)) {
            seen.blocks[index] = is_zero;
            continue;
        }
        errno = 0;
        if (pread(file, block, block_size, index * block_size) != block_size)
            note(block_notes, index, "cannot be read: %s", errno ? strerror(errno) : "the file ends");
        else {
            describe(text, sizeof text, block, NULL, block_size, place_of(kind_block, index, 0));
            note(block_notes, index, "is %s", text);
        }
        seen.blocks[index] = is_damaged;
    }
    close(file);
    free(buffer);
}

// 0 when the file isn't there, else its round.
static uint64_t observe_file(uint64_t slot, uint64_t *buffer, uint64_t *wanted) {
    char name[64], text[128];
    file_name(name, slot);
    int file = open(name, O_RDONLY);
    if (file < 0 && errno == ENOENT) return 0;
    ssize_t size = file < 0 ? -1 : pread(file, buffer, file_size_most + block_size, 0);
    int reason = errno;
    if (file >= 0) close(file);
    if (size < 0) {
        note(file_notes, slot, "cannot be read: %s", strerror(reason));
        return is_damaged;
    }
    if (size < header_size) {
        note(file_notes, slot, "has only %zd bytes", size);
        return is_damaged;
    }
    uint64_t round = buffer[3];
    if (buffer[0] != magic || buffer[1] != seed || buffer[2] != place_of(kind_file, slot, 0) || round >> 48) {
        describe(text, sizeof text, buffer, NULL, size < block_size ? size : block_size, place_of(kind_file, slot, 0));
        note(file_notes, slot, "begins with what is %s", text);
        return is_damaged;
    }
    if ((size_t)size != size_of(slot, round)) {
        note(file_notes, slot, "of round %" PRIu64 " has %zd bytes, not %zu", round, size, size_of(slot, round));
        return is_damaged;
    }
    fill_file(wanted, slot, round);
    for (ssize_t at = 0; at < size; at += block_size) {
        size_t length = size - at < block_size ? size - at : block_size;
        uint64_t chunk = at / block_size;
        if (!memcmp(buffer + chunk * words, wanted + chunk * words, length)) continue;
        describe(text, sizeof text, buffer + chunk * words, wanted + chunk * words, length, place_of(kind_file, slot,
            chunk));
        note(file_notes, slot, "of round %" PRIu64 " has a part %" PRIu64 " that is %s", round, chunk, text);
        return is_damaged;
    }
    return round;
}

// Names that no round gives a file; temporary names are kept in `temporary`.
static void observe_names(bool *temporary, char *stray, size_t room) {
    char name[64], rest[8], expected[64];
    for (uint64_t folder = 0; folder < folders; folder++) {
        folder_name(name, folder);
        DIR *entries = opendir(name);
        if (!entries) {
            snprintf(stray, room, "folder %s cannot be read: %s", name, strerror(errno));
            continue;
        }
        struct dirent *entry;
        for (errno = 0; (entry = readdir(entries)); errno = 0) {
            if (entry->d_name[0] == '.') continue;
            uint64_t slot = 0;
            rest[0] = 0;
            int fields = sscanf(entry->d_name, "%" SCNu64 "%7s", &slot, rest);
            snprintf(expected, sizeof expected, "%06" PRIu64 "%s", slot, rest);
            bool known = fields >= 1 && slot < slot_count && slot % folders == folder && !strcmp(expected,
                entry->d_name);
            if (known && !strcmp(rest, ".tmp")) temporary[slot] = true;
            else if (!known || rest[0]) snprintf(stray, room, "%s/%.32s is not a name of a file here", name,
                entry->d_name);
        }
        if (errno) snprintf(stray, room, "folder %s cannot be read: %s", name, strerror(errno));
        closedir(entries);
    }
}

static bool matches(uint64_t seen, uint64_t expected) {
    return expected & is_zero ? seen == is_zero : seen == expected;
}

static unsigned mismatches(const uint64_t *seen, const uint64_t *before, const uint64_t *after, uint64_t count) {
    unsigned wrong = 0;
    for (uint64_t i = 0; i < count; i++) wrong += !matches(seen[i], before[i]) && !matches(seen[i], after[i]);
    return wrong;
}

static void explain(char *text, size_t room, const char *what, uint64_t index, uint64_t seen, uint64_t expected,
    char **notes) {
    char holds[64], must[64];
    if (seen == is_damaged) {
        snprintf(text, room, "%s %" PRIu64 " %s", what, index, notes[index] ? notes[index] : "is damaged");
        return;
    }
    const char *none = notes == file_notes ? "is missing" : NULL;
    if (seen == is_zero) snprintf(holds, sizeof holds, "is zeros");
    else if (none && !seen) snprintf(holds, sizeof holds, "%s", none);
    else snprintf(holds, sizeof holds, "is of round %" PRIu64, seen);
    if (expected & is_zero) snprintf(must, sizeof must, "zeros of round %" PRIu64, expected & ~is_zero);
    else if (none && !expected) snprintf(must, sizeof must, "deleted");
    else snprintf(must, sizeof must, "of round %" PRIu64, expected);
    snprintf(text, room, "%s %" PRIu64 " %s, must be %s", what, index, holds, must);
}

struct verdict {
    bool ok;
    uint64_t sequence, files;
    char reason[512];
};

static struct verdict check(uint64_t least) {
    struct verdict verdict = {0};
    open_layout();
    if (!block_count) {
        snprintf(verdict.reason, sizeof verdict.reason, "no layout was found, is this from before READY?");
        return verdict;
    }
    block_notes = allocate(block_count, sizeof(char *));
    file_notes = allocate(slot_count, sizeof(char *));
    bool *temporary = allocate(slot_count, sizeof(bool));
    uint64_t *stamps = allocate(block_count, 8), greatest = 0;
    struct items seen = new_items(), state = new_items();
    struct items before = new_items(), newest = new_items();

    observe_blocks(seen, &greatest);
    uint64_t *buffer = allocate(1, file_size_most + 2 * block_size), *wanted = allocate(1,
        file_size_most + 2 * block_size);
    for (uint64_t slot = 0; slot < slot_count; slot++) {
        uint64_t round = seen.files[slot] = observe_file(slot, buffer, wanted);
        if (!round) continue;
        verdict.files++;
        if (round != is_damaged && round > greatest) greatest = round;
    }
    free(buffer);
    free(wanted);
    observe_names(temporary, verdict.reason, sizeof verdict.reason);
    if (verdict.reason[0]) return verdict;

    for (uint64_t round = 1; round < greatest; round++) apply(state, round, stamps);
    copy_items(before, state);
    if (greatest) apply(state, greatest, stamps);
    copy_items(newest, state);
    apply(state, greatest + 1, stamps);
    struct file these[files_in_round], next[files_in_round];
    files_of(greatest, these);
    files_of(greatest + 1, next);
    for (uint64_t slot = 0; slot < slot_count; slot++) {
        bool known = !temporary[slot];
        for (unsigned i = 0; i < files_in_round; i++)
            known |= (greatest && these[i].slot == slot) || next[i].slot == slot;
        if (known) continue;
        snprintf(verdict.reason, sizeof verdict.reason,
            "file %" PRIu64 " has a temporary name that is older than round %" PRIu64, slot, greatest);
        return verdict;
    }

    // Either round M is there in part, or it is in full and the next one left only zeros and deletions.
    unsigned partly = mismatches(seen.blocks, before.blocks, newest.blocks, block_count) +
        mismatches(seen.files, before.files, newest.files, slot_count);
    unsigned fully = mismatches(seen.blocks, newest.blocks, state.blocks, block_count) +
        mismatches(seen.files, newest.files, state.files, slot_count);
    if (greatest < least) {
        snprintf(verdict.reason, sizeof verdict.reason,
            "the newest round is %" PRIu64 ", yet %" PRIu64 " was acknowledged", greatest, least);
        return verdict;
    }
    bool last_is_full = !fully || greatest == least || fully <= partly;
    struct items low = last_is_full ? newest : before, high = last_is_full ? state : newest;
    verdict.sequence = last_is_full || !greatest ? greatest : greatest - 1;
    unsigned wrong = last_is_full ? fully : partly;
    verdict.ok = wrong == 0;
    if (verdict.ok) return verdict;

    unsigned details = 0, wrong_blocks = mismatches(seen.blocks, low.blocks, high.blocks, block_count);
    char text[384];
    for (uint64_t i = 0; i < block_count + slot_count && details < details_most; i++) {
        bool block = i < block_count;
        uint64_t index = block ? i : i - block_count;
        uint64_t is = block ? seen.blocks[index] : seen.files[index];
        uint64_t least_state = block ? low.blocks[index] : low.files[index];
        uint64_t most_state = block ? high.blocks[index] : high.files[index];
        if (matches(is, least_state) || matches(is, most_state)) continue;
        explain(text, sizeof text, block ? "block" : "file", index, is, least_state, block ? block_notes : file_notes);
        if (!details++ && last_is_full && !partly)
            snprintf(verdict.reason, sizeof verdict.reason,
                "only round %" PRIu64 " is there in full, yet %" PRIu64 " was acknowledged: %s", greatest - 1, least,
                    text);
        else if (details == 1)
            snprintf(verdict.reason, sizeof verdict.reason,
                "wrong at sequence %" PRIu64 " are %u blocks and %u files: %s",
                verdict.sequence, wrong_blocks, wrong - wrong_blocks, text);
        fprintf(stderr, "DETAIL %s\n", text);
    }
    return verdict;
}

// MARK: the writer

static volatile sig_atomic_t stopping;
static pthread_barrier_t start_of_round, end_of_round;
static uint64_t current_round, file_bytes;
static bool last_round;

static void stop(int number) {
    (void)number;
    stopping = 1;
}

static void trim(void) {
    int folder = open(".", O_RDONLY | O_DIRECTORY);
    struct fstrim_range range = {.len = UINT64_MAX};
    // A disk without discard is none of the writer's business.
    if (folder >= 0 && ioctl(folder, FITRIM, &range) && errno != EOPNOTSUPP) fatal("could not trim: %s",
        strerror(errno));
    close(folder);
}

static void write_files(uint64_t round, uint64_t *buffer) {
    struct file files[files_in_round];
    char name[64], folder[64];
    files_of(round, files);
    file_bytes = 0;
    for (unsigned i = 0; i < files_in_round; i++) {
        uint64_t slot = files[i].slot;
        file_name(name, slot);
        folder_name(folder, slot % folders);
        if (files[i].delete) {
            if (unlink(name) && errno != ENOENT) fatal("could not delete %s: %s", name, strerror(errno));
        } else {
            fill_file(buffer, slot, round);
            write_file(name, buffer, size_of(slot, round));
            file_bytes += size_of(slot, round);
        }
        sync_folder(folder);
    }
    if (round % rounds_to_trim == 0) trim();
}

static void *file_thread(void *unused) {
    uint64_t *buffer = allocate(1, file_size_most + block_size);
    for (;;) {
        pthread_barrier_wait(&start_of_round);
        if (last_round) return unused;
        write_files(current_round, buffer);
        pthread_barrier_wait(&end_of_round);
    }
}

static uint64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void remove_temporary(void) {
    char name[64];
    for (uint64_t slot = 0; slot < slot_count; slot++) {
        file_name(name, slot);
        strcat(name, ".tmp");
        unlink(name);
    }
    for (unsigned folder = 0; folder < folders; folder++) {
        folder_name(name, folder);
        sync_folder(name);
    }
}

// KiB/s; 0 is as fast as it can.
static void write_rounds(uint64_t rate) {
    uint64_t round = 0;
    open_layout();
    if (block_count) {
        struct verdict verdict = check(0);
        if (!verdict.ok) fatal("could not go on: %s", verdict.reason);
        round = verdict.sequence;
        remove_temporary();
    } else if (access("layout", F_OK) == 0) {
        fatal("could not go on: the layout is damaged");
    } else {
        make_layout();
    }
    printf("READY %" PRIu64 "\n", round);
    fflush(stdout);

    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &action, NULL);
    pthread_t thread;
    pthread_barrier_init(&start_of_round, NULL, 2);
    pthread_barrier_init(&end_of_round, NULL, 2);
    if (pthread_create(&thread, NULL, file_thread, NULL)) fatal("no second thread");
    int blocks = open("blocks", O_WRONLY);
    if (blocks < 0) fatal("could not open blocks: %s", strerror(errno));
    uint64_t *stamps = allocate(block_count, 8), buffer[words];
    uint64_t due = microseconds(), told = 0;
    struct target targets[blocks_in_round_most];

    while (!stopping) {
        current_round = ++round;
        pthread_barrier_wait(&start_of_round);
        unsigned count = blocks_of(round, targets, stamps);
        for (unsigned i = 0; i < count; i++) {
            if (targets[i].zero) memset(buffer, 0, block_size);
            else fill(buffer, place_of(kind_block, targets[i].block, 0), round);
            write_fully(blocks, buffer, block_size, targets[i].block * block_size, "blocks");
        }
        if (fdatasync(blocks)) fatal("could not sync blocks: %s", strerror(errno));
        pthread_barrier_wait(&end_of_round);

        uint64_t now = microseconds();
        if (now - told >= 1000000) {
            printf("ACK %" PRIu64 "\n", round);
            fflush(stdout);
            told = now;
        }
        if (!rate) continue;
        // Time lost to a frozen file system isn't made up for.
        if (due < now - 1000000 && now > 1000000) due = now;
        due += (file_bytes + count * block_size) * 1000000 / (rate * 1024);
        if (due > now) usleep(due - now);
    }
    last_round = true;
    pthread_barrier_wait(&start_of_round);
    pthread_join(thread, NULL);
    printf("ACK %" PRIu64 "\nSTOPPED\n", round);
}

// MARK: the disk

// blank, ext4, xfs or unknown. Blank is a disk whose first MiB is zeros.
static const char *probe(const char *device) {
    enum { size = 1 << 20 };
    unsigned char *bytes = allocate(1, size);
    int disk = open(device, O_RDONLY);
    if (disk < 0 || pread(disk, bytes, size, 0) != size) return "unreadable";
    close(disk);
    if (!memcmp(bytes, "XFSB", 4)) return "xfs";
    if (bytes[1024 + 56] == 0x53 && bytes[1024 + 57] == 0xef) return "ext4";
    return all_zero((const uint64_t *)bytes, size) ? "blank" : "unknown";
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[1], "probe")) {
        puts(probe(arguments[2]));
        return 0;
    }
    if (count != 4 || chdir(arguments[2])) {
        fputs("usage: writer probe DEVICE | write FOLDER KIB-PER-SECOND | check FOLDER LEAST-ROUND\n", stderr);
        return 64;
    }
    uint64_t number = strtoull(arguments[3], NULL, 10);
    if (!strcmp(arguments[1], "write")) {
        write_rounds(number);
        return 0;
    }
    struct verdict verdict = check(number);
    if (verdict.ok)
        printf("ok files=%" PRIu64 " blocks=%" PRIu64 " sequence=%" PRIu64 "\n", verdict.files, block_count,
            verdict.sequence);
    else
        printf("BAD %s\n", verdict.reason);
    return !verdict.ok;
}
