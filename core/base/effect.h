// The whole language in which the core asks a host to do something: one type an effect, one comment
// each. Frames that carry them are described in wasm/README.md; frame.h encodes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace sm {

// A large text that goes to the store as one parameter. Shared, since one pack serves several
// statements of a batch, and a batch is sent again after a lost race.
using Pack = std::shared_ptr<const std::string>;

using Param = std::variant<std::nullptr_t, int64_t, std::string, Pack>;

// One of the named queries (schema/queries), by its number. Its text is the host's, which has one
// for the dialect of its store.
struct Statement {
  uint32_t number = 0;
  std::vector<Param> params;
};

// Reads, of one moment where the store can do that (D1 does). No decision rests on it: what they
// say is a hypothesis, which a batch checks with its guards.
struct Query {
  std::vector<Statement> statements;
};

// Writes, all or none. Where it names a turn, the invocation has it from here to its end: of those
// that name the same one, `at_once` have it at the same time, and the others wait in the order of
// their coming. What is `unseen` may be written more than once: nobody reads it before another
// batch.
struct Batch {
  std::vector<Statement> statements;
  std::string turn = {};
  int64_t at_once = 0;
  bool unseen = false;
};

// The next part of the request's body, at most 256 KiB.
struct ReadBody {};

struct Header {
  std::string name;
  std::string value;
};

// Status and headers of the answer, and its whole body; or the static file that is its body.
struct Respond {
  enum class Body { none, bytes, asset, stream };
  int status;
  std::vector<Header> headers;
  Body body = Body::none;
  std::string content;  // bytes, or the path of the asset
};

// A part of a streamed body; the reply comes when the reader has room for more.
struct Write {
  std::string bytes;
};
struct End {};
// Cuts a streamed body off, so that the reader sees a failure.
struct Abort {};

// Encrypts with the deployment's key, bound to the context.
struct Seal {
  std::string text;
  std::string context;
};

// Memory of the isolate beyond what any invocation may use. Of those that name the same turn, one
// at a time has it; an empty one waits for nobody.
struct ReserveMemory {
  uint64_t bytes;
  std::string turn;
};

// Counts one request of somebody, in the host's counter of requests.
struct Count {
  std::string of;
};

struct Log {
  std::string level;
  std::string message;
};

using Effect = std::variant<Query, Batch, ReadBody, Respond, Write, End, Abort, Seal, ReserveMemory,
                            Count, Log>;

// A frame from the host, kept alive by whatever still looks into it.
using FrameBytes = std::shared_ptr<const std::string>;

// One statement's result: cells in rows, read in place from the host's frame.
struct RawResult {
  uint32_t statement = 0;  // the number of the one that gave it
  size_t columns = 0;
  size_t rows = 0;
  int64_t changes = 0;  // rows that the statement wrote
  std::string_view cells;
  FrameBytes owner;
};

// What a host said to one effect: an error, or those of the members that the effect's kind has.
struct Reply {
  std::optional<Error> error;
  std::vector<RawResult> results;  // query, batch
  std::string_view bytes;          // read_body
  bool end = false;                // read_body
  std::string key_id;              // seal
  std::string sealed;              // seal
  FrameBytes owner;                // keeps `bytes` alive
};

}  // namespace sm
