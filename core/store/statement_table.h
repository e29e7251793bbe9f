// The texts of the statements in one dialect, each at the place of its number. Tables are made from
// schema/queries. Native programs link the one of their store; the WebAssembly module has none,
// since its host has.
#pragma once

#include <span>
#include <string_view>

namespace sm::store {

struct StatementText {
  std::string_view name;
  std::string_view text;
};

struct StatementTable {
  // Equal to statements_fingerprint() of the core whose numbers these are.
  std::string_view fingerprint;
  std::span<const StatementText> statements;
};

extern const StatementTable kSqliteStatements;

}  // namespace sm::store
