// Every limit of the product, with its reason. Sizes are in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sm {

// Stated in the API. Depth and size of one property stand in json/canonical.h, beside what enforces
// them.
inline constexpr uint64_t kMaxImportBytes = 100'000'000;
inline constexpr uint64_t kMaxBodyBytes = 1024 * 1024;
// A body of a known length up to this, which is there whole, is read before it is known who sent
// it: one call of the store less, for 16 KiB of memory.
inline constexpr uint64_t kUncheckedBodyBytes = 16 * 1024;
// What a larger one may take of memory, which the host hands out before it is read: so much for
// each byte (the body, its canonical form, its members, a statement, the answer), and for the
// values in it, of which there are at most so many (json/canonical.h).
inline constexpr uint64_t kBodyMemoryPerByte = 6;
inline constexpr uint64_t kValueMemoryPerByte = 24;
inline constexpr uint64_t kMaxValueMemory = 4 * 1024 * 1024;
inline constexpr size_t kMaxIdentityBytes = 512;
inline constexpr size_t kMaxNameCharacters = 255;
inline constexpr size_t kMaxUrlBytes = 2048;
inline constexpr size_t kMinKeyCharacters = 32;
inline constexpr size_t kMaxKeyCharacters = 128;
// Bits of a key that a client chose, as has_few_bits (api/shape.cc) estimates them: too many to try
// out. 32 random digits have as many but once in seventy times, those of other alphabets always.
inline constexpr size_t kMinKeyBits = 64;
inline constexpr int64_t kMaxPageRows = 1000;
inline constexpr size_t kMaxImportErrors = 1000;
// JSON Pointers in a config: to a secret, or to what identifies an item.
inline constexpr size_t kMaxPointerBytes = 1024;
// Of one config: each secret is sealed on its own, and all of them are one parameter.
inline constexpr size_t kMaxSecrets = 64;
inline constexpr size_t kMaxSecretBytes = 16 * 1024;
inline constexpr int64_t kMaxRetentionDays = 36500;

// What a tenant may have, and clients may ask for, where the deployment's variables do not say
// otherwise (flow/quotas.h, flow/rates.h).
inline constexpr int64_t kDefaultProperties = 1'000'000;
inline constexpr int64_t kDefaultDataBytes = 4'000'000'000;
inline constexpr int64_t kDefaultConnectors = 100;
inline constexpr int64_t kDefaultKeys = 20;
inline constexpr int64_t kDefaultRequestsPerSecond = 50;
inline constexpr int64_t kDefaultSignupsPerHour = 20;
inline constexpr int64_t kDefaultWritesAtOnce = 2;
// What such a variable says at most: integers in JSON are exact up to here.
inline constexpr int64_t kMaxAllowance = 9'007'199'254'740'991;
// The counters of Cloudflare's rate limit binding have windows of 10 or 60 seconds.
inline constexpr int64_t kRateWindowS = 10;

// The secrets of a deployment, each of a size that cannot be guessed. ADMIN_TOKEN and
// API_KEY_PEPPER are texts of any characters, and 24 or 32 of them hold 128 bits even where they
// are hexadecimal, or nearly; ENCRYPTION_KEY is a key of AES-256.
inline constexpr size_t kMinAdminTokenBytes = 24;
inline constexpr size_t kMinPepperBytes = 32;
inline constexpr size_t kEncryptionKeyBytes = 32;

// Of a request's query, percent signs counted. Cloudflare lets 16 KB of a URL through.
inline constexpr size_t kMaxQueryBytes = 16 * 1024;
// A text of a statement from this size on travels beside the head of its frame, as packs do: there
// it is neither quoted nor copied.
inline constexpr size_t kInlineTextBytes = 1024;
// Fields at fault that one answer names; the others are counted.
inline constexpr size_t kMaxFieldErrors = 100;
// Tags of an If-Match or If-None-Match that are looked at.
inline constexpr size_t kMaxEntityTags = 100;
// Bytes of one line of the host's log.
inline constexpr size_t kMaxLogBytes = 4096;

// Statements that D1 takes of one invocation. Work that may need more stops while what is left is
// enough to end it: a part of an import, and the batch that applies it, or a step of a run.
inline constexpr size_t kMaxQueries = 1000;
inline constexpr size_t kQueriesToEnd = 60;

// What D1 takes as one parameter, and holds in one value or row. A pack of data stays at half of
// that, one of identities just below it.
inline constexpr size_t kMaxParamBytes = 2'000'000;
inline constexpr size_t kDataPackBytes = 1'000'000;
inline constexpr size_t kIdentityPackBytes = 1'900'000;
inline constexpr size_t kIdentityPackItems = 25'000;

// What of an import is written in one batch, as it travels: a frame holds 16 MiB at most. What goes
// beyond is staged in parts. An import whose body is not known to fit is staged in small parts from
// the start, so that its memory stays flat.
inline constexpr size_t kImportPartBytes = 14'000'000;
inline constexpr size_t kStagedPartBytes = 4'000'000;
// An import whose body comes more slowly than this, on average, is staged in smaller parts: its
// instance waits for the client with half of the memory.
inline constexpr size_t kSlowPartBytes = 2'000'000;
inline constexpr int64_t kSlowBytesPerMs = 256;
// For how long a body is not yet judged by that.
inline constexpr int64_t kUnjudgedMs = 1000;
// A staged import is given up when nothing came of it for so long.
inline constexpr int64_t kImportLeaseMs = 60 * 60 * 1000;
// What an import may take of memory, which the host hands out: so much for each byte of its body (a
// part in the making, the packs it is sent in, frames) up to what the largest single part takes,
// and the same for all that are staged in parts: 20 MB were measured, of items of 20 bytes.
inline constexpr uint64_t kImportMemoryPerByte = 4;
inline constexpr uint64_t kLargeImportMemory = 48 * 1024 * 1024;
inline constexpr uint64_t kStagedImportMemory = 24 * 1024 * 1024;
// What an import may take without asking.
inline constexpr uint64_t kUnreservedImportMemory = 1024 * 1024;

