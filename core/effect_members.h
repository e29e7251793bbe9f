// What each effect is called in a step frame, and the members that it carries there
// (wasm/README.md), a row each. A codec is handed every member in turn: the encoder of frame.cc
// writes them, and the tests read golden frames back through the same rows.
//
// A new effect is a struct in base/effect.h and a row here; on the host, a row in
// host/shared/core/effects.ts and the function that performs it.
#pragma once

#include "core/base/effect.h"

namespace sm {

// `each` takes a constant effect where the codec writes, another one where it reads.
template <typename Effect>
struct EffectMembers;

struct NoMembers {
  template <typename Codec, typename Effect>
  static void each(Codec&, Effect&) {}
};

template <>
struct EffectMembers<Query> {
  static constexpr const char* kName = "query";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& query) {
    codec.statements("statements", query.statements);
  }
};

template <>
struct EffectMembers<Batch> {
  static constexpr const char* kName = "batch";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& batch) {
    codec.statements("statements", batch.statements);
    codec.text("turn", batch.turn);
    codec.integer("at_once", batch.at_once);
    codec.boolean("unseen", batch.unseen);
  }
};

template <>
struct EffectMembers<ReadBody> : NoMembers {
  static constexpr const char* kName = "read_body";
};

template <>
struct EffectMembers<Respond> {
  static constexpr const char* kName = "respond";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& respond) {
    codec.integer("status", respond.status);
    codec.headers("headers", respond.headers);
    codec.body(respond.body, respond.content);
  }
};

template <>
struct EffectMembers<Write> {
  static constexpr const char* kName = "write";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& write) {
    codec.section("section", write.bytes);
  }
};

template <>
struct EffectMembers<End> : NoMembers {
  static constexpr const char* kName = "end";
};

template <>
struct EffectMembers<Abort> : NoMembers {
  static constexpr const char* kName = "abort";
};

template <>
struct EffectMembers<Seal> {
  static constexpr const char* kName = "seal";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& seal) {
    codec.section("section", seal.text);
    codec.text("context", seal.context);
  }
};

template <>
struct EffectMembers<ReserveMemory> {
  static constexpr const char* kName = "reserve_memory";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& memory) {
    codec.integer("bytes", memory.bytes);
    codec.text("turn", memory.turn);
  }
};

template <>
struct EffectMembers<Count> {
  static constexpr const char* kName = "count";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& count) {
    codec.text("of", count.of);
  }
};

template <>
struct EffectMembers<Log> {
  static constexpr const char* kName = "log";
  template <typename Codec, typename Effect>
  static void each(Codec& codec, Effect& log) {
    codec.text("level", log.level);
    codec.text("message", log.message);
  }
};

}  // namespace sm
