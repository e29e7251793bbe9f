// Deterministic test data: property listings of about 1.1 KB of JSON text each, as a listing site
// would send them.
//
// The property with number `i` is the same whatever the size of the list, so two sizes can be
// compared. Keys stand in the order of a database export, not sorted; prices are decimals; about
// one listing in three has text beyond ASCII and one in twelve beyond Latin-1 (both matter: V8 and
// D1 treat the three kinds of text differently).

export type Variant = "new" | "unchanged" | "changed_1_percent" | "all_changed";

export const kVariants: readonly Variant[] = [
  "new",
  "unchanged",
  "changed_1_percent",
  "all_changed",
];

/** A property of the list, ready for `JSON.stringify`. */
export type Property = Record<string, unknown>;

/** Numbers from 0 to 1 (mulberry32): 32 bits of state, the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const kKinds = ["Apartment", "House", "Townhouse", "Loft", "Studio", "Villa"] as const;
const kAsciiCities = [
  ["Portland", "OR", "US"],
  ["Bristol", "England", "GB"],
  ["Austin", "TX", "US"],
  ["Utrecht", "UT", "NL"],
  ["Bologna", "BO", "IT"],
] as const;
const kLatinCities = [
  ["Zürich", "ZH", "CH"],
  ["Málaga", "Andalucía", "ES"],
  ["Köln", "Nordrhein-Westfalen", "DE"],
  ["Besançon", "Doubs", "FR"],
] as const;
const kWideCities = [
  ["Łódź", "Łódzkie", "PL"],
  ["東京", "東京都", "JP"],
  ["Αθήνα", "Αττική", "GR"],
] as const;
const kStreets = [
  "Oak Lane",
  "Mill Road",
  "Harbour Street",
  "Station Square",
  "Garden Way",
] as const;
const kFeatures = [
  "balcony",
  "garage",
  "garden",
  "fireplace",
  "elevator",
  "cellar",
  "dishwasher",
  "solar panels",
  "heat pump",
  "parquet floor",
  "guest bathroom",
  "fibre internet",
] as const;
const kSentences = [
  "Bright rooms with high ceilings and large windows look out over a quiet street.",
  'The kitchen was renewed recently; the former owner calls it "the heart of the house".',
  "Schools, shops and a park are within ten minutes on foot, the station within fifteen.",
  "Heating costs are low, since walls and roof were insulated to the current standard.",
  "A storage room, a bicycle shed and a shared laundry belong to the unit.",
  "The south-facing terrace gets sun from late morning until the evening.",
  "Pets are welcome after agreement with the owners' association.",
] as const;
const kLatinSentence =
  "Südbalkon, Einbauküche, 92 m² Wohnfläche; près du marché, à deux pas du café.";
const kWideSentence = "Widok na park – cicha okolica, żłobek i szkoła w pobliżu; 駅まで徒歩5分 €.";

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

/**
 * Property number `index`; `revision` 0 is the first version, every other number another price and
 * date.
 */
export function property(index: number, revision = 0): Property {
  const random = randomFrom(index * 2654435761 + 12345);
  const alphabet = random();
  const isWide = alphabet < 1 / 12;
  const isLatin = !isWide && alphabet < 1 / 3;
  const city = pick<readonly [string, string, string]>(
    isWide ? kWideCities : isLatin ? kLatinCities : kAsciiCities,
    random,
  );
  const kind = pick(kKinds, random);
  const bedrooms = 1 + Math.floor(random() * 6);
  const area = 30 + Math.floor(random() * 2200) / 10;
  const price = Math.floor(area * (2000 + random() * 4000) * 100) / 100;
  const featureCount = 4 + Math.floor(random() * 3);
  const firstFeature = Math.floor(random() * kFeatures.length);
  const features = Array.from(
    { length: featureCount },
    (_, i) => kFeatures[(firstFeature + i) % kFeatures.length],
  );
  const firstSentence = Math.floor(random() * kSentences.length);
  const sentences: (string | undefined)[] = [0, 1, 2].map(
    (i) => kSentences[(firstSentence + i) % kSentences.length],
  );
  if (isLatin) sentences[1] = kLatinSentence;
  if (isWide) sentences[1] = kWideSentence;
  const day = String(1 + Math.floor(random() * 28)).padStart(2, "0");
  const slug = `listing-${String(index).padStart(7, "0")}`;
  return {
    external_id: `P-${String(index).padStart(7, "0")}`,
    title: `${kind} with ${bedrooms} bedrooms in ${city[0]}`,
    description: sentences.join(" "),
    price: revision === 0 ? price : Math.round((price + revision * 10.25) * 100) / 100,
    currency: city[2] === "US" ? "USD" : city[2] === "GB" ? "GBP" : "EUR",
    bedrooms,
    bathrooms: 1 + Math.floor(random() * 3),
    area_m2: area,
    year_built: 1900 + Math.floor(random() * 124),
    available: random() < 0.8,
    floor: random() < 0.2 ? null : Math.floor(random() * 12),
    location: {
      street: `${1 + Math.floor(random() * 250)} ${pick(kStreets, random)}`,
      city: city[0],
      region: city[1],
      country: city[2],
      postal_code: String(10000 + Math.floor(random() * 89999)),
      geo: {
        lat: Math.round((35 + random() * 20) * 1e6) / 1e6,
        lon: Math.round((-10 + random() * 30) * 1e6) / 1e6,
      },
    },
    features,
    energy: {
      rating: pick(["A", "B", "C", "D", "E"], random),
      kwh_m2: Math.floor(random() * 2500) / 10,
    },
    images: [1, 2].map((n) => ({
      url: `https://images.example.com/${slug}/${n}.jpg`,
      width: 1600,
      height: 1067,
    })),
    agent: {
      name: "Dana Whitfield",
      phone: "+1 555 0100",
      email: `agent${Math.floor(random() * 400)}@agency.example.com`,
    },
    listed_at: `2026-01-${day}T09:30:00.000Z`,
    updated_at: `2026-${String(2 + (revision % 10)).padStart(2, "0")}-${day}T12:00:00.000Z`,
  };
}

/** True where the variant gives property `index` another content than `new` does. */
export function isChanged(index: number, variant: Variant): boolean {
  return variant === "all_changed" || (variant === "changed_1_percent" && index % 100 === 0);
}

/**
 * The JSON bytes of an import of properties `first` to `end - 1`. `revision` tells repeated changes
 * apart: two bodies of the variant `all_changed` with different revisions differ in every property.
 */
export function importBody(first: number, end: number, variant: Variant, revision = 1): Buffer {
  const parts: Buffer[] = [];
  let text = '{"data":[';
  for (let index = first; index < end; index++) {
    if (index > first) text += ",";
    text += JSON.stringify(property(index, isChanged(index, variant) ? revision : 0));
    if (text.length > 1_000_000) {
      parts.push(Buffer.from(text));
      text = "";
    }
  }
  parts.push(Buffer.from(`${text}]}`));
  return Buffer.concat(parts);
}

// `node tests/bench/generate.ts 10000 all_changed > body.json`
if (import.meta.main) {
  const count = Number(process.argv[2] ?? 1000);
  const variant = (process.argv[3] ?? "new") as Variant;
  if (!Number.isInteger(count) || !kVariants.includes(variant)) {
    console.error(`usage: generate.ts COUNT [${kVariants.join("|")}]`);
    process.exit(2);
  }
  process.stdout.write(importBody(0, count, variant));
}