// Ids that a statement may take for each row that it makes (sync/numbering.h).
inline constexpr int64_t kMostIdsPerRow = 2;

// Rows that a streamed list reads in one query: D1 takes 1,000 queries an invocation, and lists may
// have a million rows. And bytes of data that the rows of one query have at most, all together,
// twice that in hexadecimal: many lists are read at once. A page that a client asked for holds as
// many rows as it asked for, unless they are so large that its text passes the limit.
inline constexpr int64_t kStreamSliceRows = 1250;
inline constexpr int64_t kStreamSliceBytes = 1'500'000;
inline constexpr int64_t kPageBytes = 1'500'000;
// What the first query of a page brings of a row, on average. So a short page of ordinary rows asks
// for little memory, and one of large rows asks again.
inline constexpr int64_t kOrdinaryRowBytes = 4096;
// What a page may take of memory for each byte that its queries bring, which the host hands out
// before they are sent: the frame, in hexadecimal, the text, the answer. And what it may take
// without asking.
inline constexpr int64_t kPageMemoryPerByte = 6;
inline constexpr int64_t kUnreservedPageBytes = 100'000;
// The same of a streamed list, of which a part is made at a time.
inline constexpr uint64_t kStreamMemory = 1'800'000;
// Few rows of a list are found by another index than that of its order, and sorted for each page
// anew: at most this share of the rows, and at most so many, which takes 30 ms.
inline constexpr int64_t kFewOf = 10;
inline constexpr int64_t kFewRows = 10'000;
// By how much the clocks of two isolates may differ, and the time of a batch from its commit.
inline constexpr int64_t kClockSkewMs = 60 * 60 * 1000;
// A streamed list goes out in parts of about this size, however large its pages are.
inline constexpr size_t kStreamPartBytes = 256 * 1024;
// A batch of a clean-up keeps everybody else waiting, so it is bounded to a quarter of a second: it
// takes away so many snapshots of sources, as many of targets, hidden rows or candidates; fewer
// where a scan of the tenant would read more rows than it may, as many then as take so many
// look-ups.
inline constexpr int64_t kCleanupSliceRows = 10'000;
inline constexpr int64_t kCleanupScanRows = 150'000;
inline constexpr int64_t kCleanupLookUps = 20'000;
// Rows that one batch takes away of a source or target that was deleted. It keeps everybody else
// waiting: a slice of a source takes longest, 45 ms of processor time for 2,000 rows.
inline constexpr int64_t kDeletionSliceRows = 3000;
// How many such batches follow the answer to the deletion, whose instance works that long, and how
// many one wake sends: it has other work, too. A wake leaves alone what was deleted so short a time
// ago that the answer's batches may be under way.
inline constexpr int kAnswerDeletionSlices = 30;
inline constexpr int kWakeDeletionSlices = 150;
inline constexpr int64_t kDeletionHeadStartMs = 60 * 1000;
// How many snapshots are counted in one call of the store, which takes 50 ms.
inline constexpr int64_t kCountedSnapshots = 100'000;
// Steps of scheduled work in one wake, each a query and a batch at most: D1 takes 1,000 an
// invocation. What is left goes on with the next wake. A holder that gives no sign for the time of
// its lease is taken for dead.
inline constexpr int kWakeSteps = 300;
inline constexpr int64_t kRunsPerQuery = 50;
inline constexpr int64_t kRunLeaseMs = 5 * 60 * 1000;
// How often a run is taken up without any progress before it counts as failed. The lease, and so
// the time to the next attempt, doubles with each: 5, 10, 20, 40 and 80 minutes.
inline constexpr int64_t kMaxRunAttempts = 5;
// How far a wake may be ahead of the clock: a trigger names the minute that it was meant for, and
// comes a moment early at most. Anybody who can reach a local server's door for triggers, such as a
// page in the developer's browser, may name any time.
inline constexpr int64_t kMaxWakeAheadMs = 60 * 1000;
// The use of a key is told to the hour, so that it is written once an hour at most.
inline constexpr int64_t kHourMs = 60 * 60 * 1000;
// The nightly retention: at this time of the day, UTC. Log rows stay for so many days.
inline constexpr int64_t kRetentionTimeMs = 2 * 60 * 60 * 1000;
inline constexpr int64_t kLogDays = 365;
inline constexpr int64_t kLogSliceRows = 5000;
// How often /health writes something, so that it knows of a store that reads but takes no writes (a
// disk that is full): one row written each time, however often it is asked.
inline constexpr int64_t kProbeMs = 10'000;
// How often a flow starts again after a lost race before it answers 503: of many edits of one row
// at the same time one wins each round.
inline constexpr int kMaxLostRaces = 100;

}  // namespace sm
