#include "tests/simulation/generator.h"

#include <algorithm>

namespace simulation {
namespace {

// Identities: ordinary ones, and those that are written or sorted in more than one way.
const char* const kIdentities[] = {"a", "b",      "c",          "7",   "d", "e",    "f",
                                   "g", "\u00e4", "\U0001F600", "h/~", "i", "\x7f", "j"};

template <typename Map>
auto nth(Map& map, size_t place) {
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(place));
}

bool is_numeral(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Generator::Generator(Random& random, Temper temper) : random_(random) {
  weights_ = {20, 6, 24, 20, 5, 1, 2, 3, 8, 3};
  // Two kinds are more frequent here than elsewhere, one is missing.
  weights_[random_.below(4)] += 20;
  weights_[random_.below(weights_.size())] += 10;
  weights_[4 + random_.below(weights_.size() - 4)] = 0;
  constexpr size_t kMost = std::size(kIdentities);
  // Ratios count from ten properties on.
  identities_ = random_.chance(35) ? 11 + random_.below(kMost - 10) : 2 + random_.below(5);
  values_ = 2 + random_.below(3);
  odd_percent_ = random_.chance(50) ? 0 : 8;
  full_percent_ = random_.pick({size_t{0}, size_t{20}, size_t{50}, size_t{80}});
  if (temper == Temper::any) return;
  // Properties come and go in all sources, and nothing else happens so often that they are lost.
  weights_ = {20, 25, 50, 6, 2, 0, 0, 1, 2, 1};
  identities_ = 1 + random_.below(3);
  full_percent_ = 30;
}

Operation Generator::next(const World& world) {
  size_t tenant = random_.below(world.tenants());
  size_t sum = 0;
  for (size_t weight : weights_) sum += weight;
  size_t at = random_.below(sum);
  size_t kind = 0;
  while (at >= weights_[kind]) at -= weights_[kind++];
  return {tenant, make(static_cast<Kind>(kind), world, world.tenant(tenant))};
}

template <typename Connectors>
int64_t Generator::some_id(const Connectors& connectors, const Connectors& others) {
  constexpr int64_t kNobody = 999'999;
  if (!others.empty() && random_.chance(1)) return nth(others, random_.below(others.size()))->first;
  if (connectors.empty() || random_.chance(1)) return kNobody;
  return nth(connectors, random_.below(connectors.size()))->first;
}

Action Generator::make(Kind kind, const World& world, const Tenant& tenant) {
  const Tenant& other = world.tenant(random_.below(world.tenants()));
  int64_t source = some_id(tenant.sources, other.sources);
  int64_t target = some_id(tenant.targets, other.targets);
  // A history without connectors has nothing to do but to make some.
  bool bare = tenant.sources.empty() || tenant.targets.empty();
  if (bare && random_.chance(60)) {
    return new_connector(tenant.sources.empty() ? Which::source : Which::target);
  }
  switch (kind) {
    case Kind::import: {
      auto known = tenant.sources.find(source);
      if (known == tenant.sources.end()) return new_import(source, {});
      return new_import(source, known->second.rows);
    }
    case Kind::remove:
      return make_removal(tenant, source);
    case Kind::sync:
    case Kind::count:
      return Sync{source, target};
    case Kind::edit:
      return make_edit(tenant, target);
    case Kind::change:
      return make_change(tenant);
    case Kind::erase:
      // Sources go more often: what they leave behind is the harder part.
      if (random_.chance(70)) return DeleteConnector{Which::source, source};
      return DeleteConnector{Which::target, target};
    case Kind::create: {
      constexpr size_t kMostConnectors = 3;
      Which connector = random_.chance(60) ? Which::source : Which::target;
      size_t have = connector == Which::source ? tenant.sources.size() : tenant.targets.size();
      if (have >= kMostConnectors) return Sync{source, target};
      return new_connector(connector);
    }
    case Kind::cleanup: {
      constexpr int64_t kMonth = 30;
      if (random_.chance(20)) return Cleanup{};
      return Cleanup{random_.pick({int64_t{0}, int64_t{1}, int64_t{3}, kMonth})};
    }
    case Kind::read:
      return make_read(world, tenant);
    case Kind::wake: {
      // By hand it may be meant for a later night, but for none that would drop what is new.
      constexpr size_t kSomeDays = 25;
      auto later = random_.chance(20) ? static_cast<Moment>(random_.below(kSomeDays)) * kDay : 0;
      return Wake{world.now() + later};
    }
  }
  return Cleanup{};
}

CreateConnector Generator::new_connector(Which connector) {
  // Names differ in their first words, so that a warning can be seen to name the right ones.
  std::string name = random_.pick({"Alpha", "Beta", "Gamma", "Delta", "Epsilon"});
  name += " " + std::to_string(random_.below(1000));
  if (connector == Which::target) {
    return {connector, name, random_.pick({"internal", "website"}), target_config()};
  }
  Json config = source_config();
  if (random_.chance(15)) config["id_field"] = "/key";
  return {connector, name, random_.pick({"json", "api", "manual"}), config};
}

Json Generator::source_config() {
  Json config = Json::object();
  if (random_.chance(50)) config["max_removed_ratio"] = random_.pick({0.0, 0.25, 0.5, 1.0});
  if (random_.chance(10)) config["note"] = {{"\u00e4", 1}, {"b", {1.5, nullptr}}};
  return config;
}

Json Generator::target_config() {
  Json config = Json::object();
  if (random_.chance(60)) config["conflict_policy"] = random_.pick({"skip", "source_wins"});
  if (random_.chance(70)) config["on_removed"] = random_.pick({"keep", "delete", "delete"});
  return config;
}

Import Generator::new_import(int64_t source, const std::map<std::string, SourceRow>& known) {
  Import import{source};
  import.full = random_.chance(full_percent_);
  import.force = import.full && random_.chance(40);
  import.ndjson = random_.chance(20);
  break_ = import.ndjson ? " " : "\n";
  size_t share = random_.pick({size_t{10}, size_t{40}, size_t{70}, size_t{95}, size_t{100}});
  for (size_t i = 0; i < identities_; ++i) {
    if (!random_.chance(share)) continue;
    // Some items are as they are.
    auto row = known.find(kIdentities[i]);
    if (row != known.end() && random_.chance(30)) {
      Json value = row->second.data->value;
      import.items.push_back({value, messy(value)});
    } else {
      import.items.push_back(new_item(kIdentities[i]));
    }
    if (random_.chance(odd_percent_)) import.items.push_back(new_item(kIdentities[i]));
    if (random_.chance(odd_percent_)) import.items.push_back(odd_item());
  }
  return import;
}

Item Generator::new_item(const std::string& external_id) {
  Json value = {{"external_id", external_id}, {"v", random_.below(values_)}};
  if (is_numeral(external_id)) {
    value.erase("external_id");
    value["id"] = random_.chance(80) ? Json(std::stoi(external_id)) : Json(external_id);
  }
  if (random_.chance(10)) value["w"] = {{"\uE000", 0.1}, {"\U0001F600", 1e21}, {"a", nullptr}};
  if (random_.chance(5)) value["big"] = 9'007'199'254'740'993;
  if (random_.chance(5)) value["text"] = "\x7f \"q\" \\ \u00e4 \U0001F600 \n";
  if (random_.chance(10)) value["key"] = kIdentities[random_.below(identities_)];
  bool broken = random_.chance(odd_percent_ / 4);
  std::string text = messy(value);
  if (broken) {
    text.pop_back();
    text += random_.pick({R"(,"x":1,"x":1})", R"(,"x":1e999})", R"(,"x":"\ud800"})"});
  }
  return {value, text, broken};
}

// Items without an identity.
Item Generator::odd_item() {
  Json value = random_.pick<Json>({5, nullptr, Json{{"v", 1}}, Json{{"external_id", ""}},
                                   Json{{"external_id", true}}, Json{{"id", Json::array()}},
                                   Json{{"external_id", std::string(513, 'x')}}});
  return {value, value.dump()};
}

// The same value in one of the many ways in which JSON can be written.
std::string Generator::messy(const Json& value) {
  auto space = [&] {
    return std::string(random_.chance(90) ? "" : random_.pick({" ", break_, "\t "}));
  };
  if (value.is_object()) {
    std::vector<std::string> members;
    for (auto member = value.begin(); member != value.end(); ++member) {
      std::string name = Json(member.key()).dump(-1, ' ', random_.chance(50));
      members.push_back(space() + name + space() + ":" + space() + messy(*member) + space());
    }
    if (random_.chance(50)) std::reverse(members.begin(), members.end());
    std::string text = "{";
    for (const std::string& member : members) text += (text.size() > 1 ? "," : "") + member;
    return text + space() + "}";
  }
  if (value.is_string()) return value.dump(-1, ' ', random_.chance(50));
  if (value.is_number_integer() && random_.chance(10)) {
    int64_t number = value.get<int64_t>();
    if (std::abs(number) < 1'000'000)
      return std::to_string(number) + random_.pick({".0", "e0", "E+00"});
  }
  return value.dump();
}

// Rows that a sync has marked are edited more often than there are such rows.
const TargetRow& Generator::some_row(const std::map<std::string, TargetRow>& rows) {
  std::vector<const TargetRow*> marked;
  for (const auto& [external_id, row] : rows) {
    bool is_marked = row.status == Status::conflict || row.status == Status::removed;
    if (is_marked && !row.hidden()) marked.push_back(&row);
  }
  if (!marked.empty() && random_.chance(40)) return *marked[random_.below(marked.size())];
  return nth(rows, random_.below(rows.size()))->second;
}

Action Generator::make_edit(const Tenant& tenant, int64_t target) {
  auto parent = tenant.targets.find(target);
  if (parent == tenant.targets.end() || parent->second.rows.empty())
    return Edit{target, 1, {{"v", 1}}};
  const auto& rows = parent->second.rows;
  const TargetRow& row = some_row(rows);
  Json patch = {{"v", random_.below(values_)}};
  // Back to what the row was settled with, or to what a source has.
  if (random_.chance(25)) patch["v"] = row.base->value.value("v", 0);
  if (random_.chance(10)) patch["note"] = random_.chance(50) ? Json("\u00e4") : Json();
  if (random_.chance(5)) patch = Json::object();
  return Edit{target, row.id, patch};
}

Action Generator::make_removal(const Tenant& tenant, int64_t source) {
  auto parent = tenant.sources.find(source);
  if (parent == tenant.sources.end() || parent->second.rows.empty())
    return RemoveProperty{source, 1};
  const auto& rows = parent->second.rows;
  return RemoveProperty{source, nth(rows, random_.below(rows.size()))->second.id};
}

Action Generator::make_change(const Tenant& tenant) {
  Which connector = random_.chance(35) ? Which::source : Which::target;
  ChangeConnector change{connector, 0, {}, {}};
  change.id = connector == Which::source ? some_id(tenant.sources, tenant.sources)
                                         : some_id(tenant.targets, tenant.targets);
  if (random_.chance(connector == Which::source ? 60 : 20)) {
    change.name = "Renamed " + std::to_string(random_.below(1000));
  }
  if (connector == Which::target) change.config = target_config();
  if (connector == Which::source && random_.chance(50)) {
    change.config = source_config();
    if (random_.chance(20))
      (*change.config)["id_field"] = random_.chance(50) ? Json("/key") : Json();
  }
  for (const char* name : {"conflict_policy", "on_removed"}) {
    if (connector == Which::target && random_.chance(20)) (*change.config)[name] = nullptr;
  }
  return change;
}

Read Generator::make_read(const World& world, const Tenant& tenant) {
  Read read{random_.pick({Read::What::connector, Read::What::connectors, Read::What::properties,
                          Read::What::property, Read::What::properties, Read::What::snapshots,
                          Read::What::logs})};
  read.connector = random_.chance(40) ? Which::source : Which::target;
  auto choose_row = [&](const auto& connectors) {
    read.id = some_id(connectors, connectors);
    auto parent = connectors.find(read.id);
    if (parent == connectors.end() || parent->second.rows.empty()) return;
    read.property = nth(parent->second.rows, random_.below(parent->second.rows.size()))->second.id;
  };
  if (read.connector == Which::source) {
    choose_row(tenant.sources);
  } else {
    choose_row(tenant.targets);
  }
  if (read.property == 0) read.property = 1;
  bool is_list = read.what != Read::What::connector && read.what != Read::What::property;
  if (is_list && random_.chance(30)) read.limit = 1 + static_cast<int64_t>(random_.below(5));
  if (read.what == Read::What::properties) {
    if (random_.chance(20)) read.external_id = kIdentities[random_.below(identities_)];
    if (random_.chance(30)) read.flag = random_.chance(50);
    if (random_.chance(20)) read.since = world.now() - static_cast<Moment>(random_.below(50));
  }
  return read;
}

}  // namespace simulation
